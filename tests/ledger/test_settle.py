"""Settling outcomes, and people's answers."""

import pytest

from domain.errors import Conflict, NotFound
from domain.jobs import Outcome, Settlement
from domain.states import JobState, RecordState
from ledger.boxes import open_outcomes
from tests.ledger.scene import ACCEPTED, BY, DOUBTFUL, NOW, PENDING, REGISTRY, REJECTED, UNKNOWN, Scene, lease


async def test_the_last_outcome_finishes_slice_and_job(scene: Scene) -> None:
    """Settled lines count at once; the job ends with its last record and says when."""
    await scene.submit(lines=(2,))
    await scene.claim()
    first = await scene.settle("J1.0", {0: ACCEPTED})
    assert (first.moved, first.slice_done, first.job_state) == (1, False, JobState.RUNNING)
    last = await scene.settle("J1.0", {1: REJECTED}, NOW + 5)
    assert (last.moved, last.slice_done, last.job_state) == (1, True, JobState.FINISHED)
    job = await scene.ledger.job("J1")
    assert (job.records.accepted, job.records.rejected, job.finished_at) == (1, 1, NOW + 5)
    assert await scene.ledger.backlog(REGISTRY, NOW) == []


async def test_settling_twice_changes_nothing_and_stores_nothing(scene: Scene) -> None:
    """A repeated settlement moves no line and leaves no second row."""
    await scene.submit(lines=(2,))
    await scene.claim()
    await scene.settle("J1.0", {0: ACCEPTED})
    assert (await scene.settle("J1.0", {0: ACCEPTED})).moved == 0
    assert len([one async for one in scene.ledger.outcomes("J1")]) == 1


async def test_what_was_accepted_stays_accepted(scene: Scene) -> None:
    """No later word moves an accepted or a rejected line."""
    await scene.submit(lines=(2, 1))
    await scene.claim()
    await scene.settle("J1.0", {0: ACCEPTED, 1: REJECTED})
    for state in RecordState:
        assert (await scene.settle("J1.0", {0: state, 1: state})).moved == 0
    assert (await scene.states())[0] == "ar"


async def test_an_answer_counts_after_the_claim_is_gone(scene: Scene) -> None:
    """Settling is not fenced: a late answer of an old holder is still a fact."""
    await scene.submit(lines=(2,))
    await scene.claim(1)
    await scene.ledger.rescue(REGISTRY, frozenset(), NOW, idempotent=True)
    await scene.claim(2)
    assert (await scene.settle("J1.0", {0: ACCEPTED})).moved == 1
    await scene.ledger.give_back("J1.0", 2, [], NOW)
    assert await scene.states() == ["au"]


async def test_many_settlements_are_one_commit_and_answered_in_order(scene: Scene) -> None:
    """One call settles several slices of several jobs, one of them twice, and answers each."""
    await scene.submit("J1", lines=(2,))
    await scene.submit("J2", lines=(1,), party="P002")
    settled = await scene.ledger.settle(
        [
            Settlement("J1.0", (Outcome(0, ACCEPTED),)),
            Settlement("J2.0", (Outcome(0, ACCEPTED),)),
            Settlement("J1.0", (Outcome(0, ACCEPTED), Outcome(1, REJECTED))),
            Settlement("J9.0", (Outcome(0, ACCEPTED),)),
        ],
        NOW,
    )
    assert [one.moved for one in settled] == [1, 1, 1, 0]
    assert [one.slice_done for one in settled] == [True, True, True, True]
    assert {(await scene.ledger.job(job)).state for job in ("J1", "J2")} == {JobState.FINISHED}


