"""What an answer does to a record: it is settled, sent again, or asked about first; and what the ledger's word does to a slice.

It must not write to the wire. A time-out is never a failure, and a rejection that may be our own earlier try is never believed.
"""

from collections.abc import Callable, Sequence
from functools import partial

from domain.events import AnswerTimed, Pushback
from domain.jobs import Outcome, Settled
from domain.states import JobState, RecordState
from domain.wire import Answer, Scope, Verdict
from workers.station import Station
from workers.stock import Hand, Stock

#: before a record that the registrar was too busy for is sent again, where it does not say (ms)
RETRY_PAUSE_MS = 1_000
#: codes of our own wires: the record never reached the registrar's hands
NOT_RECORDED = frozenset({"not-recorded", "not-sent"})
#: states of a job of which nothing more is sent
STOPPED = frozenset({JobState.PAUSED, JobState.CANCELLING, JobState.CANCELLED})


class Answers:
    """Takes handfuls of answers for one session."""

    def __init__(self, station: Station, party: str, stock: Stock) -> None:
        """Work on this stock."""
        self._station = station
        self._party = party
        self._stock = stock
        #: mean latency of each handful that was not told yet (ms)
        self._latencies: list[float] = []
        #: called when the ledger's word has stopped a slice of this session
        self.on_stopped: Callable[[], None] = _nobody

    def take(self, handful: Sequence[Answer], now: int) -> int:
        """Take one handful read at `now` (monotonic ms); returns how many records it answered.

        Where it raises, the line that it stumbled over and those behind it are still out.
        """
        outcomes: dict[Hand, list[Outcome]] = {}
        count = busy = latency = 0
        try:
            for answer in handful:
                out = self._stock.out.get(answer.key)
                if out is None:
                    continue
                outcome = self.decide(out.hand, out.line, answer, now)
                del self._stock.out[answer.key]
                count += 1
                latency += now - out.written_at
                if outcome is not None:
                    outcomes.setdefault(out.hand, []).append(outcome)
                busy += answer.verdict is Verdict.RETRY and answer.code not in NOT_RECORDED
        finally:
            # What was decided before an answer that cannot be taken is decided: it would else go back as never sent.
            self.settle(outcomes)
        self._count(count, latency, busy)
        return count

    def decide(self, hand: Hand, line: int, answer: Answer, now: int) -> Outcome | None:
        """Say what one answer makes of its record; None while it is not decided."""
        if answer.verdict is Verdict.ACCEPTED:
            hand.answer(line)
            return Outcome(line, RecordState.ACCEPTED, receipt=answer.receipt, code=answer.code)
        if answer.verdict is Verdict.REJECTED:
            if answer.code in self._station.maybe_ours and line in hand.ever_unknown:
                hand.ask_about(line)
                return None
            hand.answer(line)
            return rejection(line, answer)
        if answer.code in NOT_RECORDED:
            hand.put_back(line)
        else:
            hand.put_off(line, now + max(answer.retry_after_ms or RETRY_PAUSE_MS, 1))
        return None

    def settle(self, outcomes: dict[Hand, list[Outcome]]) -> None:
        """Hand outcomes to the settler."""
        for hand, decided in outcomes.items():
            told = partial(self._heed, hand)
            self._station.settler.put(hand.claimed.slice_id, decided, told, is_whole=not hand.unsettled)
            self._station.budget.succeed(len(decided))

    def _heed(self, hand: Hand, settled: Settled) -> None:
        if heed(hand, settled):
            self.on_stopped()

    def tell(self) -> None:
        """Tell how long answers took: once a round, not with every handful."""
        if self._latencies:
            self._station.emit(AnswerTimed(self._station.registry, self._party, tuple(self._latencies)))
            self._latencies.clear()

    def _count(self, count: int, latency: int, busy: int) -> None:
        if not count:
            return
        station = self._station
        station.signals.answers += count
        station.signals.latency_ms += latency
        self._latencies.append(latency / count)
        if busy:
            station.signals.pushbacks += busy
            station.emit(Pushback(station.registry, self._party, Scope.ACCOUNT.value, "busy"))


def heed(hand: Hand, settled: Settled) -> bool:
    """Stop sending a slice whose job is no longer to be sent; says whether it is so."""
    if settled.job_state not in STOPPED:
        return False
    hand.drop()
    return True


def _nobody() -> None:
    """Hear nothing."""


def rejection(line: int, answer: Answer) -> Outcome:
    """Return the registrar's refusal as an outcome."""
    return Outcome(
        line,
        RecordState.REJECTED,
        code=answer.code,
        field=answer.field,
        message_th=answer.message_th,
        message_en=answer.message_en,
    )
