"""What else the leader sees to: files to check, notices to send, contents to erase."""

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
    await stage.run()
    assert stage.ledger.erased == ["J2"]
