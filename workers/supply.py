"""The supply of one session: slices claimed ahead of what is being sent, lines put off, and slices given back.

It must write nothing to the wire. A slice that is given back has its answers settled first.
"""

from domain.errors import PratunamError
from domain.events import LoopFailed
from domain.jobs import ClaimedSlice
from domain.quota import Lease
from domain.states import RecordState
from workers.ending import WAIT_INSIDE_MS
from workers.station import Station
from workers.stock import Hand, Stock

#: lines that should be ready, or marked as perhaps sent, ahead, at least: more would take a small job's last slices from idle accounts
AHEAD = 4
#: seconds of the present pace that should be ready ahead
AHEAD_S = 0.3
#: of slices that are long enough, this part should be ready ahead, and no more lines than that: a session whose lines run out rests
#: less (`workers/seat.py`), and would ask the gate between the others' ticks, by itself, twice a slice
AHEAD_OF_SLICE, AHEAD_MOST = 1 / 3, 12
#: over how long the pace is measured at a time (ms)
MEASURE_MS = 100
#: a claim that found nothing is tried again after so long while answers are still due (ms)
CLAIM_AGAIN_MS = 250
#: before a slice of which nothing can move is given out again (ms)
STUCK_PAUSE_MS = 60_000
#: lines that may be put off before nothing more is claimed: so many, or so many seconds of the present pace
PUT_OFF, PUT_OFF_S = 32, 2.0
#: a put-off line that waits so long for a retry (ms) has none to hope for soon: its slice goes back, for a pause
OVERDUE_MS = 1_000
SPENT_PAUSE_MS = 10_000


class Supply:
    """Claims and gives back for one lease."""

    def __init__(self, station: Station, lease: Lease, stock: Stock) -> None:
        """Nothing is claimed yet."""
        self._station = station
        self._lease = lease
        self._stock = stock
        self._claim_at = 0
        self._lines_of_slice = 0
        self._pace = 0.0
        self._paced = (0, 0)
        #: the last claim found nothing
        self.is_dry = False
        #: every slice that this session has had in hand
        self.slice_ids: list[str] = []

    async def claim_ahead(self, sent: int, now: int) -> None:
        """Claim until enough lines stand ready for the next moments."""
        self._measure(sent, now)
        self._stock.mark_water = self._ahead()
        of_slice = min(AHEAD_MOST, int(self._lines_of_slice * AHEAD_OF_SLICE))
        self._stock.low_water = max(self._stock.mark_water, of_slice)
        while self._is_short() and now >= self._claim_at:
            claimed = await self._station.ledger.claim(self._lease, self._station.clock.now())
            self.is_dry = claimed is None
            if claimed is None:
                self._claim_at = now + CLAIM_AGAIN_MS
                return
            await self._take_in_hand(claimed)

    def _ahead(self) -> int:
        """Return how many lines the next moments can send: a burst is over soon, and what its pace would claim is sent by the rate."""
        return max(AHEAD, int(min(self._pace, self._station.rules.account_rate) * AHEAD_S))

    def claims_at(self) -> int | None:
        """Return when a claim that found nothing is tried again (monotonic ms); None where lines stand ready."""
        return self._claim_at if self.is_dry and self._stock.unsent() < self._stock.low_water else None

    def _is_short(self) -> bool:
        """Say whether another slice is wanted: what is to be asked about, or put off by a busy registrar, would be claimed without end."""
        stock = self._stock
        is_low = stock.unsent() + stock.asking() < stock.low_water
        return is_low and stock.put_off() < max(PUT_OFF, int(self._pace * PUT_OFF_S))

    async def _take_in_hand(self, claimed: ClaimedSlice) -> None:
        """Open a slice with its job's key; one that does not open goes back, and people hear of it."""
        station = self._station
        try:
            box = station.open_slice(claimed)
        except PratunamError as error:
            station.emit(LoopFailed(station.registry, self._lease.party, "open-slice", error.code))
            unknown = [n for n, state in enumerate(claimed.states) if state == ord(RecordState.UNKNOWN)]
            now = station.clock.now()
            await station.ledger.give_back(
                claimed.slice_id, claimed.token, unknown, now, not_before=now + STUCK_PAUSE_MS
            )
            return
        self.slice_ids.append(claimed.slice_id)
        self._lines_of_slice = len(claimed.states)
        self._stock.add(Hand(claimed, box, idempotent=station.rules.idempotent))

    def _measure(self, sent_now: int, now: int) -> None:
        """Keep the present pace (records a second, a moving mean of about half a second)."""
        at, sent = self._paced
        if now - at >= MEASURE_MS:
            pace = (sent_now - sent) * 1000 / (now - at) if at else 0.0
            self._pace += 0.3 * (pace - self._pace)
            self._paced = (now, sent_now)

    async def mark_ahead(self) -> None:
        """Where keys do not protect, commit "sent up to here" before the next handful, so that a crash leaves few unknown."""
        for hand in self._stock.hands:
            if hand.idempotent or not hand.ready or hand.sendable() >= AHEAD // 2:
                continue
            ahead = self._ahead()
            upto = max(n for at, n in enumerate(hand.ready) if at < ahead) + 1
            if upto > hand.marked:
                claimed = hand.claimed
                if await self._station.ledger.mark_sent(
                    claimed.slice_id, claimed.token, upto, self._station.clock.now()
                ):
                    hand.marked = upto
                else:
                    hand.drop()

    def retry_due(self, now: int) -> None:
        """Make put-off lines ready, as far as the registry's retry budget goes."""
        due = self._stock.next_due()
        while due is not None and due <= now and self._station.budget.take():
            self._stock.wake_one()
            due = self._stock.next_due()

    async def give_back_stuck(self, now: int) -> None:
        """Give slices back whose lines are all due much later, or long since: the registry's retries are spent, and earned slowly."""
        for hand in self._stock.sweep(now - OVERDUE_MS, now + WAIT_INSIDE_MS):
            await self.give_back(hand)

    async def give_back(self, hand: Hand) -> None:
        """End the claim of a slice: what may have been recorded is unknown, the rest is pending.

        Its answers are settled first: another session that takes it must not send what has been answered.
        """
        await self._station.settler.flush([hand.claimed.slice_id])
        station, now = self._station, self._station.clock.now()
        unknown = sorted(hand.ever_unknown & hand.unsettled)
        not_before = None
        if unknown and not hand.idempotent:
            # whoever asks then may believe that the registrar does not have them
            not_before = now + int(station.rules.settle_s * 1000)
        elif hand.later:
            due_in_ms = hand.later[0][0] - station.clock.monotonic()
            not_before = now + (max(0, due_in_ms) if due_in_ms > -OVERDUE_MS else SPENT_PAUSE_MS)
        elif hand.waiting and not hand.ready and not unknown:
            not_before = now + STUCK_PAUSE_MS
        await station.ledger.give_back(
            hand.claimed.slice_id, hand.claimed.token, unknown, now, not_before=not_before
        )
