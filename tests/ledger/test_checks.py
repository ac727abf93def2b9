"""Checking a file, as the ledger sees it."""

from dataclasses import replace

import pytest

from domain.errors import Conflict
from domain.jobs import InvalidDraft, RecordCounts
from domain.states import JobState
from ledger.values import CheckResult, CheckTicket
from tests.ledger.scene import ACCEPTED, BY, MINUTE, NOW, REGISTRY, Scene, lease, new_job


async def test_one_process_checks_a_file(scene: Scene) -> None:
    """The right to check is given once, and once more only when its holder has been silent too long."""
    await scene.ledger.receive(new_job(), BY, NOW)
    assert await scene.check("J1") == CheckTicket("J1", 1)
    assert await scene.ledger.begin_check("J1", NOW + MINUTE - 1) is None
    assert await scene.ledger.begin_check("J1", NOW + MINUTE) == CheckTicket("J1", 2)


async def test_a_check_that_is_kept_alive_is_not_taken_over(scene: Scene) -> None:
    """Each sign of life counts from its own time; after a take-over the old holder hears it."""
    await scene.ledger.receive(new_job(), BY, NOW)
    ticket = await scene.check("J1")
    assert await scene.ledger.keep_check(ticket, NOW + 50_000)
    assert await scene.ledger.begin_check("J1", NOW + MINUTE) is None
    assert await scene.ledger.begin_check("J1", NOW + 50_000 + MINUTE) is not None
    assert not await scene.ledger.keep_check(ticket, NOW + 2 * MINUTE)


async def test_the_third_crash_refuses_the_file(scene: Scene) -> None:
    """Three tries that ended without a word: the job is refused with a message in both languages and a remedy."""
    await scene.ledger.receive(new_job(), BY, NOW)
    for crash in range(3):
        await scene.check("J1", NOW + crash * MINUTE)
    assert await scene.ledger.begin_check("J1", NOW + 3 * MINUTE) is None
    job = await scene.ledger.job("J1")
    assert (job.state, job.check_attempts) == (JobState.REFUSED, 3)
    assert "3 times" in job.fault_en
    assert "CSV UTF-8" in job.fault_en
    assert "3 ครั้ง" in job.fault_th


async def test_a_new_try_drops_what_the_crashed_one_left(scene: Scene) -> None:
    """Slices, invalid rows and waits of the crashed try are gone, however many there were."""
    await scene.submit("J0", lines=(1,))
    await scene.ledger.receive(new_job(), BY, NOW)
    await scene.check("J1")
    drafts = [scene.draft("J1", seq, 1, waits_for=("J0.0",)) for seq in range(90)]
    await scene.ledger.accept("J1", drafts, [InvalidDraft(0, 5, b"x")], NOW)
    await scene.check("J1", NOW + MINUTE)
    assert await scene.states("J1") == []
    assert [one async for one in scene.ledger.invalid("J1")] == []
    assert await scene.ledger.blockers("J1") == {}


async def test_a_finished_check_queues_the_job(scene: Scene) -> None:
    """Rows, invalid rows, records and faults are on the job."""
    job = await scene.submit(lines=(60, 40), invalid=1)
    assert (job.state, job.rows, job.invalid, job.records) == (
        JobState.QUEUED,
        101,
        1,
        RecordCounts(pending=100),
    )
    assert job.faults == {"bad-id": 1}


async def test_too_many_invalid_rows_pause_the_job(scene: Scene) -> None:
    """More than the allowed share: it waits for people; exactly that share goes on."""
    assert (await scene.submit("J1", lines=(19,), invalid=1)).state is JobState.QUEUED
    paused = await scene.submit("J2", lines=(18,), invalid=1)
    assert paused.state is JobState.PAUSED
    assert "1 of 19" in paused.paused_reason
    assert paused.paused_reason_th == "มีแถวที่ไม่ผ่านการตรวจ 1 จาก 19 แถว เกินร้อยละ 5"
    assert (await scene.ledger.resume("J2", BY, NOW)).state is JobState.QUEUED


async def test_a_file_without_a_good_row_is_finished(scene: Scene) -> None:
    """There is nothing to send; its invalid rows can be fetched."""
    job = await scene.submit(lines=(), invalid=4)
    assert (job.state, job.rows, job.invalid, job.finished_at) == (JobState.FINISHED, 4, 4, NOW)
    assert [one.rows async for one in scene.ledger.invalid("J1")] == [4]


