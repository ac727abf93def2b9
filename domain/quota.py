"""What may be done right now, as values and one port: leases, permits, shares, usage. `quotas/` keeps them in Redis by Lua.

The gate clock (ms) belongs to Redis: it advances with every call by at most 300 ms. Totals are absolute per lease, so that a repeated or
lost call heals itself. Rates are records a second; counts are records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from domain.wire import Scope


class BoundBy(StrEnum):
    """What binds a draw now; the closed set behind `why`, status and the metrics' label `reason`."""

    NOTHING = "nothing"
    ACCOUNT = "account"
    PARTY = "party"
    REGISTRY = "registry"
    WINDOW = "window"
    HOLD = "hold"
    PUSHBACK = "pushback"
    STARTING = "starting"
    LEASE_LOST = "lease_lost"
    SESSIONS = "sessions"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True)
class RegistryQuota:
    """The limits of one registry as the gate enforces them (rate before the brake; the brake works through the shares and `rate`)."""

    registry: str
    rate: float
    burst: int
    sessions: int
    answer_timeout_ms: int
    settle_ms: int
    newest_wins: bool
    lease_ms: int = 6_000


@dataclass(frozen=True, slots=True)
class AccountQuota:
    """The bucket of one account: the lower of policy and what the registrar told at log-in."""

    rate: float
    burst: int


@dataclass(frozen=True, slots=True)
class Lease:
    """The fenced right to use one account until `lease_ms` after the last renewal. `generation` is the gate's."""

    registry: str
    party: str
    account: str
    holder: str
    token: int
    generation: int


@dataclass(frozen=True, slots=True)
class LeaseRefused:
    """No lease: what binds, and when to ask again (ms)."""

    bound_by: BoundBy
    retry_after_ms: int


class TickLine(NamedTuple):
    """One session's part in a tick, all totals since the lease was taken.

    `granted`: permits the session knows it was given; `lapsed`: of those, handed back unsent; `sent`: written; `settled`: answered
    (sent = settled + outstanding). `want`: how many permits it could use now; 0 = renew and settle only. `answered_ms_ago`: how long ago
    at least the newest of the answers was read; a bucket that is full begins to refill then, not when it is told.
    """

    lease: Lease
    granted: int
    lapsed: int
    sent: int
    settled: int
    want: int
    answered_ms_ago: int = 0


@dataclass(frozen=True, slots=True)
class Debt:
    """What a lease had sent and not had answered when it was lost or given back, by its holder's last totals.

    `for_ms`: how long it may still arrive. A gate that was lost knows of it by this alone.
    """

    lease: Lease
    sent: int
    settled: int
    for_ms: int


class Permit(NamedTuple):
    """The answer for one session: `granted` new permits, valid for `valid_ms` from *before* the tick was asked.

    `alive` false: the lease is gone (expired, withdrawn, older generation): send nothing more. `ending` true: policy wants this session
    to end (its account was withdrawn, its turn is over): no new permits, finish and give back.
    """

    alive: bool
    granted: int
    valid_ms: int
    lease_left_ms: int
    bound_by: BoundBy
    retry_after_ms: int
    ending: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """What the scheduler gives one party until the next round. `open_until_ms` counts from now on the gate clock (0 = closed, ≤ 5,000)."""

    rate: float
    burst: int
    open_until_ms: int
    sessions: int = 0


@dataclass(frozen=True, slots=True)
class SessionUse:
    """One live or quarantined lease as the gate sees it."""

    party: str
    account: str
    holder: str
    token: int
    left_ms: int
    outstanding: int
    sent: int
    settled: int
    quarantined: bool = False


