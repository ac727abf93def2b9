"""What a job knows of its slices: counters that move by differences, and the states that follow from them."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, bindparam, select, update

from domain.states import JobState
from ledger.audit import GATE, note
from ledger.driver import HotStatement
from ledger.lines import COUNTED
from ledger.tables import jobs

#: the counters of a job that its slices move
COLUMNS = (*COUNTED.values(), "ready", "in_hand")
_STATE_OF_JOB = HotStatement(
    select(jobs.c.state, jobs.c.pending + jobs.c.unknown).where(jobs.c.job == bindparam("at_job"))
)
_REST = HotStatement(
    update(jobs)
    .where(
        jobs.c.job == bindparam("at_job"),
        jobs.c.state == JobState.RUNNING.value,
        jobs.c.in_hand == 0,
        jobs.c.pending + jobs.c.unknown > 0,
    )
    .values(state=JobState.QUEUED.value)
)
_ADD_TO_JOB = HotStatement(
    update(jobs)
    .where(jobs.c.job == bindparam("at_job"))
    .values({jobs.c[name]: jobs.c[name] + bindparam(f"add_{name}") for name in COLUMNS})
)
_END = {
    JobState.QUEUED: JobState.FINISHED,
    JobState.RUNNING: JobState.FINISHED,
    JobState.PAUSED: JobState.FINISHED,
    JobState.CANCELLING: JobState.CANCELLED,
}


def add_to_jobs(connection: Connection, added: Mapping[str, Mapping[str, int]]) -> None:
    """Move jobs' counters; those that are not named stay."""
    for job, moves in added.items():
        if any(moves.values()):
            _ADD_TO_JOB.change(
                connection, at_job=job, **{f"add_{name}": moves.get(name, 0) for name in COLUMNS}
            )


def end_jobs(connection: Connection, touched: Collection[str], now: int) -> dict[str, JobState]:
    """End those of these jobs that have nothing pending or unknown; returns the state of each."""
    states: dict[str, JobState] = {}
    for job in touched:
        found, work = _STATE_OF_JOB.first(connection, at_job=job)
        state = JobState(found)
        ends_as = _END.get(state) if work == 0 else None
        if ends_as is not None:
            connection.execute(update(jobs).where(jobs.c.job == job).values(state=ends_as, finished_at=now))
            note(connection, f"job.{ends_as.value}", job, {}, GATE, now)
        states[job] = ends_as or state
    return states


def rest_jobs(connection: Connection, handed_back: Iterable[str]) -> None:
    """Queue running jobs anew whose last slice in hand was handed back."""
    for job in sorted(set(handed_back)):
        _REST.change(connection, at_job=job)
