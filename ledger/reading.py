"""Long reads in parts: slices, outcomes, invalid rows, the blind index and unsettled records. Each part is one short transaction."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from domain.errors import NotFound
from domain.jobs import InvalidDraft
from domain.states import JobState, RecordState
from ledger.jobs import job_row
from ledger.tables import invalid_batches, jobs, outcomes, slice_boxes, slice_index, slices
from ledger.values import IndexPart, StoredOutcomes, StoredSlice, UnsettledRecord

PART = 50
_FILTERS = {"unknown": RecordState.UNKNOWN, "doubtful": RecordState.DOUBTFUL, "pending": RecordState.PENDING}
#: no index of theirs counts: it is not complete yet, or was thrown away
_UNINDEXED = (JobState.RECEIVED, JobState.CHECKING, JobState.REFUSED)


def slices_after(connection: Connection, job: str, after: int) -> Sequence[tuple[int, StoredSlice]]:
    """Return some slices with a higher `seq`, each with where to go on from; an erased job's boxes are empty."""
    query = (
        select(slices.c.slice_id, slices.c.seq, slices.c.lines, slices.c.states, slice_boxes.c.box)
        .join_from(slices, slice_boxes, slices.c.slice_id == slice_boxes.c.slice_id, isouter=True)
        .where(slices.c.job == job, slices.c.seq > after)
        .order_by(slices.c.seq)
        .limit(PART)
    )
    return [
        (row.seq, StoredSlice(row.slice_id, job, row.seq, row.lines, row.box or b"", row.states.encode()))
        for row in connection.execute(query)
    ]


def outcomes_after(connection: Connection, job: str, after: int) -> Sequence[tuple[int, StoredOutcomes]]:
    """Return some settled batches, in order of settling."""
    query = select(outcomes).where(outcomes.c.job == job, outcomes.c.number > after)
    rows = connection.execute(query.order_by(outcomes.c.number).limit(PART * 10))
    return [(row.number, StoredOutcomes(row.slice_id, row.batch, row.box, row.settled_at)) for row in rows]


def invalid_after(connection: Connection, job: str, after: int) -> Sequence[tuple[int, InvalidDraft]]:
    """Return some batches of invalid rows, in order."""
    query = select(invalid_batches).where(invalid_batches.c.job == job, invalid_batches.c.seq > after)
    rows = connection.execute(query.order_by(invalid_batches.c.seq).limit(PART))
    return [(row.seq, InvalidDraft(row.seq, row.rows, row.box)) for row in rows]


def index_after(
    connection: Connection, registry: str, party: str, except_job: str, after: tuple[int, int]
) -> Sequence[tuple[tuple[int, int], IndexPart]]:
    """Return some of a party's blind index, in order of taking in (job, then slice)."""
    number, seq = after
    query = (
        select(
            jobs.c.number,
            slices.c.slice_id,
            slices.c.job,
            slices.c.seq,
            slices.c.states,
            slice_index.c.entries,
        )
        .join_from(jobs, slices, slices.c.job == jobs.c.job)
        .join(slice_index, slice_index.c.slice_id == slices.c.slice_id)
        .where(
            jobs.c.registry == registry,
            jobs.c.party == party,
            jobs.c.job != except_job,
            jobs.c.state.not_in(_UNINDEXED),
            jobs.c.pending + jobs.c.unknown + jobs.c.doubtful > 0,
            (jobs.c.number > number) | ((jobs.c.number == number) & (slices.c.seq > seq)),
        )
        .order_by(jobs.c.number, slices.c.seq)
        .limit(PART * 4)
    )
    return [
        (
            (row.number, row.seq),
            IndexPart(row.slice_id, row.job, row.seq, row.entries, row.states.encode()),
        )
        for row in connection.execute(query)
    ]


def unsettled(connection: Connection, job: str, state: str) -> Sequence[UnsettledRecord]:
    """List a job's records in one state (`unknown`, `doubtful`, `pending`); raises NotFound for another word."""
    if state not in _FILTERS:
        raise NotFound(
            f"Records are listed as {', '.join(_FILTERS)}, not {state}.",
            message_th=f"ดูรายการได้ตามสถานะ {', '.join(_FILTERS)} เท่านั้น ไม่ใช่ {state}",
            remedy_en="For example: pratunam records unknown JOB",
            remedy_th="ตัวอย่าง: pratunam records unknown JOB",
        )
    letter, job_state = _FILTERS[state].value, JobState(job_row(connection, job).state)
    query = select(slices.c.slice_id, slices.c.states).where(slices.c.job == job, slices.c[state] > 0)
    return [
        UnsettledRecord(job, slice_id, line, state, job_state)
        for slice_id, states in connection.execute(query.order_by(slices.c.seq))
        for line, found in enumerate(states)
        if found == letter
    ]
