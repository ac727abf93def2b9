"""What the tests of quotas share: a gate on a hand-moved clock, and a worker that keeps its totals as a pacer would."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import redis.asyncio as aioredis

from domain.quota import AccountQuota, BoundBy, Lease, LeaseRefused, Permit, RegistryQuota, Share, TickLine
from quotas.quotas import RedisQuotas

REGISTRY = "reg"
START_US = 1_767_225_600_000_000


def registry(
    rate: float = 800,
    burst: int = 800,
    sessions: int = 60,
    answer_timeout_ms: int = 1000,
    settle_ms: int = 0,
    *,
    newest_wins: bool = True,
    lease_ms: int = 6000,
) -> RegistryQuota:
    """Limits of the registry under test."""
    return RegistryQuota(REGISTRY, rate, burst, sessions, answer_timeout_ms, settle_ms, newest_wins, lease_ms)


class ManualMicros:
    """The server's clock as a test moves it, in µs."""

    def __init__(self) -> None:
        self.now_us = START_US

    def __call__(self) -> int:
        return self.now_us

    def advance(self, ms: float) -> None:
        """Move it by `ms` (also back)."""
        self.now_us += int(ms * 1000)


@dataclass
class Gate:
    """A gate whose clock only the test moves; time passes in steps that the gate takes in full."""

    client: aioredis.Redis
    clock: ManualMicros = field(default_factory=ManualMicros)
    quotas: RedisQuotas = field(init=False)
    epoch: int = 1

    def __post_init__(self) -> None:
        self.quotas = RedisQuotas(self.client, test_clock=self.clock)

    async def open(
        self,
        quota: RegistryQuota | None = None,
        accounts: Mapping[str, AccountQuota] | None = None,
        shares: Mapping[str, Share] | None = None,
        fill_ms: int = 1000,
        generation: int = 1,
    ) -> None:
        """Begin, configure (by default accounts a1 to a4 at 20/s), let the buckets fill for `fill_ms`, write the shares."""
        quota = quota or registry()
        await self.quotas.begin(generation, quota)
        chosen = accounts if accounts is not None else {f"a{i}": AccountQuota(20, 20) for i in range(1, 5)}
        await self.quotas.configure(quota, chosen)
        parties = shares if shares is not None else {"P1": Share(80, 80, 5000)}
        await self.share(parties, quota.rate)
        await self.pass_time(fill_ms)
        await self.share(parties, quota.rate)

    async def share(self, shares: Mapping[str, Share], rate: float = 800) -> None:
        """Write shares as the leader."""
        await self.quotas.set_shares(REGISTRY, self.epoch, shares, rate)

    async def pass_time(self, ms: int) -> None:
        """Let `ms` pass in steps short enough for the gate's clock to follow."""
        while ms > 0:
            step = min(ms, 250)
            self.clock.advance(step)
            await self.quotas.usage(REGISTRY)
            ms -= step

    async def take(self, account: str = "a1", party: str = "P1", holder: str = "w1") -> Lease:
        """Take a lease that must be granted."""
        lease = await self.quotas.lease(REGISTRY, party, account, holder)
        assert isinstance(lease, Lease), lease
        return lease

    async def refused(self, account: str = "a1", party: str = "P1", holder: str = "w1") -> BoundBy:
        """Ask for a lease that must be refused; why."""
        answer = await self.quotas.lease(REGISTRY, party, account, holder)
        assert isinstance(answer, LeaseRefused), answer
        assert answer.retry_after_ms > 0
        return answer.bound_by

    async def outstanding(self) -> int:
        """Records outstanding in the registry's bucket."""
        return (await self.quotas.usage(REGISTRY)).outstanding


@dataclass
class Session:
    """One session's totals as its worker keeps them."""

    lease: Lease
    granted: int = 0
    lapsed: int = 0
    sent: int = 0
    settled: int = 0
    #: how long ago the newest answer was read (ms)
    ago: int = 0

    def line(self, want: int = 0) -> TickLine:
        """Its line of a tick."""
        return TickLine(self.lease, self.granted, self.lapsed, self.sent, self.settled, want, self.ago)

    def learn(self, permit: Permit) -> int:
        """Take what a tick granted."""
        self.granted += permit.granted
        return permit.granted

    def send_all(self) -> int:
        """Send every permit in hand."""
        count = self.granted - self.lapsed - self.sent
        self.sent += count
        return count

    def settle_all(self) -> None:
        """Have every sent record answered."""
        self.settled = self.sent


@dataclass
class Process:
    """One worker process: its tick numbers and its sessions."""

    gate: Gate
    holder: str = "w1"
    tick_no: int = 0

    async def tick(self, sessions: Sequence[Session], want: int | Sequence[int] = 0) -> list[Permit]:
        """Tick once and learn the answers."""
        permits = await self.unheard_tick(sessions, want)
        for session, permit in zip(sessions, permits, strict=True):
            session.learn(permit)
        return permits

    async def unheard_tick(self, sessions: Sequence[Session], want: int | Sequence[int] = 0) -> list[Permit]:
        """Tick once; the answers are lost on the way."""
        self.tick_no += 1
        wants = [want] * len(sessions) if isinstance(want, int) else want
        lines = [s.line(w) for s, w in zip(sessions, wants, strict=True)]
        return list(await self.gate.quotas.tick(REGISTRY, self.holder, self.tick_no, lines))
