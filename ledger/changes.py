"""Changing slices: loads rows, lets a verb change their letters and state, and writes back slices, counters and what follows from them.

Every change of a slice goes through here, so that counters never drift: a job's counters move by the difference between what was read
and what is written. What follows: a slice with nothing unsettled leaves the blind index and frees the slices that waited for it; a
job with nothing pending or unknown ends.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, select, update

from domain.states import JobState, SliceState
from ledger.audit import GATE, note
from ledger.lines import COUNTED, DOUBTFUL, PENDING, UNKNOWN, Lines
from ledger.tables import jobs, slice_index, slice_waits, slices

#: most ids in one `IN (…)`
CHUNK = 500
#: letters that keep a slice's work going
_WORK = (PENDING, UNKNOWN)
_COLUMNS = (*COUNTED.values(), "ready", "in_hand")
_READ = (
    slices.c.slice_id,
    slices.c.job,
    slices.c.lines,
    slices.c.state,
    slices.c.states,
    slices.c.token,
    slices.c.watermark,
    slices.c.not_before,
    slices.c.sure,
    jobs.c.party,
    jobs.c.state.label("job_state"),
)
# statements of hot verbs are made once: making one costs more than running it
_READ_ONE = (
    select(*_READ)
    .join_from(slices, jobs, slices.c.job == jobs.c.job)
    .where(slices.c.slice_id == bindparam("at_slice"))
)
_STATE_OF_JOB = select(jobs.c.state, jobs.c.pending + jobs.c.unknown).where(jobs.c.job == bindparam("at_job"))
_REST = (
    update(jobs)
    .where(
        jobs.c.job == bindparam("at_job"),
        jobs.c.state == JobState.RUNNING,
        jobs.c.in_hand == 0,
        jobs.c.pending + jobs.c.unknown > 0,
    )
    .values(state=JobState.QUEUED)
)
_WAITERS = select(slice_waits.c.slice_id).where(slice_waits.c.blocker == bindparam("at_blocker"))
_FREE = delete(slice_waits).where(slice_waits.c.blocker == bindparam("at_blocker"))
_UNINDEX = delete(slice_index).where(slice_index.c.slice_id == bindparam("at_slice"))
_WRITE_SLICE = (
    update(slices)
    .where(slices.c.slice_id == bindparam("at_slice"))
    .values({name: bindparam(name) for name in (
        "states", "pending", "unknown", "doubtful", "state", "token", "watermark", "not_before", "sure",
    )})
)  # fmt: skip
_ADD_TO_JOB = (
    update(jobs)
    .where(jobs.c.job == bindparam("at_job"))
    .values({name: jobs.c[name] + bindparam(f"add_{name}") for name in _COLUMNS})
)


@dataclass(slots=True)
class SliceRow:
    """One slice in the middle of a change."""

    slice_id: str
    job: str
    party: str
    state: SliceState
    lines: Lines
    token: int
    watermark: int
    not_before: int | None
    job_state: JobState
    was: str
    was_state: SliceState

    @property
    def is_stopping(self) -> bool:
        """Say whether the job is being cancelled: nothing new is sent for it."""
        return self.job_state in (JobState.CANCELLING, JobState.CANCELLED)

    def end_claim(self, unknown: Iterable[int], not_before: int | None = None) -> None:
        """Hand the slice back: see `Lines.give_back`."""
        self.lines.give_back(unknown, stopping=self.is_stopping)
        self.state, self.watermark, self.not_before = SliceState.READY, 0, not_before


def load(connection: Connection, slice_ids: Collection[str]) -> dict[str, SliceRow]:
    """Read slices for a change; ids that do not exist are left out."""
    rows: dict[str, SliceRow] = {}
    for slice_id in sorted(set(slice_ids)):
        row = connection.execute(_READ_ONE, {"at_slice": slice_id}).first()
        if row is None:
            continue
        state = SliceState(row.state)
        lines = Lines(list(row.states), None if row.sure is None else list(row.sure))
        rows[slice_id] = SliceRow(
            slice_id, row.job, row.party, state, lines, row.token, row.watermark, row.not_before,
            JobState(row.job_state), row.states, state,
        )  # fmt: skip
    return rows


def save(connection: Connection, rows: Collection[SliceRow], now: int) -> dict[str, JobState]:
    """Write changed slices and everything that follows; returns the state of every job touched."""
    added: dict[str, Counter[str]] = {}
    written, settled = [], []
    for row in rows:
        letters = "".join(row.lines.letters)
        counts = Counter(letters)
        row.state = _state_after(row.state, counts)
        written.append(_values(row, letters, counts))
        added.setdefault(row.job, Counter()).update(_difference(row, counts))
        if not any(counts[letter] for letter in (PENDING, UNKNOWN, DOUBTFUL)):
            settled.append(row.slice_id)
        row.was, row.was_state = letters, row.state
    if written:
        connection.execute(_WRITE_SLICE, written)
    add_to_jobs(connection, added)
    clear(connection, settled)
    return end_jobs(connection, added, now)


def add_to_jobs(connection: Connection, added: dict[str, Counter[str]]) -> None:
    """Move jobs' counters."""
    moves = [
        {"at_job": job, **{f"add_{name}": counter[name] for name in _COLUMNS}}
        for job, counter in added.items()
        if any(counter.values())
    ]
    if moves:
        connection.execute(_ADD_TO_JOB, moves)


