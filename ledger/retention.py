"""Erasing a job: its key is destroyed, then its contents are overwritten. The skeleton (states, counts, digests) stays."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Connection, Select, and_, delete, select, update

from domain.errors import Conflict
from domain.jobs import By
from domain.states import ENDED_JOB_STATES
from ledger.audit import note
from ledger.driver import chunked
from ledger.jobs import job_row
from ledger.locks import lock_jobs
from ledger.policy_code import newest_policy
from ledger.tables import invalid_batches, jobs, outcomes, slice_boxes, slice_index, slices

DAY_MS = 86_400_000
#: most boxes that one transaction overwrites
WIPED_AT_ONCE = 40


def mark_erased(connection: Connection, job: str, by: By, now: int) -> None:
    """Say that the job is erased from now on; raises Conflict while it is open or records are pending or unknown. Safe to repeat."""
    lock_jobs(connection, job)
    row = job_row(connection, job)
    if row.state not in ENDED_JOB_STATES or row.pending + row.unknown > 0:
        raise Conflict(
            f"Job {job} has not ended: its contents are still needed.",
            message_th=f"งาน {job} ยังไม่สิ้นสุด จึงยังลบข้อมูลไม่ได้",
            remedy_en="Cancel it, or wait until it has finished.",
            remedy_th="ยกเลิกงานก่อน หรือรอจนงานเสร็จ",
        )
    if row.erased_at is None:
        connection.execute(update(jobs).where(jobs.c.job == job).values(erased_at=now))
        note(connection, "job.erased", job, {}, by, now)


def wipe_some(connection: Connection, job: str) -> bool:
    """Overwrite some of an erased job's boxes; True while there is more."""
    if job_row(connection, job).erased_at is None:
        return False
    ids = select(slices.c.slice_id).where(slices.c.job == job)
    boxes = select(slice_boxes.c.slice_id).where(slice_boxes.c.slice_id.in_(ids)).limit(WIPED_AT_ONCE)
    gone = connection.execute(delete(slice_boxes).where(slice_boxes.c.slice_id.in_(boxes))).rowcount
    batches = select(outcomes.c.number).where(outcomes.c.job == job).limit(WIPED_AT_ONCE * 10)
    gone += connection.execute(delete(outcomes).where(outcomes.c.number.in_(batches))).rowcount
    of_job = invalid_batches.c.job == job
    rows = select(invalid_batches.c.seq).where(of_job).limit(WIPED_AT_ONCE)
    gone += connection.execute(
        delete(invalid_batches).where(of_job, invalid_batches.c.seq.in_(rows))
    ).rowcount
    if gone == 0:
        connection.execute(delete(slice_index).where(slice_index.c.slice_id.in_(ids)))
    return gone > 0


def mark_shredded(connection: Connection, job: str) -> None:
    """Note that nothing of an erased job is left, also in the engine's logs."""
    connection.execute(update(jobs).where(jobs.c.job == job).values(shredded=True))


def due_for_erasure(connection: Connection, now: int) -> Sequence[str]:
    """Return jobs whose retention (`results_days` of the newest policy) is over, and those whose erasure was cut short.

    A job with doubtful records is not among them: people must answer first.
    """
    policy = newest_policy(connection)
    days = policy.results_days if policy else 30
    over = and_(jobs.c.finished_at <= now - int(days * DAY_MS), jobs.c.doubtful == 0)
    query = select(jobs.c.job).where(
        jobs.c.state.in_(ENDED_JOB_STATES), jobs.c.shredded.is_(False), over | jobs.c.erased_at.is_not(None)
    )
    return connection.execute(query.order_by(jobs.c.number)).scalars().all()


def known_jobs(connection: Connection, names: Sequence[str]) -> frozenset[str]:
    """Return those of these that are jobs here."""
    return _those(connection, select(jobs.c.job), jobs.c.job, names)


def named_blobs(connection: Connection, blobs: Sequence[str]) -> frozenset[str]:
    """Return those of these blobs that belong to a job whose contents still stand; one of an erased job is nobody's."""
    return _those(connection, select(jobs.c.blob).where(jobs.c.shredded.is_(False)), jobs.c.blob, blobs)


def _those(
    connection: Connection, query: Select[Any], column: Column[str], wanted: Sequence[str]
) -> frozenset[str]:
    found: set[str] = set()
    for part in chunked(wanted):
        found.update(row[0] for row in connection.execute(query.where(column.in_(part))))
    return frozenset(found)
