"""The states of jobs, slices, records and accounts, and which may follow which (docs/states.md draws them)."""

from enum import StrEnum


class JobState(StrEnum):
    """What has become of one submitted file."""

    RECEIVED = "received"
    CHECKING = "checking"
    REFUSED = "refused"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    FINISHED = "finished"


OPEN_JOB_STATES = frozenset(
    {
        JobState.RECEIVED,
        JobState.CHECKING,
        JobState.QUEUED,
        JobState.RUNNING,
        JobState.PAUSED,
        JobState.CANCELLING,
    }
)
ENDED_JOB_STATES = frozenset({JobState.REFUSED, JobState.CANCELLED, JobState.FINISHED})

JOB_MOVES: dict[JobState, frozenset[JobState]] = {
    JobState.RECEIVED: frozenset({JobState.CHECKING, JobState.CANCELLED}),
    JobState.CHECKING: frozenset(
        {JobState.QUEUED, JobState.PAUSED, JobState.REFUSED, JobState.FINISHED, JobState.CANCELLED}
    ),
    JobState.QUEUED: frozenset(
        {JobState.RUNNING, JobState.PAUSED, JobState.CANCELLING, JobState.CANCELLED, JobState.FINISHED}
    ),
    JobState.RUNNING: frozenset(
        {JobState.QUEUED, JobState.PAUSED, JobState.CANCELLING, JobState.CANCELLED, JobState.FINISHED}
    ),
    JobState.PAUSED: frozenset({JobState.QUEUED, JobState.CANCELLING, JobState.CANCELLED, JobState.FINISHED}),
    JobState.CANCELLING: frozenset({JobState.CANCELLED}),
    JobState.REFUSED: frozenset(),
    JobState.CANCELLED: frozenset(),
    # people may have a doubtful record sent again
    JobState.FINISHED: frozenset({JobState.QUEUED}),
}


class RecordState(StrEnum):
    """What has become of one record; the value is the byte that stands for it in a slice's row of states."""

    PENDING = "p"
    UNKNOWN = "u"
    ACCEPTED = "a"
    REJECTED = "r"
    DOUBTFUL = "d"
    UNPROCESSED = "x"


SETTLED_RECORD_STATES = frozenset({RecordState.ACCEPTED, RecordState.REJECTED, RecordState.UNPROCESSED})

RECORD_MOVES: dict[RecordState, frozenset[RecordState]] = {
    RecordState.PENDING: frozenset(
        {RecordState.ACCEPTED, RecordState.REJECTED, RecordState.UNKNOWN, RecordState.UNPROCESSED}
    ),
    RecordState.UNKNOWN: frozenset(
        {
            RecordState.ACCEPTED,
            RecordState.REJECTED,
            RecordState.PENDING,
            RecordState.DOUBTFUL,
            RecordState.UNPROCESSED,
        }
    ),
    RecordState.DOUBTFUL: frozenset({RecordState.ACCEPTED, RecordState.REJECTED, RecordState.PENDING}),
    # A late answer is still a fact: what was given up as unprocessed may turn out to have been recorded.
    RecordState.UNPROCESSED: frozenset({RecordState.ACCEPTED, RecordState.REJECTED}),
    RecordState.ACCEPTED: frozenset(),
    RecordState.REJECTED: frozenset(),
}


class SliceState(StrEnum):
    """Where one slice stands: waiting for another slice, ready, claimed by a lease, or done with."""

    WAITING = "waiting"
    READY = "ready"
    CLAIMED = "claimed"
    SETTLED = "settled"


class AccountKind(StrEnum):
    """Whether the registrar granted the account to begin with, or added it on evidence of use."""

    BASE = "base"
    ADDED = "added"


class AccountState(StrEnum):
    """Whether an account may be used now, and if not, why."""

    ACTIVE = "active"
    RESTED = "rested"
    SET_ASIDE = "set_aside"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"


class Shape(StrEnum):
    """How records travel to the registrar (registrar-protocol.md section 2)."""

    STREAM = "stream"
    BATCH = "batch"
    SINGLE = "single"