@dataclass(frozen=True, slots=True)
class PartyUse:
    """One party's use: level of its bucket, records outstanding, records sent in all since the generation began, its share (records/s)."""

    level: float
    outstanding: int
    sent: int
    bound_by: BoundBy = BoundBy.NOTHING
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Signals:
    """What the registrar's end said of its load since the generation began: totals, so that readers take differences.

    `closed_ms`: how long the registry's own Retry-After still binds. `latency_ms_sum` over `answers` gives a mean per interval.
    `clock_offset_ms`: registrar's clock minus ours, with its half width; None when never measured.
    """

    answers: int = 0
    errors: int = 0
    pushbacks: int = 0
    latency_ms_sum: int = 0
    load_state: str = ""
    closed_ms: int = 0
    clock_offset_ms: int | None = None
    clock_error_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """The whole of one registry's use at one instant of the gate clock.

    `level` stands in its bucket, of which `outstanding` are reserved; `standing` would be free if all of those were answered long since:
    an answer is told up to a rest later. `rate` is the registry's rate as braked (records/s).
    """

    generation: int
    gate_at: int
    level: float
    outstanding: int
    sent: int
    sessions: Sequence[SessionUse] = ()
    parties: Mapping[str, PartyUse] = field(default_factory=dict)
    signals: Signals = Signals()
    held: bool = False
    is_new: bool = False
    rate: float = 0.0
    standing: float = 0.0


class Quotas(Protocol):
    """The one door to what may be done now. Raises GateLost when Redis is away; no call is repeated by the client itself."""

    async def begin(self, generation: int, quota: RegistryQuota, *, epoch: int = 0) -> None:
        """Begin a generation: buckets empty, leases of older ones void, nothing drawn for one answer time-out.

        `epoch`, here and below: the leader's, refused (GateLost) when a newer one's was seen; 0 where nobody leads (tools, tests).
        """
        ...

    async def configure(
        self, quota: RegistryQuota, accounts: Mapping[str, AccountQuota], *, epoch: int = 0
    ) -> None:
        """Set limits of the registry and of its accounts (by account id); an account not named is withdrawn: its session is told to end."""
        ...

    async def lease(self, registry: str, party: str, account: str, holder: str) -> Lease | LeaseRefused:
        """Take one account, if it is free, not quarantined, its party's and the registry's sessions allow it, and the gate is open."""
        ...

    async def renew(self, lease: Lease) -> bool:
        """Renew now (log-in happens only straight after a renewal that succeeded)."""
        ...

    async def fenced(self, lease: Lease) -> None:
        """A log-in under this lease was answered: what an earlier dead session of the account had outstanding is spent now."""
        ...

    async def limit_account(self, lease: Lease, quota: AccountQuota) -> None:
        """The registrar told lower limits at log-in: they bind for this lease."""
        ...

    async def tick(
        self, registry: str, holder: str, tick_no: int, lines: Sequence[TickLine]
    ) -> Sequence[Permit]:
        """Settle, renew, hand back and draw for all sessions of one process; answers in the order of `lines`."""
        ...

    async def release(self, line: TickLine, *, logged_out: bool) -> None:
        """Give a lease back with its last totals; a session not known to be closed stays counted until its quarantine ends."""
        ...

    async def owe(self, registry: str, debts: Sequence[Debt]) -> Sequence[bool]:
        """Tell what lost leases have out: what the gate's generation does not know of is reserved in it until it cannot arrive any more.

        Returns, in order, what may still arrive and must be told again: when more of it is answered, and to the next generation. Raises
        GateLost when none has begun.
        """
        ...

    async def quarantine(self, registry: str, party: str, account: str, for_ms: int) -> None:
        """Keep an account out of use for a time (gate clock)."""
        ...

    async def set_shares(self, registry: str, epoch: int, shares: Mapping[str, Share], rate: float) -> None:
        """Write the shares that changed and the registry's braked rate; refused (GateLost) when a newer leader's epoch was seen."""
        ...

    async def end_sessions(self, registry: str, accounts: Sequence[str], *, epoch: int = 0) -> None:
        """Tell these accounts' sessions to end after what they have sent."""
        ...

    async def push_back(self, registry: str, scope: Scope, who: str, retry_after_ms: int) -> None:
        """The registrar said slow down: nothing is drawn in that scope (who = account or party id) until it is over."""
        ...

    async def hold(self, registry: str, party: str | None, *, on: bool, epoch: int = 0) -> None:
        """Stop (or let go) drawing for a registry or one party at once."""
        ...

    async def report(self, registry: str, holder: str, signals: Signals) -> None:
        """Add a process's signal totals (absolute per holder and generation, so repeating is harmless)."""
        ...

    async def usage(self, registry: str) -> Usage:
        """Read everything; `is_new` says that no generation has begun here (Redis was lost or is fresh)."""
        ...

    async def lead(self, holder: str, ttl_ms: int) -> int | None:
        """Take or keep the leader lease; the epoch when we lead, None when another does."""
        ...
