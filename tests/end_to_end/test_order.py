"""One person's records in two jobs keep their order, and a job that is cancelled and sent again has one effect a person."""

import asyncio
from pathlib import Path

from benchmarks.town import BY, REGISTRY, Town, TownPlan, party, town, write_members
from domain.jobs import Job
from domain.states import JobState
from pratunam.doorbells import wake_scheduler
from profiles.party_members.made_up import made_up_endings
from tests.end_to_end.verdicts import assert_limits_held

ADDED, RESIGNED, AGAIN = 1_200, 60, 400
PLAN = TownPlan(
    [4, 2], [ADDED, AGAIN], 600, 150, 100, 25,
    extra_policy="answer_timeout_s = 3\nsettle_s = 3",
    extra_registrar=f'[registries.{REGISTRY}.membership]\nmembers_only = ["RESIGN"]',
)  # fmt: skip


async def resign_behind_add(place: Town) -> tuple[Job, Job]:
    """Send a large file of ADDs and, while it runs, a small one that ends the membership of its last people."""
    adds = write_members(place.folder, "adds", ADDED, 0)
    [large] = await place.submit({party(0): adds})
    await place.until_arrived(20)
    ends = place.folder / "ends.csv"
    made_up_endings(RESIGNED, 0, start=ADDED - RESIGNED).write_csv(ends)
    [small] = await place.submit({party(0): ends})
    large, small = await place.until_done([large, small])
    return large, small


async def cancelled_and_sent_again(place: Town) -> tuple[Job, Job]:
    """Cancel a job while nobody knows what became of some of its records, and hand in the same file again."""
    file = write_members(place.folder, "again", AGAIN, 1)
    # every answer is torn off after its records took effect, as long as these faults last
    await place.control(faults=[{"kind": "reset-after", "party": party(1), "after": 7}])
    [first] = await place.submit({party(1): file})
    await place.until([first], lambda job: job.records.unknown > 0, 60)
    parts = place.parts
    await parts.ledger.cancel(first.job, BY, parts.clock.now())
    await wake_scheduler(parts.settings)
    await place.control(clear_faults=True)
    [first] = await place.until_done([first])
    [second] = await place.submit({party(1): file})
    [second] = await place.until_done([second])
    return first, second


async def test_order_and_effects_survive_a_second_job(place: Path) -> None:
    """No RESIGN arrives before its ADD was settled; no person takes effect twice though a file came twice."""
    async with town(PLAN, place) as running:
        (large, small), (first, second) = await asyncio.gather(
            resign_behind_add(running), cancelled_and_sent_again(running)
        )
        report = await running.report()
    assert_limits_held(report)

    assert (large.state, small.state) == (JobState.FINISHED, JobState.FINISHED)
    assert (large.records.accepted, small.records.accepted) == (ADDED, RESIGNED)
    assert "not-a-member" not in report["rejected_by_code"]

    assert (first.state, second.state) == (JobState.CANCELLED, JobState.FINISHED)
    assert first.job != second.job
    assert first.records.unknown == second.records.unknown == 0
    assert first.records.unprocessed > 0
    assert first.records.accepted + second.records.accepted == AGAIN
    assert second.records.rejected == first.records.accepted
    assert report["effects"]["exactly_one"] == ADDED + RESIGNED + AGAIN
