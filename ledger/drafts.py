"""What a check has found, stored as it comes: sealed slices, what they wait for, and invalid batches."""

from collections.abc import Sequence

from sqlalchemy import Connection, Row, delete, insert, select

from domain.errors import Conflict
from domain.jobs import InvalidDraft, SliceDraft
from domain.states import JobState, SliceState
from ledger.driver import chunked
from ledger.jobs import job_row
from ledger.lines import PENDING, UNKNOWN
from ledger.locks import keep_slices, lock_jobs
from ledger.restored import asks_first_from
from ledger.tables import invalid_batches, slice_boxes, slice_index, slice_waits, slices
from ledger.values import CheckTicket
from ledger.waits import free_waiters


def accept(
    connection: Connection,
    job: str,
    drafts: Sequence[SliceDraft],
    invalid: Sequence[InvalidDraft],
    ticket: CheckTicket | None = None,
) -> None:
    """Store sealed slices and invalid batches of a job that is being checked; a `seq` that comes again replaces the first.

    Raises Conflict when another try has taken over from `ticket`.
    """
    # what a slice will wait for must not be settled before it is seen to wait
    keep_slices(connection, {blocker for draft in drafts for blocker in draft.waits_for})
    lock_jobs(connection, job)
    row = job_row(connection, job)
    if ticket is not None:
        need_right(row, ticket)
    if row.state != JobState.CHECKING:
        raise Conflict(
            f"Job {job} is not being checked: its slices do not change any more.",
            message_th=f"งาน {job} ไม่ได้อยู่ระหว่างตรวจ จึงเปลี่ยนข้อมูลไม่ได้",
            remedy_en=f"See where it stands: pratunam job show {job}",
            remedy_th=f"ดูสถานะของงาน: pratunam job show {job}",
        )
    delete_slices(connection, [f"{job}.{draft.seq}" for draft in drafts])
    asked_from = asks_first_from(connection, row.number, row.registry, row.submitted_at)
    _store_slices(connection, job, row.registry, drafts, asked_from)
    connection.execute(
        delete(invalid_batches).where(
            invalid_batches.c.job == job, invalid_batches.c.seq.in_([batch.seq for batch in invalid])
        )
    )
    if invalid:
        connection.execute(
            insert(invalid_batches),
            [{"job": job, "seq": one.seq, "rows": one.rows, "box": one.box} for one in invalid],
        )


def need_right(row: Row[tuple[object, ...]], ticket: CheckTicket) -> None:
    """Raise Conflict when the right of `ticket` to check this job is gone."""
    if row.check_attempts != ticket.attempt or row.check_until is None:
        raise Conflict(
            "Another process has taken this check over.",
            message_th="มีกระบวนการอื่นรับช่วงตรวจแฟ้มนี้แล้ว",
            remedy_en="Nothing is to be done: that process brings it to its end.",
            remedy_th="ไม่ต้องดำเนินการใด กระบวนการนั้นจะตรวจจนเสร็จ",
        )


def delete_slices(connection: Connection, ids: Sequence[str]) -> None:
    """Drop slices of a check that has not ended; nothing waits for them any more."""
    for part in chunked(ids):
        free_waiters(connection, part)
        connection.execute(delete(slices).where(slices.c.slice_id.in_(part)))


def _store_slices(
    connection: Connection, job: str, registry: str, drafts: Sequence[SliceDraft], asked_from: int | None
) -> None:
    waits = _standing_waits(connection, job, drafts)
    waiting = {wait["slice_id"] for wait in waits}
    rows, boxes, entries = [], [], []
    for draft in drafts:
        slice_id = f"{job}.{draft.seq}"
        state = SliceState.WAITING if slice_id in waiting else SliceState.READY
        states = _letters(draft, asks_first=asked_from is not None)
        rows.append(
            {
                "slice_id": slice_id, "job": job, "seq": draft.seq, "registry": registry, "lines": draft.lines,
                "states": states, "pending": states.count(PENDING), "unknown": states.count(UNKNOWN), "state": state,
                "not_before": asked_from,
            }
        )  # fmt: skip
        boxes.append({"slice_id": slice_id, "box": draft.box})
        entries.append({"slice_id": slice_id, "entries": draft.index})
    if rows:
        connection.execute(insert(slices), rows)
        connection.execute(insert(slice_boxes), boxes)
        connection.execute(insert(slice_index), entries)
    if waits:
        connection.execute(insert(slice_waits), waits)


def _letters(draft: SliceDraft, *, asks_first: bool) -> str:
    if asks_first:
        return UNKNOWN * draft.lines
    if not draft.joined:
        return PENDING * draft.lines
    joined = frozenset(draft.joined)
    return "".join(UNKNOWN if line in joined else PENDING for line in range(draft.lines))


def _standing_waits(connection: Connection, job: str, drafts: Sequence[SliceDraft]) -> list[dict[str, str]]:
    # a blocker that was settled between reading the index and now blocks nobody
    named = sorted({blocker for draft in drafts for blocker in draft.waits_for})
    standing: set[str] = set()
    for part in chunked(named):
        unsettled = slices.c.pending + slices.c.unknown + slices.c.doubtful > 0
        query = select(slices.c.slice_id).where(slices.c.slice_id.in_(part), unsettled, slices.c.job != job)
        standing.update(connection.execute(query).scalars())
    return [
        {"slice_id": f"{job}.{draft.seq}", "blocker": blocker}
        for draft in drafts
        for blocker in sorted(set(draft.waits_for) & standing)
    ]