def clear(connection: Connection, slice_ids: Sequence[str]) -> None:
    """Take slices with nothing unsettled out of the blind index, and free the slices that waited for them."""
    if slice_ids:
        connection.execute(_UNINDEX, [{"at_slice": slice_id} for slice_id in slice_ids])
        free_waiters(connection, slice_ids)


def free_waiters(connection: Connection, blockers: Sequence[str]) -> None:
    """Have nothing wait for these slices any more; slices that now wait for nothing are ready."""
    waiters: set[str] = set()
    for blocker in blockers:
        found = connection.execute(_WAITERS, {"at_blocker": blocker}).scalars().all()
        if found:
            connection.execute(_FREE, {"at_blocker": blocker})
            waiters.update(found)
    for part in chunked(sorted(waiters)):
        _make_ready(connection, part)


def _make_ready(connection: Connection, waiters: Sequence[str]) -> None:
    free = (
        slices.c.slice_id.in_(waiters),
        slices.c.state == SliceState.WAITING,
        slices.c.slice_id.not_in(select(slice_waits.c.slice_id).where(slice_waits.c.slice_id.in_(waiters))),
    )
    found = connection.execute(
        select(slices.c.slice_id, slices.c.job, slices.c.pending + slices.c.unknown).where(*free)
    ).all()
    added: dict[str, Counter[str]] = {}
    for _, job, work in found:
        added.setdefault(job, Counter())["ready"] += work
    connection.execute(
        update(slices).where(slices.c.slice_id.in_([row[0] for row in found])).values(state=SliceState.READY)
    )
    add_to_jobs(connection, added)


def end_jobs(connection: Connection, touched: Collection[str], now: int) -> dict[str, JobState]:
    """End those of these jobs that have nothing pending or unknown; returns the state of each."""
    states: dict[str, JobState] = {}
    for job in touched:
        found, work = connection.execute(_STATE_OF_JOB, {"at_job": job}).one()
        state = JobState(found)
        ends_as = _END.get(state) if work == 0 else None
        if ends_as is not None:
            connection.execute(update(jobs).where(jobs.c.job == job).values(state=ends_as, finished_at=now))
            note(connection, f"job.{ends_as.value}", job, {}, GATE, now)
        states[job] = ends_as or state
    return states


def rest_jobs(connection: Connection, handed_back: Collection[SliceRow]) -> None:
    """Queue running jobs anew whose last slice in hand was handed back."""
    for job in sorted({row.job for row in handed_back}):
        connection.execute(_REST, {"at_job": job})


_END = {
    JobState.QUEUED: JobState.FINISHED,
    JobState.RUNNING: JobState.FINISHED,
    JobState.PAUSED: JobState.FINISHED,
    JobState.CANCELLING: JobState.CANCELLED,
}


def chunked(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    """Yield the ids in parts that fit one statement."""
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _state_after(state: SliceState, counts: Counter[str]) -> SliceState:
    if not any(counts[letter] for letter in _WORK):
        return SliceState.SETTLED
    return SliceState.READY if state is SliceState.SETTLED else state


def _values(row: SliceRow, letters: str, counts: Counter[str]) -> dict[str, object]:
    is_claimed = row.state is SliceState.CLAIMED
    return {
        "at_slice": row.slice_id,
        "states": letters,
        "pending": counts[PENDING],
        "unknown": counts[UNKNOWN],
        "doubtful": counts[DOUBTFUL],
        "state": row.state,
        "token": row.token,
        "watermark": row.watermark if is_claimed else 0,
        "not_before": row.not_before if row.state is SliceState.READY else None,
        "sure": "".join(row.lines.sure) if is_claimed and row.lines.sure is not None else None,
    }


def _difference(row: SliceRow, counts: Counter[str]) -> Counter[str]:
    before = Counter(row.was)
    change = Counter({name: counts[letter] - before[letter] for letter, name in COUNTED.items()})
    change.update(_placed(row.state, counts))
    change.subtract(_placed(row.was_state, before))
    return change


def _placed(state: SliceState, counts: Counter[str]) -> dict[str, int]:
    work = counts[PENDING] + counts[UNKNOWN]
    if state is SliceState.READY:
        return {"ready": work}
    return {"in_hand": work} if state is SliceState.CLAIMED else {}
