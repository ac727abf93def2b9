"""What a session has in hand: its claimed slices, which of their lines may be sent now, and which are out without an answer.

Pure bookkeeping of states; it must not do I/O nor know permits. A line is in one place only: ready, waiting for another line of its
slice, due later (the registrar said retry), to be asked about, out, or done with.
"""

import heapq
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

from domain.jobs import ClaimedSlice
from domain.states import RecordState
from domain.wire import Line
from ledger.boxes import SliceBox


class Hand:
    """One claimed slice in hand."""

    def __init__(self, claimed: ClaimedSlice, box: SliceBox, *, idempotent: bool) -> None:
        """Sort the lines by their states: pending ones go out; unknown ones go out again with the same key, or are asked about."""
        self.claimed = claimed
        self.idempotent = idempotent and not claimed.ask_only
        self.lines = [
            Line(n, key, body) for n, (key, body) in enumerate(zip(box.keys, box.bodies, strict=True))
        ]
        states = [RecordState(chr(byte)) for byte in claimed.states]
        self.unsettled = {
            n for n, state in enumerate(states) if state in (RecordState.PENDING, RecordState.UNKNOWN)
        }
        #: lines that may have been recorded by an earlier try whose answer was never read
        self.unknown = {n for n in self.unsettled if states[n] is RecordState.UNKNOWN}
        if claimed.ask_only:
            self.unsettled = set(self.unknown)
        self.ever_unknown = set(self.unknown)
        #: unknown lines of a ledger that was put back from a copy: asked about first, also where a key has one effect
        self.ask_first = set(self.unknown) if claimed.ask_first and self.idempotent else set()
        #: lines not sent since the ledger gave them out as unknown: nobody gets those before a late original would have surfaced
        self.aged = set(self.unknown)
        #: lines found absent and not sent since: they go first, since what a question told is forgotten with the claim
        self.absent: set[int] = set()
        self.ready: deque[int] = deque()
        self.asking: deque[int] = deque()
        self.later: list[tuple[int, int]] = []
        self.waiting: dict[int, list[int]] = {}
        self.out: set[int] = set()
        self.marked = len(self.lines) if idempotent else claimed.watermark
        self.dropped = False
        for n in sorted(self.unsettled):
            # questions need no order
            blocker = None if claimed.ask_only else box.after.get(n)
            if blocker is not None and states[blocker] not in _ANSWERED:
                self.waiting.setdefault(blocker, []).append(n)
            else:
                self._let_go(n)

    def _let_go(self, n: int) -> None:
        asks = n in self.unknown and (not self.idempotent or n in self.ask_first)
        (self.asking if asks else self.ready).append(n)

    def sendable(self) -> int:
        """Return how many lines may be sent now: ready, and below the committed watermark."""
        if self.idempotent:
            return len(self.ready)
        return sum(1 for _ in takewhile(lambda n: n < self.marked, self.ready))

    def take(self, count: int) -> list[Line]:
        """Take up to `count` sendable lines, in order; they are out from now on."""
        taken: list[Line] = []
        while self.ready and len(taken) < count and self.ready[0] < self.marked:
            n = self.ready.popleft()
            self.out.add(n)
            self.aged.discard(n)
            self.absent.discard(n)
            taken.append(self.lines[n])
        return taken

    def answer(self, n: int) -> None:
        """A line is decided: the one that waited for it may go."""
        self.out.discard(n)
        self.unsettled.discard(n)
        self.unknown.discard(n)
        for waiter in self.waiting.pop(n, ()):
            if not self.dropped:
                self._let_go(waiter)

    def stall(self, n: int) -> None:
        """A line became doubtful: people decide, and those behind it stay where they are."""
        self.out.discard(n)
        self.unsettled.discard(n)
        self.unknown.discard(n)

    def put_back(self, n: int) -> None:
        """A line was certainly not recorded: it may go again, in its place."""
        self.out.discard(n)
        if not self.dropped:
            self.ready.appendleft(n)

    def put_off(self, n: int, due_at: int) -> None:
        """A line may go again at `due_at` (monotonic ms)."""
        self.out.discard(n)
        if not self.dropped:
            heapq.heappush(self.later, (due_at, n))

    def lose(self, n: int) -> None:
        """A line's answer will not come: it is unknown."""
        self.out.discard(n)
        self.unknown.add(n)
        self.ever_unknown.add(n)

    def ask_about(self, n: int) -> None:
        """A line must be asked about before anything else happens to it."""
        self.out.discard(n)
        self.unknown.add(n)
        self.ever_unknown.add(n)
        self.asking.append(n)

    def believe_absent(self, n: int) -> None:
        """The registrar has no such record, and no late one can surface: it may be sent."""
        self.unknown.discard(n)
        self.ask_first.discard(n)
        self.out.discard(n)
        if not self.dropped:
            self.absent.add(n)
            self.ready.appendleft(n)

    def wake(self) -> None:
        """Make the line that is due first ready; one that was asked about is asked about again."""
        self._let_go(heapq.heappop(self.later)[1])

    def drop(self) -> None:
        """The job is paused or cancelled: send no more of it; answers still count."""
        self.dropped = True
        self.absent.clear()
        self.ready.clear()
        self.later.clear()
        self.waiting.clear()
        self.asking.clear()

    def is_idle(self, after: int, before: int) -> bool:
        """Say whether nothing can move: nothing is ready, out or asked about, nor due between these instants (monotonic ms).

        What was due before `after` is there because no retry is left for it.
        """
        return not (
            self.ready or self.out or self.asking or (self.later and after < self.later[0][0] <= before)
        )


