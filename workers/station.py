"""Everything that one process keeps for one registry, shared by its sessions: wire, pacer, settler, budget, signals, clock offset."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from domain.clock import Clock
from domain.events import Emit
from domain.jobs import ClaimedSlice
from domain.policy import RegistryRules
from domain.quota import Quotas
from domain.wire import Wire
from ledger.boxes import SliceBox
from ledger.protocols import Ledger
from workers.budget import RetryBudget, SignalBook
from workers.endings import Endings
from workers.owed import Owed
from workers.pacer import Pacer
from workers.settling import Settler

#: opens a claimed slice with its job's key
OpenSlice = Callable[[ClaimedSlice], SliceBox]
#: returns the instant (registrar's clock, ms) at which the party's window ends; None where it does not
ClosesAt = Callable[[str, int], int | None]


@dataclass(slots=True)
class ClockOffset:
    """The registrar's clock minus ours, and its half width (ms); both None when never measured."""

    offset_ms: int | None = None
    error_ms: int | None = None


@dataclass(slots=True)
class Station:
    """One registry as one process serves it."""

    rules: RegistryRules
    holder: str
    quotas: Quotas
    ledger: Ledger
    wire: Wire
    pacer: Pacer
    owed: Owed
    settler: Settler
    budget: RetryBudget
    signals: SignalBook
    clock: Clock
    emit: Emit
    open_slice: OpenSlice
    closes_at: ClosesAt
    endings: Endings
    maybe_ours: frozenset[str] = frozenset()
    lease_ms: int = 6_000
    offset: ClockOffset = field(default_factory=ClockOffset)
    #: our clock less the monotonic one (ms) when the present measurement began; None before the first
    anchor_ms: int | None = None
    #: accounts that sessions of this process hold, or ask for now
    in_hand: set[str] = field(default_factory=set)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    #: tells the scheduler that something changed in this registry
    wake: Callable[[str], None] = lambda registry: None  # noqa: ARG005 - the default hears nothing

    @property
    def registry(self) -> str:
        """The registry's name."""
        return self.rules.name

    def registrar_now(self) -> int:
        """Return the registrar's clock as we know it, on its fast side (ms): what closes, closes early rather than late.

        A step back of our clock is not believed until the registrar's was measured by it.
        """
        now = self.clock.now()
        if self.anchor_ms is None:
            self.trust_clock()
        else:
            now = max(now, self.clock.monotonic() + self.anchor_ms)
        return now + (self.offset.offset_ms or 0) + (self.offset.error_ms or 0)

    def trust_clock(self) -> None:
        """Take our clock as it is now: the registrar's has just been measured by it."""
        self.anchor_ms = self.clock.now() - self.clock.monotonic()
