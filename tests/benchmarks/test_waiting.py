"""Parties that wait before a gate without wire: all stand in the ledger's backlog."""

from benchmarks.town import REGISTRY, TownPlan
from benchmarks.waiting import waiting


async def test_every_party_waits_with_a_job_of_its_own() -> None:
    """Each party has its records in the backlog, those of the copied jobs as well as those of the first."""
    async with waiting(TownPlan([1] * 5, [], 800, 800, 20, 20), lines=7) as place:
        backlog = await place.parts.ledger.backlog(REGISTRY, place.parts.clock.now())
    assert [(one.party, one.pending, one.ready) for one in backlog] == [(f"P{k:03d}", 7, 7) for k in range(5)]