async def test_a_slice_that_comes_again_replaces_the_first(scene: Scene) -> None:
    """Repeating a `seq` while the job is being checked neither doubles nor mixes."""
    await scene.ledger.receive(new_job(), BY, NOW)
    ticket = await scene.check("J1")
    await scene.ledger.accept("J1", [scene.draft("J1", 0, 2)], [InvalidDraft(0, 1, b"a")], NOW)
    await scene.ledger.accept("J1", [scene.draft("J1", 0, 3)], [InvalidDraft(0, 2, b"b")], NOW)
    job = await scene.ledger.finish_check(ticket, CheckResult(5, 2, 3, {}), BY, NOW)
    assert (job.records.pending, await scene.states()) == (3, ["ppp"])


async def test_a_result_that_is_not_what_is_stored_is_refused(scene: Scene) -> None:
    """Rows that were lost between check and ledger are noticed before anything is sent."""
    await scene.ledger.receive(new_job(), BY, NOW)
    ticket = await scene.check("J1")
    await scene.ledger.accept("J1", [scene.draft("J1", 0, 2)], [], NOW)
    for rows, invalid, records in ((3, 0, 3), (3, 1, 2), (1, 0, 2)):
        with pytest.raises(Conflict):
            await scene.ledger.finish_check(ticket, CheckResult(rows, invalid, records, {}), BY, NOW)
    assert (await scene.ledger.job("J1")).state is JobState.CHECKING


async def test_a_check_that_was_taken_over_cannot_end(scene: Scene) -> None:
    """Only the newest try's end counts; repeating that end changes nothing."""
    await scene.ledger.receive(new_job(), BY, NOW)
    old = await scene.check("J1")
    new = await scene.check("J1", NOW + MINUTE)
    await scene.ledger.accept("J1", [scene.draft("J1", 0, 2)], [], NOW)
    with pytest.raises(Conflict):
        await scene.ledger.finish_check(old, CheckResult(2, 0, 2, {}), BY, NOW)
    first = await scene.ledger.finish_check(new, CheckResult(2, 0, 2, {}), BY, NOW)
    assert await scene.ledger.finish_check(new, CheckResult(2, 0, 2, {}), BY, NOW) == first


async def test_notes_of_a_check_stand_on_the_job(scene: Scene) -> None:
    """What the check has to say besides faults is kept in both languages."""
    await scene.ledger.receive(new_job(), BY, NOW)
    ticket = await scene.check("J1")
    result = CheckResult(0, 0, 0, {}, ("2 blank rows",), ("แถวว่าง 2 แถว",))
    job = await scene.ledger.finish_check(ticket, result, BY, NOW)
    assert (job.notes_en, job.notes_th) == (("2 blank rows",), ("แถวว่าง 2 แถว",))


async def test_nothing_is_claimed_from_a_job_that_is_being_checked(scene: Scene) -> None:
    """Slices are the party's to send only once the whole file has been checked."""
    await scene.ledger.receive(new_job(), BY, NOW)
    await scene.check("J1")
    await scene.ledger.accept("J1", [scene.draft("J1", 0, 2)], [], NOW)
    assert await scene.ledger.claim(lease(), NOW) is None
    assert await scene.ledger.backlog(REGISTRY, NOW) == []


async def test_a_refused_file_says_why(scene: Scene) -> None:
    """Refusing ends the job once; a job that has been checked cannot be refused."""
    await scene.ledger.receive(new_job("J1"), BY, NOW)
    for _ in range(2):
        job = await scene.ledger.refuse("J1", "no header", "ไม่มีหัวตาราง", BY, NOW)
        assert (job.state, job.fault_en, job.fault_th) == (JobState.REFUSED, "no header", "ไม่มีหัวตาราง")
    assert await scene.ledger.begin_check("J1", NOW) is None
    await scene.submit("J2")
    with pytest.raises(Conflict):
        await scene.ledger.refuse("J2", "late", "สาย", BY, NOW)


async def test_the_index_step_goes_in_the_order_of_taking_in(scene: Scene) -> None:
    """A later file of the party waits for the earlier one's check to end; another party's does not."""
    for job, party in (("J1", "P001"), ("J2", "P001"), ("J3", "P002")):
        await scene.ledger.receive(new_job(job, party), BY, NOW)
    ticket = await scene.check("J2")
    await scene.check("J3")
    assert not await scene.ledger.begin_index("P001", REGISTRY, "J1", NOW)
    assert not await scene.ledger.begin_index("P001", REGISTRY, "J2", NOW)
    assert await scene.ledger.begin_index("P002", REGISTRY, "J3", NOW)
    await scene.check("J1")
    assert not await scene.ledger.begin_index("P001", REGISTRY, "J2", NOW)
    for _ in range(2):
        assert await scene.ledger.begin_index("P001", REGISTRY, "J1", NOW)
    await scene.ledger.finish_check(CheckTicket("J1", 1), CheckResult(0, 0, 0, {}), BY, NOW)
    assert await scene.ledger.begin_index("P001", REGISTRY, ticket.job, NOW)


