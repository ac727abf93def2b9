"""Jobs: taking one in, reading them, and people's verbs pause, resume and cancel. Checking a file is `ledger/checks.py`."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from sqlalchemy import Connection, Row, case, delete, func, insert, literal, select, update

from domain.errors import Conflict, NotFound
from domain.jobs import By, Job, NewJob, RecordCounts
from domain.states import OPEN_JOB_STATES, JobState, SliceState
from ledger.audit import note
from ledger.crowding import need_room
from ledger.driver import chunked
from ledger.job_counters import add_to_jobs, end_jobs
from ledger.lines import PENDING, UNKNOWN, UNPROCESSED
from ledger.locks import lock_chain, lock_jobs, lock_slices_of
from ledger.policy_code import settle_ms
from ledger.tables import jobs, slice_waits, slices
from ledger.waits import clear

_AS_TEXT = ("ignored", "cut")
_SAME_AGAIN = OPEN_JOB_STATES | {JobState.FINISHED}


def receive(connection: Connection, job: NewJob, by: By, now: int, *, most_open: int | None = None) -> Job:
    """Take a job in.

    The same file of the same party, for the same registry, operation and sheet, is the job that is already open or finished (and not
    erased), and that one is returned.
    """
    lock_chain(connection)  # jobs are numbered one after another
    same = select(jobs).where(
        jobs.c.party == job.party,
        jobs.c.registry == job.registry,
        jobs.c.digest == job.digest,
        jobs.c.operation.is_not_distinct_from(job.operation),
        jobs.c.sheet.is_not_distinct_from(job.sheet),
        jobs.c.state.in_(_SAME_AGAIN),
        jobs.c.erased_at.is_(None),
    )
    known = connection.execute(same.order_by(jobs.c.number.desc())).first()
    if known is not None:
        return as_job(known)
    if most_open is not None:
        need_room(connection, job.registry, job.party, most_open, now)
    if connection.execute(select(jobs.c.job).where(jobs.c.job == job.job)).first():
        raise Conflict(
            f"There is a job {job.job} already.",
            message_th=f"มีงานหมายเลข {job.job} อยู่แล้ว",
            remedy_en="Submit the file again: it is given another number.",
            remedy_th="โปรดส่งแฟ้มใหม่ ระบบจะให้หมายเลขใหม่",
        )
    number = (connection.execute(select(func.max(jobs.c.number))).scalar() or 0) + 1
    values = asdict(job) | {name: json.dumps(getattr(job, name)) for name in _AS_TEXT}
    receipt = _receipt(job, now)
    connection.execute(
        insert(jobs).values(
            number=number, state=JobState.RECEIVED, receipt=receipt, submitted_at=now, **values
        )
    )
    detail = {"party": job.party, "registry": job.registry, "digest": job.digest, "operation": job.operation}
    note(
        connection,
        "job.received",
        job.job,
        detail | {"declared": job.declared, "parent": job.parent},
        by,
        now,
    )
    return read_job(connection, job.job)


def read_job(connection: Connection, job: str) -> Job:
    """Return one job; raises NotFound."""
    return as_job(job_row(connection, job))


def read_jobs(
    connection: Connection, party: str | None, states: frozenset[JobState] | None, limit: int
) -> Sequence[Job]:
    """Return jobs, newest first."""
    query = select(jobs).order_by(jobs.c.number.desc()).limit(limit)
    if party is not None:
        query = query.where(jobs.c.party == party)
    if states is not None:
        query = query.where(jobs.c.state.in_(states))
    return [as_job(row) for row in connection.execute(query)]


def pause(connection: Connection, job: str, reason: str, by: By, now: int) -> Job:
    """Stop sending; claimed slices end with their answers. A paused job stays as it is."""
    lock_jobs(connection, job)
    found = read_job(connection, job)
    if found.state is JobState.PAUSED:
        return found
    _need(found, "paused", "พัก", {JobState.QUEUED, JobState.RUNNING})
    connection.execute(
        update(jobs).where(jobs.c.job == job).values(state=JobState.PAUSED, paused_reason=reason)
    )
    note(connection, "job.paused", job, {"reason": reason}, by, now)
    return read_job(connection, job)


def resume(connection: Connection, job: str, by: By, now: int) -> Job:
    """Go on. A job that is not paused but at work stays as it is."""
    lock_jobs(connection, job)
    found = read_job(connection, job)
    if found.state in (JobState.QUEUED, JobState.RUNNING):
        return found
    _need(found, "resumed", "ทำต่อ", {JobState.PAUSED})
    connection.execute(update(jobs).where(jobs.c.job == job).values(state=JobState.QUEUED, paused_reason=""))
    note(connection, "job.resumed", job, {}, by, now)
    return read_job(connection, job)


def cancel(connection: Connection, job: str, by: By, now: int) -> Job:
    """Cancel a job that has been checked (`checks.cancel_check` does the others); safe to repeat.

    What nobody holds is unprocessed at once, what a session holds is unknown until it tells.
    """
    lock_slices_of(connection, job)
    lock_jobs(connection, job)
    found = read_job(connection, job)
    if found.state in (JobState.CANCELLING, JobState.CANCELLED):
        return found
    _need(found, "cancelled", "ยกเลิก", {JobState.QUEUED, JobState.RUNNING, JobState.PAUSED})
    note(connection, "job.cancelling", job, {"pending": found.records.pending}, by, now)
    connection.execute(
        update(jobs).where(jobs.c.job == job).values(state=JobState.CANCELLING, paused_reason="")
    )
    _stop_slices(connection, job, now)
    end_jobs(connection, [job], now)
    return read_job(connection, job)


def job_row(connection: Connection, job: str) -> Row[tuple[object, ...]]:
    """Return one job's row; raises NotFound."""
    row = connection.execute(select(jobs).where(jobs.c.job == job)).first()
    if row is None:
        raise NotFound(
            f"There is no job {job}.",
            message_th=f"ไม่พบงานหมายเลข {job}",
            remedy_en="`pratunam jobs` lists them.",
            remedy_th="ดูรายการด้วย `pratunam jobs`",
        )
    return row


