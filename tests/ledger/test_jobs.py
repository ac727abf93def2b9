"""Jobs: receiving, reading, pausing, resuming, cancelling."""

import asyncio

import pytest

from domain.errors import Conflict, NotFound
from domain.jobs import RecordCounts
from domain.states import JobState
from tests.ledger.scene import ACCEPTED, BY, DOUBTFUL, NOW, PENDING, REGISTRY, UNKNOWN, Scene, lease, new_job


async def test_a_received_job_is_what_was_handed_in(scene: Scene) -> None:
    """Every field comes back, with state, time and a receipt that a person can read out."""
    job = await scene.ledger.receive(
        new_job(
            deadline_at=NOW + 9, ignored=("สี",), cut=("religion",), declared=True, sheet="ก", parent="J0",
            priority=2, max_invalid_pct=1.5,
        ),
        BY,
        NOW,
    )  # fmt: skip
    assert (job.state, job.submitted_at, job.receipt[:3]) == (JobState.RECEIVED, NOW, "J1-")
    assert (job.ignored, job.cut, job.declared, job.sheet) == (("สี",), ("religion",), True, "ก")
    assert (job.parent, job.priority, job.max_invalid_pct, job.deadline_at) == ("J0", 2, 1.5, NOW + 9)
    assert job == await scene.ledger.job("J1")


async def test_the_same_file_is_the_same_job_while_that_is_open_or_finished(scene: Scene) -> None:
    """Receiving a digest again gives the job that is there, also once it has finished."""
    await scene.submit("J1", lines=(1,))
    again = new_job("J2", digest=new_job("J1").digest)
    assert (await scene.ledger.receive(again, BY, NOW)).job == "J1"
    await scene.settle("J1.0", {0: ACCEPTED})
    assert (await scene.ledger.receive(again, BY, NOW)).job == "J1"
    assert [job.job for job in await scene.ledger.jobs()] == ["J1"]


@pytest.mark.parametrize(
    "change", [{"operation": "RENEW"}, {"party": "P002"}, {"registry": "x"}, {"sheet": "2"}]
)
async def test_another_party_operation_registry_or_sheet_is_another_job(
    scene: Scene, change: dict[str, str]
) -> None:
    """Only the very same wish is the same job."""
    await scene.submit("J1")
    again = new_job("J2", **({"party": "P001", "digest": new_job("J1").digest} | change))
    assert (await scene.ledger.receive(again, BY, NOW)).job == "J2"


async def test_a_cancelled_or_refused_file_can_come_again(scene: Scene) -> None:
    """What ended without effect does not stand in the way of the same file."""
    await scene.ledger.receive(new_job("J1"), BY, NOW)
    await scene.ledger.cancel("J1", BY, NOW)
    same = new_job("J1").digest
    assert (await scene.ledger.receive(new_job("J2", digest=same), BY, NOW)).job == "J2"
    await scene.ledger.refuse("J2", "no", "ไม่", BY, NOW)
    assert (await scene.ledger.receive(new_job("J3", digest=same), BY, NOW)).job == "J3"


async def test_two_who_receive_the_same_file_at_once_get_one_job(scene: Scene) -> None:
    """The second finds the first's."""
    same = new_job("J1").digest
    jobs = await asyncio.gather(
        *(scene.ledger.receive(new_job(f"J{n}", digest=same), BY, NOW) for n in range(1, 9))
    )
    assert len({job.job for job in jobs}) == 1


async def test_an_id_is_given_once(scene: Scene) -> None:
    """Another file under a job's id is a conflict."""
    await scene.ledger.receive(new_job("J1"), BY, NOW)
    with pytest.raises(Conflict):
        await scene.ledger.receive(new_job("J1", digest="f" * 64), BY, NOW)


async def test_jobs_are_listed_newest_first_and_by_party_and_state(scene: Scene) -> None:
    """The filters are party, states and a limit."""
    await scene.submit("J1")
    await scene.submit("J2", party="P002")
    await scene.ledger.receive(new_job("J3"), BY, NOW)
    assert [job.job for job in await scene.ledger.jobs()] == ["J3", "J2", "J1"]
    assert [job.job for job in await scene.ledger.jobs(party="P001", limit=1)] == ["J3"]
    assert [job.job for job in await scene.ledger.jobs(states=frozenset({JobState.QUEUED}))] == ["J2", "J1"]