@dataclass(slots=True)
class Out:
    """One line that is out: where it belongs, and when it was written (monotonic ms)."""

    hand: Hand
    line: int
    written_at: int


class Stock:
    """All slices in hand, oldest first."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.hands: list[Hand] = []
        #: fewer ready lines than this call for another slice, fewer marked ones for another mark
        self.low_water = self.mark_water = 1
        self.out: dict[str, Out] = {}

    def add(self, hand: Hand) -> None:
        """Take a slice in hand."""
        self.hands.append(hand)

    def sendable(self) -> int:
        """Return how many lines may be sent now."""
        # plain loops here and below: these are asked for at every tick and every answer
        count = 0
        for hand in self.hands:
            count += hand.sendable()
        return count

    def unsent(self) -> int:
        """Return how many lines are ready, marked or not."""
        count = 0
        for hand in self.hands:
            count += len(hand.ready)
        return count

    def has_absent(self) -> bool:
        """Say whether lines that were found absent wait to be sent."""
        return any(hand.absent for hand in self.hands)

    def asking(self) -> int:
        """Return how many lines wait to be asked about."""
        count = 0
        for hand in self.hands:
            count += len(hand.asking)
        return count

    def put_off(self) -> int:
        """Return how many lines may go again later."""
        count = 0
        for hand in self.hands:
            count += len(hand.later)
        return count

    def take(self, count: int, now: int) -> list[Line]:
        """Take up to `count` lines for writing at `now` (monotonic ms)."""
        taken: list[Line] = []
        for hand in self.hands:
            for line in hand.take(count - len(taken)):
                self.out[line.key] = Out(hand, line.line, now)
                taken.append(line)
            if len(taken) == count:
                break
        return taken

    def put_back(self, keys: Iterable[str]) -> int:
        """Lines certainly not recorded may go again, in their order; returns how many."""
        count = 0
        for key in reversed(list(keys)):
            out = self.out.pop(key, None)
            if out is not None:
                out.hand.put_back(out.line)
                count += 1
        return count

    def lose_all(self) -> int:
        """No answer will come any more: what is out is unknown; returns how many."""
        for out in self.out.values():
            out.hand.lose(out.line)
        count = len(self.out)
        self.out.clear()
        return count

    def wake_one(self) -> None:
        """Make the put-off line that is due first ready."""
        min((hand for hand in self.hands if hand.later), key=lambda hand: hand.later[0]).wake()

    def next_due(self) -> int | None:
        """Return when the next put-off line is due (monotonic ms)."""
        return min((hand.later[0][0] for hand in self.hands if hand.later), default=None)

    def sweep(self, after: int, before: int) -> list[Hand]:
        """Forget slices that are done with; return those of which nothing can move (`Hand.is_idle`): to be given back."""
        stuck = [hand for hand in self.hands if hand.unsettled and hand.is_idle(after, before)]
        self.hands = [hand for hand in self.hands if hand.unsettled and not hand.is_idle(after, before)]
        return stuck


_ANSWERED = frozenset({RecordState.ACCEPTED, RecordState.REJECTED, RecordState.UNPROCESSED})