def as_job(row: Row[tuple[object, ...]]) -> Job:
    """Return a row as the value that everyone else knows."""
    counts = RecordCounts(row.pending, row.accepted, row.rejected, row.unknown, row.doubtful, row.unprocessed)
    return Job(
        job=row.job,
        party=row.party,
        registry=row.registry,
        profile=row.profile,
        profile_version=row.profile_version,
        file=row.file,
        digest=row.digest,
        blob=row.blob,
        state=JobState(row.state),
        receipt=row.receipt,
        submitted_at=row.submitted_at,
        operation=row.operation,
        declared=row.declared,
        ignored=tuple(json.loads(row.ignored)),
        sheet=row.sheet,
        deadline_at=row.deadline_at,
        priority=row.priority,
        max_invalid_pct=row.max_invalid_pct,
        parent=row.parent,
        cut=tuple(json.loads(row.cut)),
        rows=row.rows,
        invalid=row.invalid,
        records=counts,
        check_attempts=row.check_attempts,
        paused_reason=row.paused_reason,
        fault_en=row.fault_en,
        fault_th=row.fault_th,
        finished_at=row.finished_at,
        erased_at=row.erased_at,
        faults=json.loads(row.faults),
        notes_en=tuple(json.loads(row.notes_en)),
        notes_th=tuple(json.loads(row.notes_th)),
    )


def _stop_slices(connection: Connection, job: str, now: int) -> None:
    # set by set, not slice by slice: a job may have a hundred thousand slices
    of_job = slices.c.job == job
    claimed = slices.c.state == SliceState.CLAIMED
    pending = func.coalesce(func.sum(slices.c.pending), 0)
    work = func.coalesce(func.sum(slices.c.pending).filter(slices.c.state == SliceState.READY), 0)
    dropped, unready = connection.execute(select(pending, work).where(of_job, ~claimed)).one()
    held = connection.execute(select(pending).where(of_job, claimed)).scalar() or 0
    touched = connection.execute(
        select(slices.c.slice_id).where(
            of_job, ~claimed, slices.c.pending > 0, slices.c.unknown == 0, slices.c.doubtful == 0
        )
    )
    ended = touched.scalars().all()
    connection.execute(
        update(slices)
        .where(of_job, claimed)
        .values(
            sure=slices.c.states,
            states=func.replace(slices.c.states, PENDING, UNKNOWN),
            unknown=slices.c.unknown + slices.c.pending,
            pending=0,
        )
    )
    connection.execute(
        update(slices)
        .where(of_job, ~claimed, slices.c.pending > 0)
        .values(
            states=func.replace(slices.c.states, PENDING, UNPROCESSED),
            pending=0,
            state=case((slices.c.unknown > 0, slices.c.state), else_=literal(SliceState.SETTLED.value)),
        )
    )
    # what is asked about now is believed absent only once a late original would have surfaced
    registry = connection.execute(select(jobs.c.registry).where(jobs.c.job == job)).scalar_one()
    due = now + settle_ms(connection, registry)
    connection.execute(
        update(slices)
        .where(of_job, ~claimed, slices.c.unknown > 0)
        .values(not_before=case((slices.c.not_before > due, slices.c.not_before), else_=literal(due)))
    )
    change = Counter(
        {"pending": -(dropped + held), "unknown": held, "unprocessed": dropped, "ready": -unready}
    )
    add_to_jobs(connection, {job: change})
    clear(connection, ended)
    for part in chunked(ended):
        connection.execute(delete(slice_waits).where(slice_waits.c.slice_id.in_(part)))


def _need(found: Job, verb_en: str, verb_th: str, states: set[JobState]) -> None:
    if found.state not in states:
        raise Conflict(
            f"Job {found.job} is {found.state.value} and cannot be {verb_en}.",
            message_th=f"งาน {found.job} อยู่ในสถานะ {found.state.value} จึง{verb_th}ไม่ได้",
            remedy_en=f"Nothing was changed; see `pratunam job show {found.job}`.",
            remedy_th=f"ยังไม่มีการเปลี่ยนแปลง ดูด้วย `pratunam job show {found.job}`",
        )


def _receipt(job: NewJob, now: int) -> str:
    at = datetime.fromtimestamp(now / 1000, UTC)
    return f"{job.job}-{job.digest[:8].upper()}-{at:%Y%m%dT%H%M%SZ}"
