"""Records whose answer was never read, at a registrar that does not promise one effect a key: ask first.

Each question costs a permit. What one told is forgotten with the claim, so a line found absent is sent before another is asked about:
a short turn at a slow pace would else be spent on questions, and so would the next.
`absent` is believed only from a look at least `settle_s` after the record was last on its way: a late
original plus a second sending would be two effects. The ledger keeps that time, by giving no unknown record out before it is over.
Records of a job that is being cancelled are asked about everywhere, and never sent. Where nothing can be asked, or the answer may
speak of our own earlier try, people decide: doubtful.
It must never send a record.
"""

import asyncio
from collections.abc import Callable

from domain.errors import WireFault
from domain.jobs import Outcome, Settlement
from domain.states import RecordState
from domain.wire import Answer, End, OpenSession, Verdict
from workers.answers import STOPPED, Answers, rejection
from workers.seat import Seat
from workers.station import Station
from workers.stock import Hand, Stock

#: questions of one session under way at once: as many as were answered before, and one, up to this
AT_ONCE = 4


class Resolver:
    """Asks about unknown records of one session."""

    def __init__(
        self, station: Station, seat: Seat, session: OpenSession, stock: Stock, answers: Answers
    ) -> None:
        """Nothing is asked until `ask`."""
        self._station = station
        self._seat = seat
        self._session = session
        self._stock = stock
        self._answers = answers
        self._tasks: set[asyncio.Task[None]] = set()
        self._answered = 0
        #: called when a question is over: another may be asked, its line sent, or its end heeded
        self.on_answer: Callable[[], None] = _nobody
        #: an answer that says more about the session than about the record
        self.end: End | None = None

    def wants(self) -> int:
        """Return how many permits could be used for questions now."""
        return min(self._stock.asking(), self._room())

    def ask(self) -> None:
        """Start as many questions as permits allow, in this step."""
        for hand in self._stock.hands:
            while hand.asking and self._room() > 0 and self._seat.usable():
                line = hand.asking.popleft()
                hand.out.add(line)
                self._seat.spend(1)
                task = asyncio.get_running_loop().create_task(self._ask(hand, line), name="ask")
                self._tasks.add(task)
                task.add_done_callback(self._asked)

    def _room(self) -> int:
        if self.end is not None or self._stock.has_absent():
            return 0
        return max(0, min(AT_ONCE, 1 + self._answered) - len(self._tasks))

    async def stop(self) -> None:
        """Drop the questions that are under way; their records stay unknown."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _asked(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self.on_answer()

    async def _ask(self, hand: Hand, line: int) -> None:
        try:
            answer = await self._station.wire.ask(self._session, hand.lines[line].key)
        except WireFault:
            answer = End("broken", clean=False)
        hand.out.discard(line)
        if isinstance(answer, End) and answer.code != "not-offered":
            if answer.clean:
                self._seat.settle(1)
            self.end = answer
            return
        self._seat.settle(1)
        self._answered += 1
        outcome = await self._judge(hand, line, answer)
        if outcome is not None:
            self._answers.settle({hand: [outcome]})

    async def _judge(self, hand: Hand, line: int, answer: Answer | End) -> Outcome | None:
        if isinstance(answer, End):
            if line in hand.ask_first:
                # asked only because the ledger is a copy: the same key has one effect all the same
                hand.believe_absent(line)
                return None
            return self._leave_to_people(hand, line, "not-offered")
        if answer.verdict is Verdict.ACCEPTED:
            hand.answer(line)
            return Outcome(line, RecordState.ACCEPTED, receipt=answer.receipt)
        if answer.verdict is Verdict.REJECTED:
            if answer.code in self._station.maybe_ours:
                return self._leave_to_people(hand, line, answer.code)
            hand.answer(line)
            return rejection(line, answer)
        if answer.verdict is Verdict.RETRY:
            hand.put_off(line, self._station.clock.monotonic() + (answer.retry_after_ms or 1_000))
        else:
            await self._absent(hand, line)
        return None

    async def _absent(self, hand: Hand, line: int) -> None:
        """Believe the absence of what was unknown when it was claimed; the rest goes back, and is given out when it may be asked about."""
        if line in hand.aged:
            await self._believe(hand, line)

    async def _believe(self, hand: Hand, line: int) -> None:
        """Have it sent; where its job was cancelled or paused meanwhile, write down instead that the registrar does not have it."""
        ledger, claimed = self._station.ledger, hand.claimed
        hand.out.add(line)
        try:
            is_stopped = (await ledger.job(claimed.job)).state in STOPPED
            if is_stopped:
                outcome = Outcome(line, RecordState.PENDING)
                await ledger.settle([Settlement(claimed.slice_id, (outcome,))], self._station.clock.now())
        finally:
            hand.out.discard(line)
        if is_stopped:
            hand.stall(line)
        else:
            hand.believe_absent(line)

    def _leave_to_people(self, hand: Hand, line: int, code: str) -> Outcome:
        hand.stall(line)
        return Outcome(line, RecordState.DOUBTFUL, code=code, by="gate")


def _nobody() -> None:
    """Hear nothing."""
