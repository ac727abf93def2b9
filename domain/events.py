"""Events: what working code says happened; logs and metrics subscribe. Only ids and numbers, never personal data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened in one registry; `party` is empty where it concerns everyone."""

    registry: str = ""
    party: str = ""


@dataclass(frozen=True, slots=True)
class RecordsSent(Event):
    """Records were written to the wire."""

    account: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class RecordsSettled(Event):
    """Outcomes were committed; `outcome` is a `RecordState` name in lower case."""

    outcome: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class AnswerTimed(Event):
    """Handfuls were answered, each after so many ms (mean of the handful)."""

    latencies_ms: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class SessionStarted(Event):
    """A session was opened at the registrar."""

    account: str = ""


@dataclass(frozen=True, slots=True)
class SessionEnded(Event):
    """A session is over; `reason` from a closed set: turn, empty, window, lease, ending, pushback, fault, refused, stopping."""

    account: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Pushback(Event):
    """The registrar said slow down; `reason` is its code."""

    scope: str = ""
    reason: str = ""
    retry_after_ms: int = 0


@dataclass(frozen=True, slots=True)
class PermitsDrawn(Event):
    """Some ticks granted `count` permits; `bound`: how often a session was given less than it wanted, by reason."""

    count: int = 0
    bound: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AccountSetAside(Event):
    """An account cannot be used until people act."""

    account: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class JobMoved(Event):
    """A job changed its state."""

    job: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class RowsChecked(Event):
    """A file has been checked."""

    job: str = ""
    rows: int = 0
    invalid: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RoundDecided(Event):
    """The scheduler decided; `brake` is the share of the registry's rate that it allows."""

    brake: float = 1.0
    parties: int = 0
    took_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class PartyLooked:
    """One party in one look of the scheduler: what waits, what it may do, what binds it (a `domain.quota.BoundBy` value).

    `oldest_at`: when the oldest job with work left was submitted; `is_open`: its window is open, guard and clocks allowed for.
    `share` in records/s; `level` is what stands in its bucket before what is outstanding is taken off.
    """

    party: str
    pending: int = 0
    unknown: int = 0
    ready: int = 0
    oldest_at: int | None = None
    accounts: int = 0
    sessions: int = 0
    share: float = 0.0
    level: float = 0.0
    outstanding: int = 0
    is_open: bool = True
    is_held: bool = False
    bound_by: str = ""


@dataclass(frozen=True, slots=True)
class RegistryLooked(Event):
    """What the leading scheduler read of one registry: limits of the policy in force, the gate's use, accounts, parties.

    `rate_limit` is the policy's, `rate` what the brake leaves of it (records/s). `sessions` live, `quarantined` not known to be closed.
    `sendable`: records that could leave now as far as windows, holds and accounts go. `accounts` counts by `AccountState` value.
    `parties`: those with a backlog or a session.
    """

    looked_at: int = 0
    rate_limit: float = 0.0
    rate: float = 0.0
    burst: int = 0
    session_limit: int = 0
    level: float = 0.0
    outstanding: int = 0
    sessions: int = 0
    quarantined: int = 0
    generation: int = 0
    sendable: int = 0
    is_held: bool = False
    is_paused: bool = False
    clock_offset_ms: int | None = None
    accounts: Mapping[str, int] = field(default_factory=dict)
    parties: tuple[PartyLooked, ...] = ()


@dataclass(frozen=True, slots=True)
class LedgerLooked(Event):
    """What the scheduler counted in the ledger: jobs by (registry, state), doubtful records by (registry, party).

    `notices`: deliveries not done by (channel, state).
    `took_ms`: how long the ledger took to tell.
    """

    looked_at: int = 0
    jobs: Mapping[tuple[str, str], int] = field(default_factory=dict)
    doubtful: Mapping[tuple[str, str], int] = field(default_factory=dict)
    notices: Mapping[tuple[str, str], int] = field(default_factory=dict)
    took_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class LedgerCommitted(Event):
    """A batch of outcomes was committed to the ledger after `took_ms`; `count` records."""

    count: int = 0
    took_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class MessageTaken(Event):
    """An actor took a message up `waited_ms` after it was rung."""

    actor: str = ""
    waited_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class GenerationBegun(Event):
    """The gate's Redis was fresh or lost: a new generation began."""

    generation: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NoticeTried(Event):
    """A notice was delivered, or not; `channel` folder, smtp or webhook."""

    channel: str = ""
    delivered: bool = False


@dataclass(frozen=True, slots=True)
class LoopFailed(Event):
    """A loop's round raised and will be tried again."""

    loop: str = ""
    error: str = ""


Emit = Callable[[Event], None]


class Subscribers:
    """Hands each event to everyone who subscribed, in order."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._subscribers: list[Emit] = []

    def subscribe(self, subscriber: Emit) -> None:
        """Have `subscriber` told of every later event."""
        self._subscribers.append(subscriber)

    def __call__(self, event: Event) -> None:
        """Tell everyone."""
        for subscriber in self._subscribers:
            subscriber(event)
