"""What waits: each party's and each job's backlog, from counters on the jobs, so that millions of pending records cost nothing."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select

from domain.jobs import JobBacklog, PartyBacklog
from domain.states import JobState, SliceState
from ledger.driver import HotStatement
from ledger.tables import jobs, slice_waits, slices

#: jobs whose slices may be claimed
AT_WORK = (JobState.QUEUED, JobState.RUNNING, JobState.CANCELLING)
_COLUMNS = (
    jobs.c.job, jobs.c.party, jobs.c.priority, jobs.c.submitted_at, jobs.c.deadline_at, jobs.c.pending, jobs.c.unknown,
    jobs.c.ready, jobs.c.in_hand,
)  # fmt: skip

_NOT_DELAYED = (0, None)
_AT_WORK_HERE = (
    jobs.c.registry == bindparam("at_registry"),
    or_(*(jobs.c.state == state.value for state in AT_WORK)),
)
_PARTY_JOBS = HotStatement(
    select(*_COLUMNS).where(*_AT_WORK_HERE, jobs.c.party == bindparam("at_party"), jobs.c.ready > 0)
)
_OPEN_JOBS = HotStatement(
    select(*_COLUMNS).where(*_AT_WORK_HERE, jobs.c.pending + jobs.c.unknown > 0).order_by(jobs.c.number)
)
# ready slices whose time has not come: few, and found by an index of their own
_DELAYED = HotStatement(
    select(slices.c.job, func.sum(slices.c.pending + slices.c.unknown), func.min(slices.c.not_before))
    .where(
        slices.c.registry == bindparam("at_registry"),
        slices.c.not_before > bindparam("at"),
        slices.c.state == SliceState.READY.value,
    )
    .group_by(slices.c.job)
)


def backlog(connection: Connection, registry: str, now: int) -> Sequence[PartyBacklog]:
    """Return every party with pending or unknown records in queued, running or cancelling jobs."""
    found: dict[str, list[JobBacklog]] = defaultdict(list)
    in_hand: dict[str, int] = defaultdict(int)
    delayed = {job: (work, due) for job, work, due in _DELAYED.rows(connection, at_registry=registry, at=now)}
    for row in _OPEN_JOBS.rows(connection, at_registry=registry):
        job = _job(row, delayed)
        found[job.party].append(job)
        in_hand[job.party] += row[-1]
    return [_party(party, found[party], in_hand[party]) for party in sorted(found)]


def party_jobs(connection: Connection, registry: str, party: str) -> list[JobBacklog]:
    """Return one party's jobs that have ready slices, as `order_jobs` wants them."""
    ready = _PARTY_JOBS.rows(connection, at_registry=registry, at_party=party)
    return [_job(row, {}) for row in ready]


def blockers(connection: Connection, job: str) -> Mapping[str, Sequence[str]]:
    """Return the job's waiting slices and the jobs that each waits for."""
    blocker = slices.alias("blocker")
    query = (
        select(slices.c.slice_id, blocker.c.job, slices.c.seq)
        .join_from(slices, slice_waits, slices.c.slice_id == slice_waits.c.slice_id)
        .join(blocker, blocker.c.slice_id == slice_waits.c.blocker)
        .where(slices.c.job == job)
        .distinct()
        .order_by(slices.c.seq, blocker.c.job)
    )
    waiting: dict[str, list[str]] = defaultdict(list)
    for slice_id, other, _ in connection.execute(query):
        waiting[slice_id].append(other)
    return dict(waiting)


def stuck_jobs(connection: Connection, registry: str) -> frozenset[str]:
    """Return the jobs with slices behind a job that goes on only when people act (paused, or with doubtful records), however far."""
    blocker = slices.alias("blocker")
    query = (
        select(slices.c.job, blocker.c.job, or_(jobs.c.state == JobState.PAUSED, jobs.c.doubtful > 0))
        .join_from(slices, slice_waits, slices.c.slice_id == slice_waits.c.slice_id)
        .join(blocker, blocker.c.slice_id == slice_waits.c.blocker)
        .join(jobs, jobs.c.job == blocker.c.job)
        .where(slices.c.registry == registry)
        .distinct()
    )
    behind: dict[str, list[str]] = defaultdict(list)
    found: list[str] = []
    for waiting, other, needs_people in connection.execute(query):
        behind[other].append(waiting)
        if needs_people:
            found.append(waiting)
    stuck: set[str] = set()
    while found:
        job = found.pop()
        if job not in stuck:
            stuck.add(job)
            found += behind.get(job, ())
    return frozenset(stuck)


def _job(row: Sequence[Any], delayed: Mapping[str, tuple[int, int]]) -> JobBacklog:
    # by place, not by name: a scheduler asks for thousands of these four times a second
    job, party, priority, submitted_at, deadline_at, pending, unknown, ready, _ = row
    later, due_at = delayed.get(job, _NOT_DELAYED)
    return JobBacklog(
        job, party, priority, submitted_at, deadline_at, pending, unknown, ready - later, due_at
    )


def _party(party: str, found: Sequence[JobBacklog], in_hand: int) -> PartyBacklog:
    pending = unknown = ready = 0
    due_at: int | None = None
    for job in found:
        pending += job.pending
        unknown += job.unknown
        ready += job.ready_lines
        if job.next_due_at is not None and (due_at is None or job.next_due_at < due_at):
            due_at = job.next_due_at
    return PartyBacklog(party, pending, unknown, ready, in_hand, tuple(found), due_at)
