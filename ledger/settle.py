"""Settling: what became of records. Idempotent, monotone and not fenced: a late answer of an old holder is still a fact."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, insert, select

from domain.errors import Conflict, NotFound
from domain.jobs import By, Outcome, Settled, Settlement
from domain.states import JobState, RecordState, SliceState
from ledger.audit import note
from ledger.boxes import OutcomeBox, seal_outcomes
from ledger.changes import SliceRow, load, save
from ledger.driver import HotStatement
from ledger.keystore import KeyStore
from ledger.lines import DOUBTFUL, PENDING, UNKNOWN
from ledger.locks import lock_jobs
from ledger.tables import jobs, outcomes

_INSERT = HotStatement(
    insert(outcomes).values(
        {name: bindparam(name) for name in ("job", "slice_id", "batch", "box", "settled_at")}
    )
)
_LAST_BATCH = HotStatement(
    select(func.coalesce(func.max(outcomes.c.batch), 0)).where(outcomes.c.slice_id == bindparam("at_slice"))
)


def settle(
    connection: Connection, settlements: Sequence[Settlement], keys: KeyStore, now: int
) -> Sequence[Settled]:
    """Commit outcomes; answers in the order given. A slice that is gone (its check was begun anew) counts as done with."""
    rows = load(connection, [one.slice_id for one in settlements])
    moved = [_apply(rows.get(one.slice_id), one) for one in settlements]
    store(
        connection,
        [(rows[one.slice_id], kept) for one, kept in zip(settlements, moved, strict=True) if kept],
        keys,
        now,
    )
    touched = {one.slice_id for one, kept in zip(settlements, moved, strict=True) if kept}
    states = save(connection, [rows[slice_id] for slice_id in sorted(touched)], now)
    return [
        _told(rows.get(one.slice_id), len(kept), states) for one, kept in zip(settlements, moved, strict=True)
    ]


def store(
    connection: Connection, kept: Sequence[tuple[SliceRow, Sequence[Outcome]]], keys: KeyStore, now: int
) -> None:
    """Write one sealed row a settlement. Outcomes of a job whose key is destroyed leave no words, only their states."""
    last: dict[str, int] = {}
    for row, moved in kept:
        worth = [one for one in moved if one.state is not RecordState.PENDING]
        if not worth:
            continue
        try:
            sealer = keys.sealer(row.job)
        except NotFound:
            continue
        if row.slice_id not in last:
            last[row.slice_id] = _LAST_BATCH.first(connection, at_slice=row.slice_id)[0]
        batch = last[row.slice_id] = last[row.slice_id] + 1
        box = seal_outcomes(OutcomeBox(tuple(worth)), sealer, row.party, row.job, row.slice_id, batch)
        _INSERT.change(connection, job=row.job, slice_id=row.slice_id, batch=batch, box=box, settled_at=now)


def resolve(
    connection: Connection,
    job: str,
    slice_id: str,
    line: int,
    outcome: Outcome | None,
    reason: str,
    keys: KeyStore,
    by: By,
    now: int,
) -> None:
    """Write people's answer for an unknown or doubtful record; None sends it again with the same key, reopening a finished job."""
    row = load(connection, [slice_id]).get(slice_id)
    lock_jobs(connection, job)
    if row is None or row.job != job or not 0 <= line < len(row.lines.letters):
        raise NotFound(
            f"Job {job} has no such record.",
            message_th=f"งาน {job} ไม่มีรายการนี้",
            remedy_en=f"`pratunam records doubtful {job}` and `records unknown {job}` list them.",
            remedy_th=f"ดูรายการด้วย `pratunam records doubtful {job}` และ `records unknown {job}`",
        )
    if row.lines.letters[line] not in (UNKNOWN, DOUBTFUL):
        raise Conflict(
            "Only unknown and doubtful records are resolved by people.",
            message_th="แก้ไขได้เฉพาะรายการที่ไม่ทราบผลหรือมีข้อสงสัยเท่านั้น",
            remedy_en=f"`pratunam records doubtful {job}` and `records unknown {job}` list them.",
            remedy_th=f"ดูรายการด้วย `pratunam records doubtful {job}` และ `records unknown {job}`",
        )
    if outcome is None:
        _send_again(connection, row, line)
    elif outcome.state in (RecordState.ACCEPTED, RecordState.REJECTED):
        row.lines.move(line, outcome.state.value)
        store(connection, [(row, [outcome])], keys, now)
    else:
        raise Conflict(
            "People answer accepted or rejected, or have it sent again.",
            message_th="ตอบได้เพียงรับแล้ว ปฏิเสธ หรือส่งใหม่",
            remedy_en="pratunam records resolve ID ROW --as accepted|rejected|resend --reason TEXT",
            remedy_th="pratunam records resolve ID ROW --as accepted|rejected|resend --reason TEXT",
        )
    answer = "resend" if outcome is None else outcome.state.name.lower()
    note(
        connection,
        "record.resolved",
        job,
        {"slice": slice_id, "line": line, "as": answer, "reason": reason},
        by,
        now,
    )
    save(connection, [row], now)


def _send_again(connection: Connection, row: SliceRow, line: int) -> None:
    erased_at = connection.execute(select(jobs.c.erased_at).where(jobs.c.job == row.job)).scalar()
    if row.is_stopping or erased_at is not None:
        raise Conflict(
            "The job was cancelled or erased: nothing of it is sent again.",
            message_th="งานนี้ถูกยกเลิกหรือลบแล้ว จึงไม่มีการส่งซ้ำ",
            remedy_en="Answer accepted or rejected, or submit the record in a new file.",
            remedy_th="ตอบว่ารับแล้วหรือปฏิเสธ หรือส่งรายการนี้ในแฟ้มใหม่",
        )
    row.lines.move(line, PENDING)
    if row.job_state is JobState.FINISHED:
        connection.execute(
            jobs.update().where(jobs.c.job == row.job).values(state=JobState.QUEUED, finished_at=None)
        )


def _apply(row: SliceRow | None, settlement: Settlement) -> list[Outcome]:
    return [] if row is None else row.lines.settle(settlement.outcomes, stopping=row.is_stopping)


def _told(row: SliceRow | None, moved: int, states: dict[str, JobState]) -> Settled:
    if row is None:
        return Settled(0, slice_done=True, job_state=JobState.CANCELLED)
    return Settled(moved, row.state is SliceState.SETTLED, states.get(row.job, row.job_state))