async def test_the_words_of_an_outcome_lie_sealed(scene: Scene) -> None:
    """One sealed row a settlement opens with the job's key and holds what moved, and only that."""
    await scene.submit(lines=(3,))
    await scene.claim()
    refused = Outcome(
        0, REJECTED, code="not-found", field="member_no", message_th="ไม่พบ", message_en="not found"
    )
    await scene.ledger.settle([Settlement("J1.0", (refused, Outcome(7, ACCEPTED)))], NOW + 1)
    (stored,) = [one async for one in scene.ledger.outcomes("J1")]
    assert b"not found" not in stored.box
    assert stored.settled_at == NOW + 1
    box = open_outcomes(stored.box, scene.keys.sealer("J1"), "P001", "J1", stored.slice_id, stored.batch)
    assert box.outcomes == (refused,)


async def test_an_unknown_record_that_the_registrar_does_not_have_is_pending_again(scene: Scene) -> None:
    """`absent` makes an unknown line pending, and it is claimed again in time."""
    await scene.submit(lines=(2,))
    await scene.claim(1)
    await scene.ledger.give_back("J1.0", 1, [0, 1], NOW)
    await scene.claim(2)
    assert (await scene.settle("J1.0", {0: PENDING})).moved == 1
    assert await scene.is_counted_right("J1")
    await scene.ledger.give_back("J1.0", 2, [], NOW)
    assert (await scene.claim(3)).states == b"pu"


async def test_a_slice_that_is_reopened_waits_for_what_it_waited_for(scene: Scene) -> None:
    """Nothing of it was left while it waited; sent again, it must not overtake the records of the same person before it."""
    await scene.submit("J1", lines=(1,))
    await scene.submit("J2", lines=(1,), waits={0: ("J1.0",)})
    await scene.settle("J2.0", {0: UNKNOWN})
    await scene.settle("J2.0", {0: DOUBTFUL})
    await scene.ledger.resolve("J2", "J2.0", 0, None, BY, NOW)
    assert (await scene.claim(1)).slice_id == "J1.0"
    assert await scene.ledger.claim(lease(2), NOW) is None
    assert await scene.is_counted_right("J2")
    await scene.settle("J1.0", {0: ACCEPTED})
    assert (await scene.claim(3)).slice_id == "J2.0"


async def test_an_outcome_for_a_line_that_is_not_there_is_ignored(scene: Scene) -> None:
    """Neither a line beyond the end nor one below the beginning moves anything."""
    await scene.submit(lines=(2,))
    assert (await scene.settle("J1.0", {-1: ACCEPTED, 2: ACCEPTED})).moved == 0


async def test_a_late_answer_moves_an_unprocessed_record(scene: Scene) -> None:
    """What was given up with its job may turn out to have been recorded."""
    await scene.submit(lines=(2,))
    await scene.claim()
    await scene.ledger.cancel("J1", BY, NOW)
    await scene.ledger.give_back("J1.0", 1, [], NOW)
    assert await scene.states() == ["xx"]
    late = await scene.settle("J1.0", {1: ACCEPTED})
    assert (late.moved, late.job_state) == (1, JobState.CANCELLED)
    assert await scene.is_counted_right("J1")


async def test_a_doubtful_record_does_not_keep_its_job_open(scene: Scene) -> None:
    """A job is finished when nothing is pending or unknown; doubtful records stay listed."""
    await scene.submit(lines=(2,))
    await scene.claim()
    await scene.settle("J1.0", {0: ACCEPTED, 1: UNKNOWN})
    assert (await scene.settle("J1.0", {1: DOUBTFUL})).job_state is JobState.FINISHED
    (listed,) = await scene.ledger.unsettled("J1", "doubtful")
    assert (listed.slice_id, listed.line, listed.job_state) == ("J1.0", 1, JobState.FINISHED)
    assert await scene.ledger.unsettled("J1", "unknown") == []


