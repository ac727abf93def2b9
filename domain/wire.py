"""What passes between a session and a registrar, as values and one port; every wire shape and the simulator speak it.

Source: registrar-protocol.md sections 1–3. No I/O here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol


class Verdict(StrEnum):
    """What one answer line says of one record."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RETRY = "retry"
    ABSENT = "absent"


class Scope(StrEnum):
    """Whom a pushback binds."""

    ACCOUNT = "account"
    PARTY = "party"
    REGISTRY = "registry"


class Answer(NamedTuple):
    """One record's answer (`duplicate` counts as accepted); texts may quote a person: seal them, never log them."""

    key: str
    verdict: Verdict
    receipt: str = ""
    code: str = ""
    field: str = ""
    message_th: str = ""
    message_en: str = ""
    retry_after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class End:
    """The server takes no more in this exchange; nothing without an answer before it was recorded.

    `code`: window-closed, session-ended, account-suspended, too-fast, overloaded, too-large, malformed, …; refusals of a whole request
    come as this too. `clean=False` means that unanswered lines are unknown (broken, unreadable, 500/502/504, silence).
    `is_last=False`: a pause that binds at once, told by an exchange whose other requests are still under way, or whose end is another's.
    """

    code: str
    scope: Scope = Scope.REGISTRY
    retry_after_ms: int | None = None
    opens_at: int | None = None
    clean: bool = True
    is_last: bool = True


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Limits that the registrar told at log-in; None where it said nothing. Rates are records a second."""

    rate: float | None = None
    burst: int | None = None
    max_in_flight: int | None = None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session of one account, as the registrar granted it."""

    session: str
    account: str
    party: str
    expires_in_s: float
    limits: SessionLimits = SessionLimits()


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """Why no session was opened: bad-credentials, account-suspended, window-closed, too-many-sessions, overloaded, unreachable.

    `maybe_open`: a session may stand there all the same. `scope`: whom the pause binds, where the registrar said so.
    """

    code: str
    retry_after_ms: int | None = None
    opens_at: int | None = None
    maybe_open: bool = False
    scope: Scope | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """What the registrar says of its own load (`/v1/load`), or None for what it did not say."""

    state: str
    sessions: int | None = None
    records_per_second: float | None = None
    latency_p95_ms: float | None = None


class ClockSample(NamedTuple):
    """One `Date` header: the registrar's second, and our wall clock before sending and after reading (ms)."""

    date_at: int
    sent_at: int
    read_at: int


class Line(NamedTuple):
    """One record ready for the wire: its key and its body, bytes as they will be sent."""

    line: int
    key: str
    body: bytes


class Upload(Protocol):
    """One open exchange of records. `write` is synchronous: the permit check and the write are one step."""

    def is_clear(self) -> bool:
        """Say whether the transport holds no unsent byte and the shape can take lines now."""
        ...

    def room(self) -> int:
        """Return how many lines may be written now (shape's batch, max_in_flight); 0 while not clear."""
        ...

    def write(self, lines: Sequence[Line], until: int | None = None) -> None:
        """Hand lines to the transport at once; raises WireFault(maybe_delivered=False) when it is closed.

        `until` (monotonic ms) is when their permits lapse: a shape that must connect first looks again as the bytes leave.
        """
        ...

    def listen(self, hear: Callable[[Sequence[Answer] | End], None]) -> None:
        """Have answers told in handfuls, in the step in which they are read, and last an End; what came before is told at once."""
        ...

    async def finish(self) -> None:
        """Say that no more lines come; answers go on until the End."""
        ...

    def abort(self) -> None:
        """Cut the connection now: unsent bytes never leave."""
        ...


class Wire(Protocol):
    """One registry's endpoint in one shape. `workers/wires/` has the three shapes; the simulator has its own."""

    async def log_in(self, account: str, secret: str) -> OpenSession | LoginRefused:
        """Open a session; the newest of an account wins."""
        ...

    async def log_out(self, session: OpenSession) -> bool:
        """Close the session; say whether the registrar confirmed it."""
        ...

    def open(self, session: OpenSession) -> Upload:
        """Begin an exchange of records."""
        ...

    async def ask(self, session: OpenSession, key: str) -> Answer | End:
        """Ask what became of one key; `absent` when the registrar has no such record."""
        ...

    async def load(self) -> Load | None:
        """Ask for the registrar's load; None when it does not tell."""
        ...

    def on_clock(self, listener: Callable[[ClockSample], None]) -> None:
        """Have every `Date` header told to `listener`."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
