"""Sending one session's records: the one step in which permits, window and transport are looked at and lines leave."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from domain.clock import ManualClock
from domain.events import RecordsSent
from domain.policy import RegistryRules
from domain.quota import Lease
from domain.states import JobState
from domain.wire import Answer, End, Line, OpenSession, Scope, Upload, Verdict, Wire
from tests.workers.bench import Bench, bench
from tests.workers.waiting import until
from workers.answers import Answers
from workers.ending import Push
from workers.sending import Sending
from workers.stock import Hand, Stock

GUARD_S = 1.0


@dataclass
class Paper:
    """An exchange that notes what is written."""

    written: list[str] = field(default_factory=list)
    aborted: bool = False
    clear: bool = True
    hear: Callable[[Sequence[Answer] | End], None] | None = None
    failure: Exception | None = None
    ends_clean: bool = False

    def is_clear(self) -> bool:
        return self.clear

    def room(self) -> int:
        return 100

    def write(self, lines: Sequence[Line], until: int | None = None) -> None:
        self.written += [line.key for line in lines]
        if self.failure is not None:
            raise self.failure

    def listen(self, hear: Callable[[Sequence[Answer] | End], None]) -> None:
        self.hear = hear

    async def finish(self) -> None:
        self._end()

    def abort(self) -> None:
        self.aborted = True
        self._end()

    def _end(self) -> None:
        assert self.hear is not None
        self.hear(End("finished", clean=self.ends_clean or not self.aborted))


@dataclass
class PaperWire:
    """A wire whose exchange is paper."""

    paper: Paper
    asked: list[str] = field(default_factory=list)

    def open(self, session: OpenSession) -> Upload:
        return cast("Upload", self.paper)

    async def ask(self, session: OpenSession, key: str) -> Answer:
        self.asked.append(key)
        return Answer(key, Verdict.ACCEPTED, receipt="R")


@dataclass
class Scene:
    """One session with ten records and five permits in hand."""

    work: Bench
    clock: ManualClock
    paper: Paper
    sending: Sending
    stock: Stock

    @property
    def hand(self) -> Hand:
        return self.stock.hands[0]


@pytest.fixture
async def scene() -> Scene:
    """Everything ready to be written."""
    clock, paper = ManualClock(), Paper()
    rules = RegistryRules("reg", "party-members", "http://127.0.0.1:9", guard_s=GUARD_S)
    work = bench(rules, cast("Wire", PaperWire(paper)), clock=clock)
    held = work.ledger.add_slice(10)
    stock = Stock()
    stock.add(Hand(held.claimed, held.box, idempotent=True))
    lease = Lease("reg", "P1", "A1", "host:1", 1, 1)
    seat = work.station.pacer.take_seat(lease, lambda: 5, lambda: None, 6_000)
    await work.station.pacer.run_once()
    session = OpenSession("s-1", "A1", "P1", 900)
    answers = Answers(work.station, "P1", stock)
    sending = Sending(work.station, seat, session, stock, answers)
    sending.open()
    return Scene(work, clock, paper, sending, stock)


async def test_what_is_permitted_leaves_while_the_window_is_open(scene: Scene) -> None:
    """Five permits, five records; up to the last moment before the guard."""
    scene.sending.closes_at = scene.work.station.registrar_now() + round(GUARD_S * 1000) + 1
    scene.sending.pump()
    assert len(scene.paper.written) == 5


async def test_permits_in_hand_are_worth_nothing_once_the_guard_has_begun(scene: Scene) -> None:
    """The clock is looked at in the very step of writing: nothing leaves, and nothing more is wanted."""
    scene.sending.closes_at = scene.work.station.registrar_now() + round(GUARD_S * 1000)
    scene.sending.pump()
    assert scene.paper.written == []
    assert scene.sending.wants() == 0


async def test_at_the_windows_end_unsent_bytes_are_cut_off(scene: Scene) -> None:
    """Bytes that wait in the transport must not leave later; with none waiting the answers are read."""
    scene.paper.clear = False
    await scene.sending.drain(cut=True)
    assert scene.paper.aborted


async def test_elsewhere_what_was_written_leaves(scene: Scene) -> None:
    """A polite stop lets the last bytes go, and waits for their answers."""
    scene.paper.clear = False
    await scene.sending.drain(cut=False)
    assert not scene.paper.aborted


async def test_what_was_sent_since_the_last_round_is_told_when_the_exchange_is_over(scene: Scene) -> None:
    """A session that is cut off has no round left to tell it in."""
    scene.sending.pump()
    sent = [event.count for event in scene.work.events if isinstance(event, RecordsSent)]
    await scene.sending.drain(cut=True)
    told = [event.count for event in scene.work.events if isinstance(event, RecordsSent)]
    assert (sent, told) == ([], [5])


async def test_what_stands_behind_an_answer_that_cannot_be_taken_is_unknown(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the wire, for which all was answered, ends cleanly: none of these may go again as never recorded; those before count."""
    scene.sending.pump()
    scene.paper.ends_clean = True
    answers = scene.sending._answers
    decide = answers.decide

    def stumble(hand: Hand, line: int, answer: Answer, now: int) -> object:
        if line == 2:
            raise ZeroDivisionError
        return decide(hand, line, answer, now)

    monkeypatch.setattr(answers, "decide", stumble)
    assert scene.paper.hear is not None
    scene.paper.hear([Answer(key, Verdict.ACCEPTED, receipt="R") for key in scene.paper.written])
    assert scene.paper.aborted
    assert scene.hand.unknown == scene.hand.ever_unknown & scene.hand.unsettled == {2, 3, 4}
    assert list(scene.hand.ready) == [5, 6, 7, 8, 9]
    await scene.work.station.settler.flush()
    assert scene.work.ledger.states() == "aa" + "p" * 8