async def test_people_answer_for_a_doubtful_record(scene: Scene) -> None:
    """Their outcome is sealed like any other and stands in the audit with its reason."""
    await scene.submit(lines=(1,))
    await scene.settle("J1.0", {0: UNKNOWN})
    await scene.settle("J1.0", {0: DOUBTFUL})
    outcome = Outcome(0, ACCEPTED, by="people")
    job = await scene.ledger.resolve("J1", "J1.0", 0, outcome, BY, NOW, reason="seen in their list")
    assert (job.records.accepted, job.records.doubtful) == (1, 0)
    (line,) = await scene.ledger.audit(limit=1)
    assert (line.action, line.who, line.detail["reason"]) == ("record.resolved", BY.who, "seen in their list")


async def test_people_have_a_doubtful_record_sent_again(scene: Scene) -> None:
    """The finished job is queued anew, with that one line to send."""
    await scene.submit(lines=(2,))
    await scene.claim(1)
    await scene.settle("J1.0", {0: ACCEPTED, 1: UNKNOWN})
    await scene.settle("J1.0", {1: DOUBTFUL})
    job = await scene.ledger.resolve("J1", "J1.0", 1, None, BY, NOW)
    assert (job.state, job.finished_at, job.records.pending) == (JobState.QUEUED, None, 1)
    assert (await scene.claim(2)).states == b"ap"
    assert (await scene.settle("J1.0", {1: ACCEPTED})).job_state is JobState.FINISHED


@pytest.mark.parametrize("outcome", [None, Outcome(0, ACCEPTED)])
async def test_only_unknown_and_doubtful_records_are_resolved(scene: Scene, outcome: Outcome | None) -> None:
    """A pending or a settled record is not people's to answer."""
    await scene.submit(lines=(2,))
    await scene.settle("J1.0", {1: ACCEPTED})
    for line in (0, 1):
        with pytest.raises(Conflict):
            await scene.ledger.resolve("J1", "J1.0", line, outcome, BY, NOW)


async def test_resolving_names_a_record_that_is_there(scene: Scene) -> None:
    """Another job's slice, a line beyond the end and a slice that never was are not found."""
    await scene.submit("J1", lines=(1,))
    await scene.submit("J2", lines=(1,))
    for slice_id, line in (("J2.0", 0), ("J1.0", 1), ("J1.7", 0)):
        with pytest.raises(NotFound):
            await scene.ledger.resolve("J1", slice_id, line, None, BY, NOW)


async def test_people_do_not_answer_doubtful_with_doubtful(scene: Scene) -> None:
    """An answer says accepted or rejected."""
    await scene.submit(lines=(1,))
    await scene.settle("J1.0", {0: UNKNOWN})
    with pytest.raises(Conflict):
        await scene.ledger.resolve("J1", "J1.0", 0, Outcome(0, DOUBTFUL), BY, NOW)


async def test_nothing_of_a_cancelled_job_is_sent_again(scene: Scene) -> None:
    """An unknown record of a job that is being cancelled may be answered, not resent."""
    await scene.submit(lines=(1,))
    await scene.claim()
    await scene.ledger.give_back("J1.0", 1, [0], NOW)
    await scene.ledger.cancel("J1", BY, NOW)
    with pytest.raises(Conflict):
        await scene.ledger.resolve("J1", "J1.0", 0, None, BY, NOW)
    job = await scene.ledger.resolve("J1", "J1.0", 0, Outcome(0, REJECTED), BY, NOW)
    assert job.state is JobState.CANCELLED
    assert await scene.ledger.claim(lease(2), NOW) is None


async def test_outcomes_of_a_shredded_job_keep_their_state_and_lose_their_words(scene: Scene) -> None:
    """A late answer after erasure moves the line; nothing is sealed with a key that is gone."""
    await scene.submit(lines=(1,))
    await scene.claim()
    await scene.ledger.cancel("J1", BY, NOW)
    await scene.ledger.give_back("J1.0", 1, [], NOW)
    await scene.ledger.erase("J1", BY, NOW)
    assert (await scene.settle("J1.0", {0: ACCEPTED})).moved == 1
    assert [one async for one in scene.ledger.outcomes("J1")] == []
