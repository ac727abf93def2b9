"""Changing slices: loads rows, lets a verb change their letters and state, and writes back slices, counters and what follows from them.

Every change of a slice goes through here, so that counters never drift: a job's counters move by the difference between what was read
and what is written. What follows: a slice with nothing unsettled leaves the blind index and frees the slices that waited for it; a
job with nothing pending or unknown ends.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, case, null, select, update

from domain.states import JobState, SliceState
from ledger.driver import HotStatement
from ledger.job_counters import COLUMNS, add_to_jobs, end_jobs
from ledger.lines import COUNTED, DOUBTFUL, PENDING, UNKNOWN, Lines
from ledger.locks import lock_slices
from ledger.tables import jobs, slices
from ledger.waits import clear, place_of_reopened

#: letters that keep a slice's work going
_WORK = (PENDING, UNKNOWN)
_READ = (
    slices.c.slice_id,
    slices.c.job,
    jobs.c.party,
    jobs.c.registry,
    slices.c.state,
    slices.c.states,
    slices.c.token,
    slices.c.watermark,
    slices.c.not_before,
    slices.c.sure,
    jobs.c.state.label("job_state"),
)
# statements of hot verbs are made once: making one costs more than running it
_READ_ONE = HotStatement(
    select(*_READ)
    .join_from(slices, jobs, slices.c.job == jobs.c.job)
    .where(slices.c.slice_id == bindparam("at_slice"))
)
_WRITE_SLICE = HotStatement(
    update(slices)
    .where(slices.c.slice_id == bindparam("at_slice"))
    .values({slices.c[name]: bindparam(f"new_{name}") for name in (
        "states", "pending", "unknown", "doubtful", "state", "token", "watermark", "not_before", "sure",
    )})
)  # fmt: skip
_CLAIM_SLICE = HotStatement(
    update(slices)
    .where(slices.c.slice_id == bindparam("at_slice"))
    .values(
        {
            slices.c.state: SliceState.CLAIMED.value,
            slices.c.token: bindparam("new_token"),
            slices.c.watermark: 0,
            slices.c.not_before: null(),
        }
    )
)
_CLAIM_OF_JOB = HotStatement(
    update(jobs)
    .where(jobs.c.job == bindparam("at_job"))
    .values(
        {
            jobs.c.ready: jobs.c.ready - bindparam("work"),
            jobs.c.in_hand: jobs.c.in_hand + bindparam("work"),
            jobs.c.state: case(
                (jobs.c.state == JobState.QUEUED.value, JobState.RUNNING.value), else_=jobs.c.state
            ),
        }
    )
    .returning(jobs.c.state)
)


@dataclass(slots=True)
class SliceRow:
    """One slice in the middle of a change."""

    slice_id: str
    job: str
    party: str
    registry: str
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

    def doubt(self) -> None:
        """Have every unsettled line be unknown, whoever holds the slice: a claim of it is over."""
        self.lines.give_back(self.lines.unsettled(), stopping=self.is_stopping)
        if self.state is SliceState.CLAIMED:
            self.state, self.watermark = SliceState.READY, 0


def load(connection: Connection, slice_ids: Collection[str]) -> dict[str, SliceRow]:
    """Read slices for a change; ids that do not exist are left out."""
    lock_slices(connection, slice_ids)
    rows: dict[str, SliceRow] = {}
    for slice_id in sorted(set(slice_ids)):
        found = _READ_ONE.first(connection, at_slice=slice_id)
        if found is not None:
            rows[slice_id] = _slice_row(found)
    return rows


def claim_slice(connection: Connection, slice_id: str, job: str, work: int, token: int) -> JobState:
    """Have a ready slice claimed: no letter changes, so its unsettled lines (`work`) only move from ready to in hand.

    Returns the job's state, which somebody may have changed since the slice was found.
    """
    _CLAIM_SLICE.change(connection, at_slice=slice_id, new_token=token)
    return JobState(_CLAIM_OF_JOB.first(connection, at_job=job, work=work)[0])


def save(connection: Connection, rows: Collection[SliceRow], now: int) -> dict[str, JobState]:
    """Write changed slices and everything that follows; returns the state of every job touched."""
    added: dict[str, dict[str, int]] = {}
    settled = []
    for row in rows:
        letters = "".join(row.lines.letters)
        counts = _count(letters)
        row.state = _state_after(connection, row, counts)
        _WRITE_SLICE.change(connection, **_values(row, letters, counts))
        moves = added.setdefault(row.job, dict.fromkeys(COLUMNS, 0))
        for name, change in _difference(row, counts).items():
            moves[name] += change
        if not (counts[PENDING] or counts[UNKNOWN] or counts[DOUBTFUL]):
            settled.append(row.slice_id)
        row.was, row.was_state = letters, row.state
    add_to_jobs(connection, added)
    clear(connection, settled)
    return end_jobs(connection, added, now)


def _slice_row(found: Sequence[Any]) -> SliceRow:
    slice_id, job, party, registry, state, letters, token, watermark, not_before, sure, job_state = found
    lines = Lines(list(letters), None if sure is None else list(sure))
    place, of_job = SliceState(state), JobState(job_state)
    return SliceRow(
        slice_id, job, party, registry, place, lines, token, watermark, not_before, of_job, letters, place
    )


def _count(letters: str) -> dict[str, int]:
    return {letter: letters.count(letter) for letter in COUNTED}


def _state_after(connection: Connection, row: SliceRow, counts: Mapping[str, int]) -> SliceState:
    if not any(counts[letter] for letter in _WORK):
        return SliceState.SETTLED
    return place_of_reopened(connection, row.slice_id) if row.state is SliceState.SETTLED else row.state


def _values(row: SliceRow, letters: str, counts: Mapping[str, int]) -> dict[str, object]:
    is_claimed = row.state is SliceState.CLAIMED
    return {
        "at_slice": row.slice_id,
        "new_states": letters,
        "new_pending": counts[PENDING],
        "new_unknown": counts[UNKNOWN],
        "new_doubtful": counts[DOUBTFUL],
        "new_state": row.state.value,
        "new_token": row.token,
        "new_watermark": row.watermark if is_claimed else 0,
        "new_not_before": row.not_before if row.state in (SliceState.READY, SliceState.WAITING) else None,
        "new_sure": "".join(row.lines.sure) if is_claimed and row.lines.sure is not None else None,
    }


def _difference(row: SliceRow, counts: Mapping[str, int]) -> dict[str, int]:
    before = _count(row.was)
    change = {name: counts[letter] - before[letter] for letter, name in COUNTED.items()}
    change["ready"] = _placed(SliceState.READY, row, counts, before)
    change["in_hand"] = _placed(SliceState.CLAIMED, row, counts, before)
    return change


def _placed(place: SliceState, row: SliceRow, counts: Mapping[str, int], before: Mapping[str, int]) -> int:
    """Return by how many unsettled lines the slices of this state have more than before."""
    now_there = counts[PENDING] + counts[UNKNOWN] if row.state is place else 0
    return now_there - (before[PENDING] + before[UNKNOWN] if row.was_state is place else 0)
