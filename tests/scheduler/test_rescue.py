"""Slices of dead sessions come back; those of living ones, and of ones that may still surface, stay."""

from domain.jobs import PartyBacklog
from tests.scheduler.fakes import Stage, policy


async def test_sessions_of_the_dead_are_fetched_back_and_those_of_the_living_are_not(stage: Stage) -> None:
    """Not before a fresh gate could know who lives; then once a second, sparing tokens that may be given out meanwhile."""
    stage.ledger.waiting = [PartyBacklog("A", 50, 0, 0, 50)]
    await stage.run()
    stage.quotas.sit("A-00", token=2**32 + 7)
    await stage.run(6500)
    assert stage.ledger.rescues == []
    await stage.run(1000)
    tokens, idempotent = stage.ledger.rescues[0]
    assert idempotent
    assert 2**32 + 7 in tokens
    assert 2**32 + 8 in tokens
    assert 2**32 + 6 not in tokens
    await stage.run(10_000)
    assert 9 <= len(stage.ledger.rescues) <= 12


async def test_without_idempotency_a_quarantined_sessions_slices_stay_until_its_quarantine_ends() -> None:
    """What it sent may still surface; an account that was in quarantine before our time stops the rescue as a whole."""
    stage = Stage(policy({"A": 2}, idempotent=False, newest_wins=False))
    stage.ledger.waiting = [PartyBacklog("A", 50, 0, 0, 50)]
    await stage.run()
    stage.quotas.sit("A-00", token=2**32 + 7)
    await stage.run(8000)
    stage.quotas.sit("A-00", quarantined=True)
    stage.ledger.rescues.clear()
    await stage.run(1500)
    assert 2**32 + 7 in stage.ledger.rescues[-1][0]
    stage.quotas.sit("A-01", quarantined=True)
    stage.ledger.rescues.clear()
    await stage.run(1500)
    assert stage.ledger.rescues == []


async def test_slices_of_a_paused_job_are_fetched_back(stage: Stage) -> None:
    """No backlog tells of them; the ledger does."""
    await stage.run(8000)
    assert stage.ledger.rescues == []
    stage.ledger.claims_unseen = True
    await stage.run(8000)
    assert stage.ledger.rescues
