"""The pacer: asks the gate for permits, for all sessions of this process at one registry, in one call a tick.

How it goes, over and over:

1. each seat says how many permits its session could use now, and what it has sent, settled and let lapse in all;
2. one `quotas.tick` carries all of that; there is never a second one under way. A seat that has nothing to say is left out;
3. each permit is valid until (monotonic clock *before* the call) + `valid_ms`; what lapses unused is handed back in the next tick;
4. the next tick comes after 20 ms ± 50 %, or later where every seat rests (`workers/seat.py`): once a second is enough to renew leases.

When the gate is lost, nobody holds a permit any longer; a seat whose lease has run out by our own clock is dead.
It must not know records, wires or the ledger.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from functools import partial

from domain.clock import Clock
from domain.errors import GateLost
from domain.events import Emit, LoopFailed, PermitsDrawn
from domain.loop import Loop
from domain.quota import Lease, Permit, Quotas, TickLine
from workers.seat import RENEW_MS, Seat

#: between two ticks while anybody wants permits (s), before jitter
TICK_S = 0.020
#: the same when the gate gave all that was wanted: nothing binds, so nothing is won by waiting (s)
UNBOUND_S = 0.002
#: what was drawn is told so often (ms), not with every tick
TELL_DRAWN_MS = 1_000
#: after a tick that failed because the gate is lost (s), before jitter
LOST_S = 0.2


class Pacer:
    """One per process and registry."""

    def __init__(
        self,
        registry: str,
        holder: str,
        quotas: Quotas,
        clock: Clock,
        emit: Emit,
        jitter: random.Random | None = None,
    ) -> None:
        """Nothing runs until the first seat is taken."""
        self.registry = registry
        self.holder = holder
        self._quotas = quotas
        self._clock = clock
        self._emit = emit
        self._jitter = jitter or random.Random()  # noqa: S311 - spreads ticks, guards nothing
        self._seats: list[Seat] = []
        self._tick_no = 0
        #: when the next round comes, and before which none should (monotonic ms)
        self._next_at = clock.monotonic() + RENEW_MS
        self._not_before = 0
        self._nudged: asyncio.TimerHandle | None = None
        #: permits drawn since that was last told, and how often each reason bound
        self._drawn = 0
        self._bound: dict[str, int] = {}
        self._told_at = clock.monotonic() - TELL_DRAWN_MS
        self._loop = Loop("pacer", self.run_once, emit)

    def take_seat(
        self, lease: Lease, wants: Callable[[], int], on_permit: Callable[[], None], lease_ms: int
    ) -> Seat:
        """Have a session's lease renewed, and permits drawn for it, from the next tick on."""
        seat = Seat(lease, wants, on_permit, self._clock, lease_ms)
        self._seats.append(seat)
        self.nudge(seat)
        return seat

    def leave_seat(self, seat: Seat) -> None:
        """Draw and renew no more for it."""
        if seat in self._seats:
            self._seats.remove(seat)
        if not self._seats:
            self._tell()

    def nudge(self, seat: Seat) -> None:
        """Say that this seat may have something to say: it is heard as soon as it is due and an ordinary tick could be.

        Also where that lies ahead: when the pacer lay down to rest it did not know of it.
        """
        now = self._clock.monotonic()
        due = max(seat.due_before(self._next_at, now), self._not_before)
        if due < self._next_at:
            self._forget_nudge()
            self._next_at = due
            self._nudged = asyncio.get_running_loop().call_later(max(0, due - now) / 1000, self._loop.wake)

    def start(self) -> None:
        """Run ticks beside the sessions."""
        self._loop.start()

    async def stop(self) -> None:
        """End after the tick that is under way."""
        await self._loop.stop()

    async def run_once(self) -> float:
        """Make one tick, if anybody has something to say; returns the seconds until the next."""
        self._forget_nudge()
        asked_at = self._clock.monotonic()
        self._next_at = asked_at + RENEW_MS
        said = [(seat, line) for seat in self._seats if (line := seat.line_if_due(asked_at)) is not None]
        is_lost = bool(said) and not await self._tick(said, asked_at)
        pause_s = self._jittered(LOST_S if is_lost else TICK_S)
        self._not_before = asked_at + round(pause_s * 1000)
        rest_s = pause_s if is_lost else self._rest_s(pause_s)
        self._forget_nudge()  # whoever spoke up meanwhile was counted just now
        self._next_at = self._clock.monotonic() + round(rest_s * 1000)
        return rest_s

    async def _tick(self, said: Sequence[tuple[Seat, TickLine]], asked_at: int) -> bool:
        """Ask the gate once; False when it is lost."""
        lines = [line for _, line in said]
        self._tick_no += 1
        try:
            permits = await self._quotas.tick(self.registry, self.holder, self._tick_no, lines)
        except GateLost:
            for seat in list(self._seats):
                self._safely(seat, seat.lose_gate)
            return False
        for (seat, line), permit in zip(said, permits, strict=True):
            if (
                seat not in self._seats
            ):  # it left while the gate was asked: giving its lease back tells the gate
                continue
            self._safely(seat, partial(seat.receive, permit, line.want, asked_at))
        self._count(lines, permits)
        return True

    def _safely(self, seat: Seat, step: Callable[[], None]) -> None:
        """Tell one seat; what its session makes of it must not cost the others their permits."""
        try:
            step()
        except Exception as error:  # noqa: BLE001 - whatever it is, the session's own round meets it, too
            self._emit(LoopFailed(self.registry, seat.lease.party, "permit", type(error).__name__))

    def _forget_nudge(self) -> None:
        if self._nudged is not None:
            self._nudged.cancel()
            self._nudged = None

    def _count(self, lines: Sequence[TickLine], permits: Sequence[Permit]) -> None:
        """Count what was drawn, and how often each reason bound; tell it once in a while."""
        for line, permit in zip(lines, permits, strict=True):
            self._drawn += permit.granted
            if permit.granted < line.want:
                self._bound[permit.bound_by] = self._bound.get(permit.bound_by, 0) + 1
        if self._clock.monotonic() >= self._told_at + TELL_DRAWN_MS:
            self._tell()

    def _tell(self) -> None:
        self._told_at = self._clock.monotonic()
        if self._drawn or self._bound:
            self._emit(PermitsDrawn(self.registry, count=self._drawn, bound=self._bound))
            self._drawn, self._bound = 0, {}

    def _rest_s(self, pause_s: float) -> float:
        """Return how long nothing is lost by not ticking."""
        now = self._clock.monotonic()
        due = now + RENEW_MS
        for seat in self._seats:
            due = seat.due_before(due, now)
            if due <= now:
                break
        due_ms = max(0, due - now)
        if due_ms == 0 and any(not seat.is_bound and seat.want() for seat in self._seats):
            return UNBOUND_S
        return max(pause_s, due_ms / 1000)

    def _jittered(self, seconds: float) -> float:
        return seconds * self._jitter.uniform(0.5, 1.5)