async def test_a_job_that_never_was_is_not_found(scene: Scene) -> None:
    """Each verb that names a job says so."""
    for verb in (scene.ledger.resume, scene.ledger.cancel, scene.ledger.erase):
        with pytest.raises(NotFound):
            await verb("J9", BY, NOW)
    with pytest.raises(NotFound):
        await scene.ledger.job("J9")
    with pytest.raises(NotFound):
        await scene.ledger.pause("J9", "", BY, NOW)


async def test_pausing_and_resuming_twice_is_once(scene: Scene) -> None:
    """Repeating either changes nothing and writes no second audit line."""
    await scene.submit()
    for _ in range(2):
        job = await scene.ledger.pause("J1", "ops asked", BY, NOW)
        assert (job.state, job.paused_reason) == (JobState.PAUSED, "ops asked")
    for _ in range(2):
        job = await scene.ledger.resume("J1", BY, NOW)
        assert (job.state, job.paused_reason) == (JobState.QUEUED, "")
    actions = [line.action for line in await scene.ledger.audit(subject="J1")]
    assert actions == ["job.resumed", "job.paused", "job.checked", "job.received"]


async def test_what_has_ended_is_neither_paused_nor_cancelled(scene: Scene) -> None:
    """A finished job stays finished."""
    await scene.submit(lines=(1,))
    await scene.settle("J1.0", {0: ACCEPTED})
    with pytest.raises(Conflict):
        await scene.ledger.pause("J1", "", BY, NOW)
    with pytest.raises(Conflict):
        await scene.ledger.resume("J1", BY, NOW)
    with pytest.raises(Conflict):
        await scene.ledger.cancel("J1", BY, NOW)


async def test_what_is_not_checked_is_not_paused(scene: Scene) -> None:
    """There is nothing to stop yet."""
    await scene.ledger.receive(new_job(), BY, NOW)
    with pytest.raises(Conflict):
        await scene.ledger.pause("J1", "", BY, NOW)


async def test_cancelling_what_nobody_holds_ends_the_job_at_once(scene: Scene) -> None:
    """All pending records are unprocessed, the job is cancelled, and nothing is left to claim or to index."""
    await scene.submit(lines=(2, 3))
    job = await scene.ledger.cancel("J1", BY, NOW + 1)
    assert (job.state, job.finished_at, job.records) == (
        JobState.CANCELLED,
        NOW + 1,
        RecordCounts(unprocessed=5),
    )
    assert await scene.states() == ["xx", "xxx"]
    assert await scene.ledger.claim(lease(), NOW) is None
    assert [part async for part in scene.ledger.index_parts(REGISTRY, "P001", "J9")] == []


async def test_cancelling_leaves_what_a_session_holds_unknown_until_it_tells(scene: Scene) -> None:
    """Lines in hand are unknown; those that were not sent become unprocessed when the session gives back."""
    await scene.submit(lines=(3, 2))
    await scene.claim(1)
    job = await scene.ledger.cancel("J1", BY, NOW)
    assert (job.state, job.records) == (JobState.CANCELLING, RecordCounts(unknown=3, unprocessed=2))
    settled = await scene.settle("J1.0", {0: ACCEPTED})
    assert settled.job_state is JobState.CANCELLING
    await scene.ledger.give_back("J1.0", 1, [1], NOW)
    assert await scene.states() == ["aux", "xx"]
    assert (await scene.ledger.job("J1")).state is JobState.CANCELLING
    assert await scene.is_counted_right("J1")


async def test_unknown_records_of_a_cancelled_job_are_still_asked_about(scene: Scene) -> None:
    """Their slice is claimable; one that the registrar does not have is unprocessed, and the last answer ends the job."""
    await scene.submit(lines=(2,))
    await scene.claim(1)
    await scene.ledger.give_back("J1.0", 1, [0, 1], NOW)
    await scene.ledger.cancel("J1", BY, NOW)
    assert (await scene.claim(2)).states == b"uu"
    await scene.settle("J1.0", {0: PENDING})
    assert await scene.states() == ["xu"]
    assert (await scene.settle("J1.0", {1: ACCEPTED})).job_state is JobState.CANCELLED


async def test_a_session_that_dies_while_its_job_is_cancelled_leaves_unknown_what_it_may_have_sent(
    scene: Scene,
) -> None:
    """Below the watermark unknown, the rest unprocessed; with idempotency all of it unknown."""
    await scene.submit("J1", lines=(3,))
    await scene.submit("J2", lines=(3,), party="P002")
    await scene.claim(1)
    await scene.ledger.mark_sent("J1.0", 1, 1, NOW)
    await scene.ledger.cancel("J1", BY, NOW)
    await scene.ledger.rescue(REGISTRY, frozenset(), NOW, idempotent=False)
    assert await scene.states("J1") == ["uxx"]
    await scene.claim(2, party="P002")
    await scene.ledger.cancel("J2", BY, NOW)
    await scene.ledger.rescue(REGISTRY, frozenset(), NOW, idempotent=True)
    assert await scene.states("J2") == ["uuu"]


