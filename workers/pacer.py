"""The pacer: asks the gate for permits, for all sessions of this process at one registry, in one call a tick.

How it goes, over and over:

1. each seat says how many permits its session could use now, and what it has sent, settled and let lapse in all;
2. one `quotas.tick` carries all of that; there is never a second one under way. A seat that has nothing to say is left out;
3. each permit is valid until (monotonic clock *before* the call) + `valid_ms`; what lapses unused is handed back in the next tick;
4. a seat that the gate gave less than it wanted rests for a small part of its burst, so that permits come in handfuls of a few: every
   handful costs a call and a packet. Its bucket goes on filling meanwhile, so no pace is lost;
5. the next tick comes after 20 ms ± 50 %, or later where nobody can use a permit: once a second is enough to renew leases.

When the gate is lost, nobody holds a permit any longer; a seat whose lease has run out by our own clock is dead.
It must not know records, wires or the ledger.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence

from domain.clock import Clock
from domain.errors import GateLost
from domain.events import Emit, PermitsDrawn
from domain.loop import Loop
from domain.policy import RegistryRules
from domain.quota import AccountQuota, BoundBy, Lease, Permit, Quotas, TickLine

#: between two ticks while anybody wants permits (s), before jitter
TICK_S = 0.020
#: the same when the gate gave all that was wanted: nothing binds, so nothing is won by waiting (s)
UNBOUND_S = 0.002
#: between two ticks that only renew leases (ms)
RENEW_MS = 900
#: after a tick that failed because the gate is lost (s), before jitter
LOST_S = 0.2
#: the longest that a bound seat waits before it asks again (ms)
ASK_AGAIN_MS = 250
#: a seat that was given less than it wanted rests for this part of its burst, and no longer than REST_MS
REST_OF_BURST = 0.25
REST_MS = 100
#: with fewer records left than this it rests the less: the last ones of a file need not wait for a handful
FULL_REST_FROM = 8
#: totals that the gate does not know are told within so long (ms), or with the next draw of a seat that rests for longer
TELL_MS = 100


class Seat:
    """One session's place at the pacer: its totals, the permits that it holds, and what the gate last said."""

    def __init__(
        self,
        lease: Lease,
        wants: Callable[[], int],
        on_permit: Callable[[], None],
        clock: Clock,
        lease_ms: int,
    ) -> None:
        """`wants` tells how many records the session could send now; `on_permit` is called after every tick."""
        self.lease = lease
        #: how long it rests when it was given less than it wanted (ms)
        self.rest_ms = 0
        self.granted = 0
        self.lapsed = 0
        self.sent = 0
        self.settled = 0
        self.alive = True
        self.ending = False
        self.bound_by = BoundBy.NOTHING
        self.retry_at = 0
        self._wants = wants
        self._on_permit = on_permit
        self._clock = clock
        self._held: deque[list[int]] = deque()
        self._lease_until = clock.monotonic() + lease_ms
        self._told = (0, 0, 0, 0)
        self._told_at = clock.monotonic() - RENEW_MS
        self._rest_until = 0
        self._held_count = 0

    def usable(self) -> int:
        """Return how many permits are valid at this instant; those that lapsed are counted for handing back."""
        now = self._clock.monotonic()
        while self._held and (self._held[0][1] <= now or not self.alive):
            count = self._held.popleft()[0]
            self.lapsed += count
            self._held_count -= count
        return self._held_count

    def spend(self, count: int) -> int:
        """Use `count` valid permits for records written in this very step; returns when the first of them lapses (monotonic ms)."""
        until = self._held[0][1]
        left = count
        while left:
            oldest = self._held[0]
            used = min(left, oldest[0])
            oldest[0] -= used
            left -= used
            if not oldest[0]:
                self._held.popleft()
        self.sent += count
        self._held_count -= count
        return until

    def unspend(self, count: int) -> None:
        """Take back a `spend` of which no byte left: those permits have lapsed."""
        self.sent -= count
        self.lapsed += count

    def settle(self, count: int) -> None:
        """Count answers."""
        self.settled += count

    def hand_back(self) -> None:
        """Let go of every permit held."""
        self.lapsed += self._held_count
        self._held_count = 0
        self._held.clear()

    def want(self) -> int:
        """Return how many more permits could be used now."""
        if not self.alive or self.ending:
            return 0
        return max(0, self._wants() - self.usable())

    def is_due(self, now: int) -> bool:
        """Say whether this seat has something to say to the gate."""
        return self._tells_at() <= now or (self._asks_at(now) <= now and self.want() > 0)

    def due_before(self, latest: int, now: int) -> int:
        """Return when this seat has something to say to the gate (monotonic ms), or `latest` where that comes first.

        What its session wants is counted only where it matters: there are many seats, and many ticks a second.
        """
        due = min(self._tells_at(), latest)
        asks_at = self._asks_at(now)
        return asks_at if due > now and asks_at < due and self.want() else due

    def _tells_at(self) -> int:
        return self._told_at + (max(TELL_MS, self.rest_ms) if self.has_news() else RENEW_MS)

    def _asks_at(self, now: int) -> int:
        return max(self._rest_until, min(self.retry_at, now + ASK_AGAIN_MS))

    def line(self) -> TickLine:
        """Return this seat's part of a tick."""
        want = self.want()
        self._told = (self.granted, self.lapsed, self.sent, self.settled)
        self._told_at = self._clock.monotonic()
        return TickLine(self.lease, self.granted, self.lapsed, self.sent, self.settled, want)

    def last_line(self) -> TickLine:
        """Return the totals for giving the lease back."""
        self.hand_back()
        return TickLine(self.lease, self.granted, self.lapsed, self.sent, self.settled, 0)

    def has_news(self) -> bool:
        """Say whether the gate does not know the present totals."""
        granted, lapsed, sent, settled = self._told
        return (
            settled != self.settled or sent != self.sent or granted != self.granted or lapsed != self.lapsed
        )

    def receive(self, permit: Permit, want: int, asked_at: int) -> None:
        """Take the gate's answer to the tick that was asked at `asked_at` (monotonic ms) with this `want`."""
        now = self._clock.monotonic()
        left = min(FULL_REST_FROM, want - permit.granted)
        self._rest_until = asked_at + self.rest_ms * left // FULL_REST_FROM if left > 0 else 0
        if permit.valid_ms <= 0:
            # shut, or told to end: what was drawn before that must not be used after it either
            self.hand_back()
        if permit.granted:
            self.granted += permit.granted
            self._held_count += permit.granted
            self._held.append([permit.granted, asked_at + permit.valid_ms])
        self._lease_until = asked_at + permit.lease_left_ms
        self.bound_by = permit.bound_by
        self.retry_at = now + permit.retry_after_ms
        self.ending = self.ending or permit.ending
        self._live_on(permit.alive, now)
        self._on_permit()

    def lose_gate(self) -> None:
        """The gate is lost: permits are void; the lease lives until its time is up by our own clock."""
        self.hand_back()
        self._live_on(True, self._clock.monotonic())
        self._on_permit()

    def _live_on(self, alive: bool, now: int) -> None:
        self.alive = self.alive and alive and now < self._lease_until
        if not self.alive:
            self.hand_back()


