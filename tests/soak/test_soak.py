"""The soak runs seeds on several processes until its time is over, and says what it saw."""

import pytest

from tests.soak.__main__ import main


def test_a_soak_without_time_runs_one_seed_a_process(capsys: pytest.CaptureFixture[str]) -> None:
    """The seeds that have begun are run to their end, counted, and what they reached is told."""
    assert main(["--hours", "0", "--from", "9", "--jobs", "2"]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[-1].startswith("2 seeds, ")
    assert "record: pending to accepted" in said
    assert "never reached: fault: " in said
