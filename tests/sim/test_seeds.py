"""Worlds of faults: whatever is drawn, the registrar's log shows every promise kept, and everything ends once faults are over."""

import time
from collections import Counter

import pytest

from tests.sim.__main__ import main
from tests.sim.running import run_seed

#: seeds are run for so long (s), but so many at least; more of them: `python3 run.py sim --seeds 1-1000`, `run.py soak`
FOR_S, AT_LEAST = 15.0, 5


def test_no_promise_is_broken_in_any_world() -> None:
    """In as many worlds as time allows nothing is passed over, lost, doubled or left undone; each has the size that it should."""
    until, seed, sometimes = time.monotonic() + FOR_S, 0, Counter[str]()
    while seed < AT_LEAST or time.monotonic() < until:
        seed += 1
        report = run_seed(seed)
        assert report.broken == (), f"replay with: python3 run.py sim {seed}"
        assert report.records >= 500
        assert report.faults >= 10
        sometimes += report.sometimes
    assert sometimes["SessionEnded empty"] > 0


def test_a_seed_is_replayed_to_the_last_arrival() -> None:
    """The same seed gives the same log at the registrar's door and the same end, another seed does not."""
    first, again, other = run_seed(4), run_seed(4), run_seed(9)
    assert first.digest == again.digest != other.digest
    assert first.sometimes == again.sometimes


def test_a_seed_is_replayed_by_one_command(capsys: pytest.CaptureFixture[str]) -> None:
    """`run.py sim SEED` runs that seed and says how it went and what was reached."""
    assert main(["17"]) == 0
    said = capsys.readouterr().out
    assert "seed 17:" in said
    assert "sometimes:" in said