def rest_ms(told: AccountQuota | None, rules: RegistryRules) -> int:
    """Return how long a bound seat rests between draws (ms): a small part of what its burst is worth."""
    rate, burst = (told.rate, told.burst) if told is not None else (rules.account_rate, rules.account_burst)
    return min(REST_MS, int(burst / rate * 1000 * REST_OF_BURST)) if rate > 0 else REST_MS


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
        self._resting = False
        self._loop = Loop("pacer", self.run_once, emit)
        self._task: asyncio.Task[None] | None = None

    def take_seat(
        self, lease: Lease, wants: Callable[[], int], on_permit: Callable[[], None], lease_ms: int
    ) -> Seat:
        """Have a session's lease renewed, and permits drawn for it, from the next tick on."""
        seat = Seat(lease, wants, on_permit, self._clock, lease_ms)
        self._seats.append(seat)
        self.nudge()
        return seat

    def leave_seat(self, seat: Seat) -> None:
        """Draw and renew no more for it."""
        if seat in self._seats:
            self._seats.remove(seat)

    def nudge(self) -> None:
        """Say that a seat may want permits now: a long rest is cut short, an ordinary tick is not."""
        if self._resting:
            self._loop.wake()

    def start(self) -> None:
        """Run ticks beside the sessions."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(
                self._loop.run(), name=f"pacer-{self.registry}"
            )

    async def stop(self) -> None:
        """End after the tick that is under way."""
        self._loop.stop()
        if self._task is not None:
            await self._task

    async def run_once(self) -> float:
        """Make one tick, if anybody has something to say; returns the seconds until the next."""
        self._resting = False
        asked_at = self._clock.monotonic()
        seats = [seat for seat in self._seats if seat.is_due(asked_at)]
        if seats and not await self._tick(seats, asked_at):
            return self._jittered(LOST_S)
        return self._rest_s()

    async def _tick(self, seats: Sequence[Seat], asked_at: int) -> bool:
        """Ask the gate once; False when it is lost."""
        lines = [seat.line() for seat in seats]
        self._tick_no += 1
        try:
            permits = await self._quotas.tick(self.registry, self.holder, self._tick_no, lines)
        except GateLost:
            for seat in self._seats:
                seat.lose_gate()
            return False
        for seat, line, permit in zip(seats, lines, permits, strict=True):
            if (
                seat not in self._seats
            ):  # it left while the gate was asked: giving its lease back tells the gate
                continue
            seat.receive(permit, line.want, asked_at)
            if line.want:
                bound = permit.bound_by if permit.granted < line.want else BoundBy.NOTHING
                self._emit(PermitsDrawn(self.registry, line.lease.party, bound.value, permit.granted))
        return True

    def _rest_s(self) -> float:
        """Return how long nothing is lost by not ticking."""
        now = self._clock.monotonic()
        due = now + RENEW_MS
        for seat in self._seats:
            due = seat.due_before(due, now)
            if due <= now:
                break
        due_ms = max(0, due - now)
        if due_ms == 0 and any(seat.bound_by is BoundBy.NOTHING and seat.want() for seat in self._seats):
            return UNBOUND_S
        self._resting = due_ms > ASK_AGAIN_MS
        return max(self._jittered(TICK_S), due_ms / 1000)

    def _jittered(self, seconds: float) -> float:
        return seconds * self._jitter.uniform(0.5, 1.5)