async def test_the_index_step_keeps_the_check_alive(scene: Scene) -> None:
    """Waiting for one's turn or indexing a long file is not a crash."""
    await scene.ledger.receive(new_job(), BY, NOW)
    await scene.check("J1")
    await scene.ledger.begin_index("P001", REGISTRY, "J1", NOW, lock_ms=3 * MINUTE)
    assert await scene.ledger.begin_check("J1", NOW + 2 * MINUTE) is None


async def test_a_blocker_that_is_settled_already_blocks_nobody(scene: Scene) -> None:
    """Between reading the index and storing the slice, the record before it may have been answered."""
    await scene.submit("J1", lines=(1,))
    await scene.settle("J1.0", {0: ACCEPTED})
    await scene.submit("J2", lines=(1,), waits={0: ("J1.0", "J9.4")})
    assert await scene.ledger.blockers("J2") == {}
    assert (await scene.claim()).slice_id == "J2.0"


async def test_unchecked_jobs_are_named_for_another_ring(scene: Scene) -> None:
    """Received ones and those whose check went silent, oldest first; not those that are being checked or are done."""
    for job in ("J1", "J2", "J3"):
        await scene.ledger.receive(new_job(job), BY, NOW)
    await scene.submit("J4")
    await scene.check("J2")
    assert (await scene.ledger.standing(NOW)).unchecked_jobs == ["J1", "J3"]
    assert (await scene.ledger.standing(NOW + MINUTE)).unchecked_jobs == ["J1", "J2", "J3"]


async def test_a_check_that_lost_its_right_stores_nothing(scene: Scene) -> None:
    """What a frozen checker brings when it wakes is not mixed with the slices of the one that took over."""
    await scene.ledger.receive(new_job(), BY, NOW)
    old = await scene.check("J1")
    new = await scene.check("J1", NOW + MINUTE)
    await scene.ledger.accept("J1", [scene.draft("J1", 0, 2)], (), NOW, ticket=new)
    with pytest.raises(Conflict):
        await scene.ledger.accept("J1", [scene.draft("J1", 0, 4)], (), NOW, ticket=old)
    assert await scene.states("J1") == ["pp"]


async def test_a_stop_that_was_asked_for_is_no_crash(scene: Scene) -> None:
    """However often a worker is stopped politely in the middle of a check, the next begins at once and the file is not refused."""
    await scene.ledger.receive(new_job(), BY, NOW)
    for _ in range(5):
        ticket = await scene.check("J1")
        assert ticket.attempt == 1
        await scene.ledger.yield_check(ticket, NOW)
        assert (await scene.ledger.standing(NOW)).unchecked_jobs == ["J1"]
        assert not await scene.ledger.keep_check(ticket, NOW)
        assert not await scene.ledger.begin_index("P001", REGISTRY, "J1", NOW)
        with pytest.raises(Conflict):
            await scene.ledger.accept("J1", [scene.draft("J1", 0, 4)], (), NOW, ticket=ticket)


async def test_giving_up_a_right_that_is_gone_changes_nothing(scene: Scene) -> None:
    """The one who took over goes on."""
    await scene.ledger.receive(new_job(), BY, NOW)
    old = await scene.check("J1")
    new = await scene.check("J1", NOW + MINUTE)
    await scene.ledger.yield_check(old, NOW + MINUTE)
    assert await scene.ledger.keep_check(new, NOW + MINUTE)


async def test_a_joined_record_begins_as_unknown(scene: Scene) -> None:
    """Its first copy may have been recorded: whoever gets it must ask before sending; the counters know."""
    await scene.ledger.receive(new_job(), BY, NOW)
    ticket = await scene.check("J1")
    await scene.ledger.accept("J1", [replace(scene.draft("J1", 0, 3), joined=(1,))], (), NOW, ticket=ticket)
    job = await scene.ledger.finish_check(ticket, CheckResult(3, 0, 3, {}), BY, NOW)
    assert (job.records.pending, job.records.unknown) == (2, 1)
    assert await scene.is_counted_right("J1")
    assert (await scene.claim()).states == b"pup"
    await scene.settle("J1.0", dict.fromkeys(range(3), ACCEPTED))
    assert (await scene.ledger.job("J1")).state is JobState.FINISHED
