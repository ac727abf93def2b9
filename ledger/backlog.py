"""What waits: each party's and each job's backlog, from counters on the jobs, so that millions of pending records cost nothing."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from domain.jobs import JobBacklog, PartyBacklog
from domain.states import JobState, SliceState
from ledger.tables import jobs, slice_waits, slices

#: jobs whose slices may be claimed
AT_WORK = (JobState.QUEUED, JobState.RUNNING, JobState.CANCELLING)
_COLUMNS = (
    jobs.c.job, jobs.c.party, jobs.c.priority, jobs.c.submitted_at, jobs.c.deadline_at, jobs.c.pending, jobs.c.unknown,
    jobs.c.ready, jobs.c.in_hand,
)  # fmt: skip

_PARTY_JOBS = select(*_COLUMNS).where(
    jobs.c.registry == bindparam("at_registry"),
    jobs.c.state.in_(AT_WORK),
    jobs.c.party == bindparam("at_party"),
    jobs.c.ready > 0,
)


def backlog(connection: Connection, registry: str, now: int) -> Sequence[PartyBacklog]:
    """Return every party with pending or unknown records in queued, running or cancelling jobs."""
    found: dict[str, list[JobBacklog]] = defaultdict(list)
    in_hand: dict[str, int] = defaultdict(int)
    delayed = _delayed(connection, registry, now)
    at_work = (jobs.c.registry == registry, jobs.c.state.in_(AT_WORK), jobs.c.pending + jobs.c.unknown > 0)
    for row in connection.execute(select(*_COLUMNS).where(*at_work).order_by(jobs.c.number)):
        found[row.party].append(_job(row, delayed))
        in_hand[row.party] += row.in_hand
    return [_party(party, found[party], in_hand[party]) for party in sorted(found)]


def party_jobs(connection: Connection, registry: str, party: str) -> list[JobBacklog]:
    """Return one party's jobs that have ready slices, as `order_jobs` wants them."""
    ready = connection.execute(_PARTY_JOBS, {"at_registry": registry, "at_party": party})
    return [_job(row, {}) for row in ready]


def blockers(connection: Connection, job: str) -> Mapping[str, Sequence[str]]:
    """Return the job's waiting slices and the jobs that each waits for."""
    blocker = slices.alias("blocker")
    query = (
        select(slices.c.slice_id, blocker.c.job)
        .join_from(slices, slice_waits, slices.c.slice_id == slice_waits.c.slice_id)
        .join(blocker, blocker.c.slice_id == slice_waits.c.blocker)
        .where(slices.c.job == job)
        .distinct()
        .order_by(slices.c.seq, blocker.c.job)
    )
    waiting: dict[str, list[str]] = defaultdict(list)
    for slice_id, other in connection.execute(query):
        waiting[slice_id].append(other)
    return dict(waiting)


def _delayed(connection: Connection, registry: str, now: int) -> dict[str, tuple[int, int]]:
    # ready slices whose time has not come: few, and found by an index of their own
    query = (
        select(slices.c.job, func.sum(slices.c.pending + slices.c.unknown), func.min(slices.c.not_before))
        .where(slices.c.registry == registry, slices.c.not_before > now, slices.c.state == SliceState.READY)
        .group_by(slices.c.job)
    )
    return {job: (work, due) for job, work, due in connection.execute(query)}


def _job(row: Row[*tuple[Any, ...]], delayed: Mapping[str, tuple[int, int]]) -> JobBacklog:
    later, due_at = delayed.get(row.job, (0, None))
    return JobBacklog(
        row.job, row.party, row.priority, row.submitted_at, row.deadline_at, row.pending, row.unknown,
        ready_lines=row.ready - later, next_due_at=due_at,
    )  # fmt: skip


def _party(party: str, found: list[JobBacklog], in_hand: int) -> PartyBacklog:
    due = [job.next_due_at for job in found if job.next_due_at is not None]
    return PartyBacklog(
        party,
        pending=sum(job.pending for job in found),
        unknown=sum(job.unknown for job in found),
        ready=sum(job.ready_lines for job in found),
        in_hand=in_hand,
        jobs=tuple(found),
        next_due_at=min(due, default=None),
    )
