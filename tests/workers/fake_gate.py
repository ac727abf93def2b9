"""A small stand-in for the gate: it keeps the books that a test reads, and grants what the test sets."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.errors import GateLost
from domain.quota import AccountQuota, BoundBy, Debt, Lease, LeaseRefused, Permit, Signals, TickLine
from domain.wire import Scope


@dataclass
class FakeGate:
    """A gate that grants whatever is wanted, up to `per_tick` and `total`, until told otherwise."""

    per_tick: int = 50
    total: int = 1_000_000
    valid_ms: int = 1_000
    lease_ms: int = 6_000
    is_lost: bool = False
    is_alive: bool = True
    is_ending: bool = False
    bound_by: BoundBy = BoundBy.ACCOUNT
    renews: bool = True
    taken: set[str] = field(default_factory=set)
    given: int = 0
    ticks: list[tuple[int, tuple[TickLine, ...]]] = field(default_factory=list)
    fenced_leases: list[Lease] = field(default_factory=list)
    asked_for: list[str] = field(default_factory=list)
    limited: list[AccountQuota] = field(default_factory=list)
    pushes: list[tuple[Scope, str, int]] = field(default_factory=list)
    released: list[tuple[TickLine, bool]] = field(default_factory=list)
    reports: list[Signals] = field(default_factory=list)
    debts: list[Sequence[Debt]] = field(default_factory=list)
    #: tokens of leases of which nothing can arrive any more
    over: set[int] = field(default_factory=set)
    _token: int = 0

    async def lease(self, registry: str, party: str, account: str, holder: str) -> Lease | LeaseRefused:
        """Give every account once."""
        self.asked_for.append(account)
        if account in self.taken:
            return LeaseRefused(BoundBy.SESSIONS, 1000)
        self.taken.add(account)
        self._token += 1
        return Lease(registry, party, account, holder, self._token, 1)

    async def renew(self, lease: Lease) -> bool:
        """Renew as told."""
        return self.renews

    async def fenced(self, lease: Lease) -> None:
        """Note it."""
        self.fenced_leases.append(lease)

    async def limit_account(self, lease: Lease, quota: AccountQuota) -> None:
        """Note it."""
        self.limited.append(quota)

    async def tick(
        self, registry: str, holder: str, tick_no: int, lines: Sequence[TickLine]
    ) -> Sequence[Permit]:
        """Grant as told."""
        if self.is_lost:
            raise GateLost
        self.ticks.append((tick_no, tuple(lines)))
        return [self._permit(line) for line in lines]

    def _permit(self, line: TickLine) -> Permit:
        granted = 0
        if self.is_alive and not self.is_ending:
            granted = min(line.want, self.per_tick, self.total - self.given)
        self.given += granted
        bound = BoundBy.NOTHING if granted == line.want else self.bound_by
        left = self.lease_ms if self.is_alive else 0
        return Permit(self.is_alive, granted, self.valid_ms, left, bound, 5, self.is_ending)

    async def release(self, line: TickLine, *, logged_out: bool) -> None:
        """Take a lease back."""
        self.taken.discard(line.lease.account)
        self.released.append((line, logged_out))

    async def owe(self, registry: str, debts: Sequence[Debt]) -> Sequence[bool]:
        """Note it."""
        if self.is_lost:
            raise GateLost
        self.debts.append(tuple(debts))
        return [debt.sent > debt.settled and debt.lease.token not in self.over for debt in debts]

    async def push_back(self, registry: str, scope: Scope, who: str, retry_after_ms: int) -> None:
        """Note it."""
        self.pushes.append((scope, who, retry_after_ms))

    async def report(self, registry: str, holder: str, signals: Signals) -> None:
        """Note it."""
        self.reports.append(signals)
