"""Parties that wait before a gate without wire: all stand in the ledger's backlog, and the scheduler seats and serves them."""

from benchmarks.latency import demanded_s
from benchmarks.scheduler import decisions, whole_rounds
from benchmarks.town import REGISTRY, TownPlan
from benchmarks.waiting import waiting


async def test_every_party_waits_with_a_job_of_its_own() -> None:
    """Each party has its records in the backlog, those of the copied jobs as well as those of the first."""
    async with waiting(TownPlan([1] * 5, [], 800, 800, 20, 20), lines=7) as place:
        backlog = await place.parts.ledger.backlog(REGISTRY, place.parts.clock.now())
    assert [(one.party, one.pending, one.ready) for one in backlog] == [(f"P{k:03d}", 7, 7) for k in range(5)]


async def test_timed_rounds_are_those_in_which_all_parties_sit() -> None:
    """The scheduler seats everybody before its rounds are timed, and the figures name each part."""
    found = decisions(5) | await whole_rounds(5, count=1, warm=5)
    assert (found["parties"], found["most sessions"]) == (5, 5)
    assert 0 < found["of it views and decision_p50_ms"] < found["round_p50_ms"]


def test_what_the_accounts_demand_of_a_small_file_is_what_their_buckets_do_not_hold() -> None:
    """Four accounts hold 80 of 100 records; the other 20 take a quarter of a second at 80 a second."""
    assert demanded_s() == 0.25
