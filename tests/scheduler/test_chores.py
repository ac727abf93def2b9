"""What else the leader sees to: files to check, notices to send, contents to erase."""

from dataclasses import replace

import pytest

from domain.errors import Busy
from domain.jobs import By
from ledger.values import Restored
from scheduler.chores import ERASE_EVERY_MS
from scheduler.rings import MOST_RINGS
from tests.scheduler.fakes import Stage


async def test_files_and_notices_are_rung_for_at_once_and_then_patiently(stage: Stage) -> None:
    """0, 2, 6, 14 s: a lost ring costs little, a full queue is not flooded."""
    stage.ledger.unchecked, stage.ledger.due = ["J1"], ["N1"]
    await stage.run(1000)
    assert (stage.doorbell.checks, stage.doorbell.notices) == (["J1"], ["N1"])
    await stage.run(14_000)
    assert stage.doorbell.checks == ["J1"] * 4
    stage.ledger.unchecked = []
    await stage.run(250)
    stage.ledger.unchecked = ["J1"]
    await stage.run()
    assert len(stage.doorbell.checks) == 5


async def test_contents_whose_time_is_over_are_erased(stage: Stage) -> None:
    """One that cannot be erased now does not keep the others."""
    stage.ledger.due_erasures, stage.ledger.unerasable = ["J1", "J2"], {"J1"}
    await stage.run(1000)
    assert stage.ledger.erased == ["J2"]


async def test_an_erased_job_s_file_leaves_the_spool(stage: Stage) -> None:
    """Only once the ledger has erased it: until then its rows may still be asked for."""
    stage.ledger.due_erasures, stage.ledger.unerasable = ["J1", "J2"], {"J1"}
    await stage.run(1000)
    assert stage.forgotten == ["blob-J2"]


async def test_erasing_much_holds_no_round_up_for_long(stage: Stage) -> None:
    """One job between two rounds, or shares and the leader's lease would run out meanwhile."""
    stage.ledger.due_erasures = ["J1", "J2", "J3"]
    await stage.run()
    assert stage.ledger.erased == ["J1"]
    await stage.run(2000)
    assert stage.ledger.erased == ["J1", "J2", "J3"]


async def test_a_ledger_too_busy_to_erase_stops_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The round goes on and serves; the erasure is tried again a minute later."""

    async def busy(job: str, by: By, now: int) -> None:
        raise Busy

    with monkeypatch.context() as while_busy:
        while_busy.setattr(stage.ledger, "erase", busy)
        stage.ledger.due_erasures = ["J1"]
        stage.waits(A=10)
        await stage.run(500)
    assert "A" in stage.quotas.shares
    await stage.run(60_000, step_ms=1000)
    assert stage.ledger.erased == ["J1"]


async def test_a_ledger_that_was_put_back_is_seen_to_first_and_forgotten_once_it_is_over(
    stage: Stage,
) -> None:
    """By whoever leads, before the first round; once nothing is asked about nothing is left of it."""
    stage.ledger.copy = Restored(None, 7, 0, None)
    await stage.run()
    assert stage.ledger.copy is not None
    assert stage.ledger.copy.since_at == stage.clock.now()
    stage.ledger.copy = replace(stage.ledger.copy, asked=1)
    await stage.run(ERASE_EVERY_MS, 500)
    assert stage.ledger.copy is not None
    stage.ledger.copy = replace(stage.ledger.copy, asked=0)
    await stage.run(ERASE_EVERY_MS, 500)
    assert stage.ledger.copy is None


async def test_thousands_of_files_are_rung_for_a_few_a_round(stage: Stage) -> None:
    """A flood of files holds up no round; each is rung for in the end, and none twice before."""
    stage.ledger.unchecked = [f"J{n}" for n in range(3 * MOST_RINGS)]
    await stage.run()
    assert len(stage.doorbell.checks) == MOST_RINGS
    await stage.run(1_500)
    assert sorted(stage.doorbell.checks) == sorted(stage.ledger.unchecked)