async def test_a_write_that_fails_in_an_unforeseen_way_leaves_its_lines_unknown(scene: Scene) -> None:
    """How much of it left is not known; the pacer, or the reader, whose step it was goes on."""
    scene.paper.failure, scene.paper.ends_clean = RuntimeError("after the end of the body"), True
    scene.sending.pump()
    assert scene.paper.aborted
    assert scene.hand.unknown == {0, 1, 2, 3, 4}
    assert scene.sending.take_verdict() is not None


@pytest.mark.parametrize(("low_water", "needs_a_round"), [(5, False), (6, True)])
async def test_whoever_sends_what_was_left_has_more_claimed_at_once(
    scene: Scene, low_water: int, needs_a_round: bool
) -> None:
    """Not when the first answer comes, or the next round: a slow registrar takes seconds for that."""
    scene.stock.low_water = low_water
    scene.sending.pump()
    assert scene.sending.changed.is_set() is needs_a_round


async def test_a_question_that_is_answered_makes_room_for_the_next(scene: Scene) -> None:
    """Without a round or a tick in between."""
    unknown = scene.work.ledger.add_slice(6, "u" * 6)
    scene.stock.hands = [Hand(unknown.claimed, unknown.box, idempotent=False)]
    wire = cast("PaperWire", scene.work.station.wire)
    scene.sending.pump()
    await until(lambda: len(wire.asked) == 5)  # as many as there are permits
    await until(lambda: not scene.sending.resolver._tasks)
    assert scene.sending.changed.is_set()


async def test_a_slice_that_was_stopped_is_noticed_at_once(scene: Scene) -> None:
    """The ledger's word comes with what was settled; what the job of another slice needs must not wait for a round."""
    scene.sending.pump()
    scene.work.ledger.job_state = JobState.CANCELLING
    assert scene.paper.hear is not None
    scene.paper.hear([Answer(scene.paper.written[0], Verdict.ACCEPTED, receipt="R")])
    scene.sending.changed.clear()
    await scene.work.station.settler.flush()
    assert scene.hand.dropped
    assert scene.sending.changed.is_set()


async def test_lines_that_wait_for_the_connection_alone_are_told_apart(scene: Scene) -> None:
    """Somebody must look at it again; with nothing to send nobody need."""
    assert not scene.sending.is_blocked()
    scene.paper.clear = False
    assert scene.sending.is_blocked()
    scene.hand.ready.clear()
    assert not scene.sending.is_blocked()


async def test_an_exchange_that_was_given_up_says_nothing_more(scene: Scene) -> None:
    """Its lines are sorted out by then: a late answer, or a second end, counts neither twice nor against the next exchange."""
    hear = scene.paper.hear
    assert hear is not None
    scene.sending.pump()
    hear(End("broken", clean=False))
    cast("PaperWire", scene.work.station.wire).paper = Paper()
    scene.sending.open()
    hear([Answer(scene.paper.written[0], Verdict.ACCEPTED, receipt="R")])
    hear(End("broken", clean=False))
    assert scene.sending.is_open()
    assert scene.sending._seat.settled == 0
    assert scene.work.station.signals.errors == 1


async def test_an_exchange_ends_once(scene: Scene) -> None:
    """Draining what has ended ends nothing: there is one verdict, and it is given once."""
    scene.sending.pump()
    await scene.sending.drain(cut=True)
    assert scene.sending.take_verdict() is not None
    await scene.sending.drain(cut=True)
    scene.sending._end(End("silence", clean=False))
    assert scene.sending.take_verdict() is None
    assert scene.work.station.signals.errors == 0


def test_a_pause_that_is_told_ahead_is_passed_on_and_ends_nothing(scene: Scene) -> None:
    """Other requests of the exchange are still under way: everybody slows down now, and the end comes when it comes."""
    told: list[Push] = []
    scene.sending.on_warning = told.append
    assert scene.paper.hear is not None
    scene.paper.hear(End("overloaded", retry_after_ms=6_000, is_last=False))
    assert told == [Push(Scope.REGISTRY, 6_000)]
    assert scene.sending.is_open()
    assert scene.sending.take_verdict() is None


@pytest.mark.parametrize(
    ("end", "counted"), [(End("unreadable", clean=False), 1), (End("overloaded", retry_after_ms=6_000), 0)]
)
def test_a_pause_that_is_told_ahead_of_another_end_slows_the_brake_by_itself(
    scene: Scene, end: End, counted: int
) -> None:
    """Where the exchange ends with that very word, it is heeded, and counted, with the end; anything else says nothing of it."""
    assert scene.paper.hear is not None
    scene.paper.hear(End("overloaded", retry_after_ms=6_000, is_last=False))
    assert scene.work.station.signals.pushbacks == 0
    scene.paper.hear(end)
    assert scene.work.station.signals.pushbacks == counted