async def test_cancelling_frees_what_waited_for_the_job(scene: Scene) -> None:
    """A slice behind a cancelled job's pending records is ready; one behind its unknown records waits on."""
    await scene.submit("J1", lines=(1, 1))
    await scene.submit("J2", lines=(1, 1), waits={0: ("J1.0",), 1: ("J1.1",)})
    await scene.claim(1)
    await scene.ledger.give_back("J1.0", 1, [0], NOW)
    await scene.ledger.cancel("J1", BY, NOW)
    assert await scene.ledger.blockers("J2") == {"J2.0": ["J1"]}
    assert (await scene.claim(2)).slice_id in {"J1.0", "J2.1"}


async def test_a_cancelled_waiting_slice_waits_no_more(scene: Scene) -> None:
    """Cancelling the job that waits forgets its waiting, and frees whoever waits for it."""
    await scene.submit("J1", lines=(1,))
    await scene.submit("J2", lines=(1,), waits={0: ("J1.0",)})
    await scene.submit("J3", lines=(1,), waits={0: ("J2.0",)}, priority=1)
    await scene.ledger.cancel("J2", BY, NOW)
    assert await scene.ledger.blockers("J2") == {}
    assert (await scene.claim(1)).slice_id == "J3.0"


async def test_jobs_behind_people_are_named_however_far(scene: Scene) -> None:
    """Behind a paused job or a doubtful record, also at one remove; not behind a job that goes on by itself."""
    await scene.submit("J1", lines=(1,))
    await scene.submit("J2", lines=(1,), waits={0: ("J1.0",)})
    await scene.submit("J3", lines=(1,), waits={0: ("J2.0",)})
    assert await scene.ledger.stuck_jobs(REGISTRY) == frozenset()
    await scene.ledger.pause("J1", "a look", BY, NOW)
    assert await scene.ledger.stuck_jobs(REGISTRY) == {"J2", "J3"}
    assert await scene.ledger.stuck_jobs("other") == frozenset()
    await scene.ledger.resume("J1", BY, NOW)
    await scene.claim(1)
    await scene.settle("J1.0", {0: UNKNOWN})
    await scene.settle("J1.0", {0: DOUBTFUL})
    assert await scene.ledger.stuck_jobs(REGISTRY) == {"J2", "J3"}


async def test_cancelling_keeps_doubtful_records_listed(scene: Scene) -> None:
    """People still answer for them; they keep their place in the blind index."""
    await scene.submit(lines=(2,))
    await scene.settle("J1.0", {0: UNKNOWN})
    await scene.settle("J1.0", {0: DOUBTFUL})
    assert (await scene.ledger.cancel("J1", BY, NOW)).state is JobState.CANCELLED
    assert await scene.states() == ["dx"]
    assert len([part async for part in scene.ledger.index_parts(REGISTRY, "P001", "J9")]) == 1


async def test_cancelling_twice_is_once(scene: Scene) -> None:
    """A cancelled job is returned as it is."""
    await scene.submit()
    first = await scene.ledger.cancel("J1", BY, NOW)
    assert await scene.ledger.cancel("J1", BY, NOW + 9) == first


async def test_a_job_that_is_being_checked_can_be_cancelled(scene: Scene) -> None:
    """What the check has stored is dropped, and its end changes nothing any more."""
    await scene.ledger.receive(new_job(), BY, NOW)
    ticket = await scene.check("J1")
    await scene.ledger.accept("J1", [scene.draft("J1", 0, 2)], [], NOW)
    job = await scene.ledger.cancel("J1", BY, NOW)
    assert (job.state, job.records.total, await scene.states()) == (JobState.CANCELLED, 0, [])
    assert not await scene.ledger.keep_check(ticket, NOW)
    with pytest.raises(Conflict):
        await scene.ledger.accept("J1", [scene.draft("J1", 1, 2)], [], NOW)


async def test_a_paused_job_ends_when_its_last_answers_come(scene: Scene) -> None:
    """Pausing does not keep a job open that has nothing left to send."""
    await scene.submit(lines=(1,))
    await scene.claim()
    await scene.ledger.pause("J1", "ops", BY, NOW)
    assert (await scene.settle("J1.0", {0: ACCEPTED})).job_state is JobState.FINISHED
