"""Erasure: the key goes first, then the contents."""

from pathlib import Path

import pytest

from domain.errors import Conflict, NotFound
from domain.jobs import InvalidDraft, Outcome, Settlement
from domain.states import JobState
from ledger import retention
from ledger.protocols import Ledger
from ledger.retention import DAY_MS
from ledger.values import CheckResult
from ledger.verbs import SqlLedger
from tests.ledger.scene import ACCEPTED, BY, DOUBTFUL, NOW, UNKNOWN, Scene, new_job, policy, policy_draft


async def finished(scene: Scene) -> None:
    """A finished job with a slice, an outcome and an invalid batch whose boxes are told by their bytes."""
    await scene.ledger.receive(new_job(), BY, NOW)
    ticket = await scene.check("J1")
    draft = scene.draft("J1", 0, 2)
    await scene.ledger.accept("J1", [draft], [InvalidDraft(0, 1, b"INVALID-BOX" * 40)], NOW)
    await scene.ledger.finish_check(ticket, CheckResult(3, 1, 2, {}), BY, NOW)
    answers = tuple(Outcome(line, ACCEPTED, message_en="words") for line in (0, 1))
    await scene.ledger.settle([Settlement("J1.0", answers)], NOW)


async def test_an_erased_job_keeps_its_counts_and_nothing_else(scene: Scene) -> None:
    """Key, records, outcomes, faults and index are gone; states and numbers stay."""
    await finished(scene)
    for _ in range(2):
        job = await scene.ledger.erase("J1", BY, NOW + 5)
        assert (job.state, job.erased_at, job.rows, job.records.accepted) == (
            JobState.FINISHED,
            NOW + 5,
            3,
            2,
        )
    with pytest.raises(NotFound):
        scene.keys.sealer("J1")
    assert [one.box async for one in scene.ledger.slices("J1")] == [b""]
    assert [one async for one in scene.ledger.outcomes("J1")] == []
    assert [one async for one in scene.ledger.invalid("J1")] == []
    assert [line.action for line in await scene.ledger.audit(subject="J1")].count("job.erased") == 1


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
async def test_erased_bytes_are_in_no_file(scene: Scene, tmp_path: Path) -> None:
    """Neither the ledger nor its write-ahead log holds the sealed boxes any more."""
    await finished(scene)
    box = next(iter([one.box async for one in scene.ledger.slices("J1")]))
    files = [tmp_path / "home" / name for name in ("ledger.db", "ledger.db-wal")]
    assert any(box in file.read_bytes() for file in files)
    await scene.ledger.erase("J1", BY, NOW)
    for planted in (box, b"INVALID-BOX"):
        assert not any(planted in file.read_bytes() for file in files)


async def test_what_is_pending_or_unknown_is_not_erased(scene: Scene) -> None:
    """The job must have ended."""
    await scene.ledger.receive(new_job("J2"), BY, NOW)
    await scene.submit("J1", lines=(1,))
    for job in ("J1", "J2"):
        with pytest.raises(Conflict):
            await scene.ledger.erase(job, BY, NOW)
    await scene.settle("J1.0", {0: UNKNOWN})
    with pytest.raises(Conflict):
        await scene.ledger.erase("J1", BY, NOW)
    scene.keys.sealer("J1")


async def test_an_erased_doubtful_record_is_still_answered_and_never_sent(scene: Scene) -> None:
    """Its words are gone, so it cannot be sent again; people may still say what became of it."""
    await scene.submit(lines=(1,))
    await scene.settle("J1.0", {0: UNKNOWN})
    await scene.settle("J1.0", {0: DOUBTFUL})
    await scene.ledger.erase("J1", BY, NOW)
    with pytest.raises(Conflict):
        await scene.ledger.resolve("J1", "J1.0", 0, None, BY, NOW)
    job = await scene.ledger.resolve("J1", "J1.0", 0, Outcome(0, ACCEPTED), BY, NOW)
    assert job.records.accepted == 1


async def test_retention_is_the_policy_s(scene: Scene) -> None:
    """A job is due so many days after it ended, and no more once it is erased."""
    await scene.ledger.apply_policy(policy_draft(policy("P001", results_days=2)), BY, NOW)
    await finished(scene)
    await scene.submit("J2")
    assert await scene.ledger.due_for_erasure(NOW + 2 * DAY_MS - 1) == []
    assert await scene.ledger.due_for_erasure(NOW + 2 * DAY_MS) == ["J1"]
    await scene.ledger.erase("J1", BY, NOW)
    assert await scene.ledger.due_for_erasure(NOW + 9 * DAY_MS) == []


async def test_an_erasure_that_was_cut_short_is_due_again(ledger: Ledger, scene: Scene) -> None:
    """A crash between the decision and the last byte is made good."""
    await finished(scene)
    assert isinstance(ledger, SqlLedger)
    await ledger.engine.write(retention.mark_erased, "J1", BY, NOW)
    assert await ledger.due_for_erasure(NOW) == ["J1"]
    await ledger.erase("J1", BY, NOW)
    assert await ledger.due_for_erasure(NOW) == []


async def test_the_same_file_can_come_again_after_erasure(scene: Scene) -> None:
    """Its results are gone, so the old job is no answer to it."""
    await finished(scene)
    await scene.ledger.erase("J1", BY, NOW)
    again = await scene.ledger.receive(new_job("J2", digest=new_job("J1").digest), BY, NOW)
    assert again.job == "J2"


async def test_a_job_with_doubtful_records_is_kept_until_people_have_answered(scene: Scene) -> None:
    """What they need to answer must not be erased under them."""
    await scene.ledger.apply_policy(policy_draft(policy("P001", results_days=2)), BY, NOW)
    await scene.submit(lines=(1,))
    await scene.claim()
    await scene.settle("J1.0", {0: UNKNOWN})
    await scene.settle("J1.0", {0: DOUBTFUL})
    assert await scene.ledger.due_for_erasure(NOW + 9 * DAY_MS) == []
    await scene.ledger.resolve("J1", "J1.0", 0, Outcome(0, ACCEPTED), BY, NOW)
    assert await scene.ledger.due_for_erasure(NOW + 9 * DAY_MS) == ["J1"]
