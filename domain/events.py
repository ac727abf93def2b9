"""Events: what working code says happened; logs and metrics subscribe. Only ids and numbers, never personal data."""

from collections.abc import Callable
from dataclasses import dataclass


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
    """A handful was answered after `latency_ms` (mean of the handful)."""

    latency_ms: float = 0.0
    count: int = 0


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
    """A tick granted permits, or was bound by `reason`."""

    reason: str = ""
    count: int = 0


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
