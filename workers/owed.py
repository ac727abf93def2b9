"""What this process's lost leases have out, told to the gate until none of it can arrive any more.

Where Redis is lost, the gate forgets what was sent before; where the way to the registrar stands still meanwhile, all of that arrives
later, on top of what is sent anew. Only who sent it knows of it. So every session that ends, or loses its lease, leaves its totals here.
The gate tells those of its own generation, which it knows itself, from those that it must reserve (quotas/lua/owe.lua); it is told again
when more is answered, and once a second, since another generation may have begun. It must not send, nor decide what an answer means.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.clock import Clock
from domain.errors import GateLost
from domain.events import Emit
from domain.loop import Loop
from domain.policy import RegistryRules
from domain.quota import Debt, Lease, Quotas
from workers.seat import Seat

#: a permit that was drawn before the lease was lost may still be used by bytes on their way to the connection (ms)
LAST_PERMIT_MS = 1_000
#: between two tellings: of sessions that still read answers, of others, and where the gate is lost (s)
SOON_S, AGAIN_S, LOST_S = 0.25, 1.0, 0.2
#: with nothing out (s); whoever leaves something here wakes it
IDLE_S = 60.0


@dataclass(slots=True)
class _Left:
    """What one lease has left: by its seat's totals while its session still reads answers, then by the last ones."""

    lease: Lease
    until: int
    seat: Seat | None
    sent: int = 0
    settled: int = 0
    #: the gate may hold some of it reserved
    is_told: bool = False

    def bring(self) -> None:
        """Take the seat's totals."""
        if self.seat is not None:
            self.sent, self.settled = self.seat.sent, self.seat.settled

    def is_out(self) -> bool:
        """Say whether any of it is out, or the gate believes so."""
        return self.settled < self.sent or self.is_told

    def is_over(self, now: int) -> bool:
        """Say whether there is nothing more to tell: all is answered and told, or none can arrive any more."""
        return self.until <= now or (self.seat is None and not self.is_out())


class Owed:
    """One per process and registry."""

    def __init__(self, registry: str, quotas: Quotas, clock: Clock, emit: Emit) -> None:
        """Know of nothing; nothing runs until `start`."""
        self._registry = registry
        self._quotas = quotas
        self._clock = clock
        self._left: dict[int, _Left] = {}
        self._loop = Loop("owed", self.run_once, emit)

    def lose(self, seat: Seat, rules: RegistryRules) -> None:
        """A session's lease is gone: it sends no more, and reads answers on. A second word of the same changes nothing."""
        if seat.lease.token not in self._left:
            self._left[seat.lease.token] = _Left(seat.lease, self._over_at(rules), seat)
            self._loop.wake()

    def leave(self, seat: Seat, rules: RegistryRules) -> None:
        """A session is over: nobody reads answers of it any more."""
        self.lose(seat, rules)
        left = self._left[seat.lease.token]
        left.bring()
        left.seat = None

    def start(self) -> None:
        """Tell beside the sessions."""
        self._loop.start()

    async def stop(self) -> None:
        """End after the telling that is under way."""
        await self._loop.stop()

    async def run_once(self) -> float:
        """Tell what is out; returns the seconds until it is told again."""
        now = self._clock.monotonic()
        for left in self._left.values():
            left.bring()
        self._left = {token: left for token, left in self._left.items() if not left.is_over(now)}
        told = [left for left in self._left.values() if left.is_out()]
        if told and not await self._tell(told, now):
            return LOST_S
        if any(left.seat is not None for left in self._left.values()):
            return SOON_S
        return AGAIN_S if self._left else IDLE_S

    async def _tell(self, told: Sequence[_Left], now: int) -> bool:
        """Tell these; False where the gate is lost. What it holds to be over is forgotten here, too."""
        debts = [Debt(left.lease, left.sent, left.settled, left.until - now) for left in told]
        for left in told:
            left.is_told = True  # also where its answer is lost
        try:
            still = await self._quotas.owe(self._registry, debts)
        except GateLost:
            return False
        for left, may_arrive in zip(told, still, strict=True):
            left.is_told = may_arrive
            if not may_arrive and left.seat is None:
                self._left.pop(left.lease.token, None)
        return True

    def _over_at(self, rules: RegistryRules) -> int:
        kept_s = rules.answer_timeout_s + rules.settle_s
        return self._clock.monotonic() + LAST_PERMIT_MS + round(kept_s * 1000)
