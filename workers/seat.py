"""A seat at the pacer: one session's totals, the permits that it holds, and when it has something to say to the gate.

A seat that the gate gave less than it wanted rests for a part of its burst, so that permits come in handfuls of a few: every handful
costs a call and a packet. Its bucket goes on filling meanwhile. Seats that rest alike wake at the same instants, so that one call
carries them all. It must not know records, wires or the ledger, nor call the gate itself.
"""

from collections import deque
from collections.abc import Callable

from domain.clock import Clock
from domain.quota import AccountQuota, BoundBy, Lease, Permit, TickLine

#: between two ticks that only renew leases (ms)
RENEW_MS = 900
#: the longest that a bound seat waits before it asks again (ms)
ASK_AGAIN_MS = 250
#: a seat that was given less than it wanted rests for this part of its burst, and no longer than REST_MS
REST_OF_BURST = 0.6
REST_MS = 200
#: with fewer records left than this it rests the less: the last ones of a file need not wait for a handful
FULL_REST_FROM = 8
#: totals that the gate does not know are told with the next draw, or within so long (ms) by a seat that does not rest
TELL_MS = 100
#: its first answers are told sooner (ms): after a standstill buckets are full, and refill only when what is out is known to be answered
FIRST_TOLD_MS = 10
_SHUT = frozenset({BoundBy.HOLD, BoundBy.WINDOW, BoundBy.PUSHBACK})


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
        #: how long it rests when it was given less than it wanted (ms); see `pace`
        self.rest_ms = 0
        self.granted = 0
        self.lapsed = 0
        self.sent = 0
        self.settled = 0
        self.alive = True
        self.ending = False
        self.bound_by = BoundBy.NOTHING
        #: the last draw was given less than it wanted
        self.is_bound = False
        self.retry_at = 0
        self._wants = wants
        self._on_permit = on_permit
        self._clock = clock
        self._held: deque[list[int]] = deque()
        self._lease_until = clock.monotonic() + lease_ms
        self._told = (0, 0, 0, 0)
        self._answered_at = 0
        self._told_at = clock.monotonic() - RENEW_MS
        self._rest_until = 0
        self._held_count = 0

    def pace(self, *quotas: AccountQuota) -> None:
        """Draw in handfuls that fit all these rates and bursts: small parts of what the burst is worth that is worth least."""
        worth_ms = [quota.burst / quota.rate * 1000 for quota in quotas if quota.rate > 0]
        self.rest_ms = min([REST_MS, *(int(each * REST_OF_BURST) for each in worth_ms)])

    def usable(self) -> int:
        """Return how many permits are valid at this instant; those that lapsed are counted for handing back."""
        if not self._held:
            return 0
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
        self._answered_at = self._clock.monotonic()

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

    def line_if_due(self, now: int) -> TickLine | None:
        """Return this seat's part of a tick where it has something to say to the gate."""
        want = self.want() if self._asks_at(now) <= now else 0
        return self._line(want, now) if want or self._tells_at() <= now else None

    def due_before(self, latest: int, now: int) -> int:
        """Return when this seat has something to say to the gate (monotonic ms), or `latest` where that comes first.

        What its session wants is counted only where it matters: there are many seats, and many ticks a second.
        """
        due = min(self._tells_at(), latest)
        asks_at = self._asks_at(now)
        return asks_at if due > now and asks_at < due and self.want() else due

    def _tells_at(self) -> int:
        """What is out keeps its place in the buckets until its answer is told; the gate hears its age, so the next draw is soon enough."""
        if not self.has_news():
            return self._told_at + RENEW_MS
        if self.rest_ms and self.settled and not self._told[3]:
            return self._told_at + FIRST_TOLD_MS
        if not self.rest_ms:
            return self._told_at + TELL_MS
        return max(self._told_at + self.rest_ms, self._rest_until)

    def _asks_at(self, now: int) -> int:
        return max(self._rest_until, min(self.retry_at, now + ASK_AGAIN_MS))

    def _line(self, want: int, now: int) -> TickLine:
        self._told = (self.granted, self.lapsed, self.sent, self.settled)
        self._told_at = now
        # less one: both are whole milliseconds, and it must not be longer ago than is said
        answered_ms_ago = max(0, now - self._answered_at - 1)
        return TickLine(self.lease, self.granted, self.lapsed, self.sent, self.settled, want, answered_ms_ago)

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
        if want:
            left = want - permit.granted
            self.is_bound = left > 0
            part_ms = self.rest_ms * min(FULL_REST_FROM, left) // FULL_REST_FROM
            self._rest_until = _wakes_at(asked_at, part_ms) if self.is_bound else 0
        if permit.valid_ms <= 0:
            # shut, or told to end: what was drawn before that must not be used after it either
            self.hand_back()
        if permit.granted:
            self.granted += permit.granted
            self._held_count += permit.granted
            self._held.append([permit.granted, asked_at + permit.valid_ms])
        self._lease_until = asked_at + permit.lease_left_ms
        self.bound_by = permit.bound_by
        if want or permit.bound_by is not BoundBy.NOTHING:
            self.retry_at = now + permit.retry_after_ms
        self.ending = self.ending or permit.ending
        self._live_on(permit.alive, now)
        # Permits still in hand were not spent because the connection held unsent bytes: it is looked at again.
        if self._held_count or self.is_shut():
            self._on_permit()

    def is_shut(self) -> bool:
        """Say whether the gate, as it last answered, wants the session to end or to pause."""
        return not self.alive or self.ending or self.bound_by in _SHUT

    def lose_gate(self) -> None:
        """The gate is lost: permits are void; the lease lives until its time is up by our own clock."""
        self.hand_back()
        now = self._clock.monotonic()
        # what was said last was perhaps not heard: it is said again at the first chance
        self._told_at = now - RENEW_MS
        self._live_on(True, now)
        self._on_permit()

    def _live_on(self, alive: bool, now: int) -> None:
        self.alive = self.alive and alive and now < self._lease_until
        if not self.alive:
            self.hand_back()


def _wakes_at(now: int, rest_ms: int) -> int:
    """Return the common instant (monotonic ms) that is nearest to the end of a rest."""
    step = max(1, rest_ms)
    return max(now, (now + rest_ms + step // 2) // step * step)
