"""A short gauntlet: two hosts on PostgreSQL, every link through the proxy, faults of several kinds; the registrar's log is clean."""

import tempfile
from pathlib import Path

import pytest

from tests.gauntlet.__main__ import result_of
from tests.gauntlet.deck import DRAWN, KINDS
from tests.gauntlet.plan import Plan
from tests.gauntlet.play import play
from tests.gauntlet.tally import Tally

PLAN = Plan(
    1, 0.1, accounts=(2, 2), rate=120, burst=40, account_rate=40, account_burst=20, rows_a_file=150, ahead_s=3.0,
    kill_every_s=2.5,
)  # fmt: skip
FAULTS = ("cut link to registrar", "flush redis", "stalled link to ledger", "reset after the effect")
KILLS = ("kill worker", "kill acting scheduler")


@pytest.mark.timeout(300)
async def test_every_record_is_in_effect_once_and_no_promise_is_broken() -> None:
    """Kills and faults of network, Redis and registrar at once; what was not injected is not called kept."""
    with tempfile.TemporaryDirectory(prefix="ptn-g-", ignore_cleanup_errors=True) as folder:
        faults, kills = ([each for each in DRAWN if each.name in names] for names in (FAULTS, KILLS))
        played = await play(PLAN, faults, kills, Path(folder), Tally(), is_short=True)
    assert played.verdict.sentences == []
    assert played.broken == {}
    assert played.valid > 300
    assert {name for name in KINDS if result_of(played, name) == "kept"} == {*played.counts}
    assert {*played.counts} <= {*FAULTS, *KILLS}
    assert sum(played.counts.values()) >= 4
