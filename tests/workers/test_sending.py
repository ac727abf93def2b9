"""Sending one session's records: the one step in which permits, window and transport are looked at and lines leave."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from domain.clock import ManualClock
from domain.policy import RegistryRules
from domain.quota import Lease
from domain.wire import Answer, End, Line, OpenSession, Upload, Wire
from tests.workers.fakes import Bench, bench
from workers.answers import Answers
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

    def is_clear(self) -> bool:
        return self.clear

    def room(self) -> int:
        return 100

    def write(self, lines: Sequence[Line], until: int | None = None) -> None:
        self.written += [line.key for line in lines]

    def listen(self, hear: Callable[[Sequence[Answer] | End], None]) -> None:
        self.hear = hear

    async def finish(self) -> None:
        self._end()

    def abort(self) -> None:
        self.aborted = True
        self._end()

    def _end(self) -> None:
        assert self.hear is not None
        self.hear(End("finished", clean=not self.aborted))


@dataclass
class PaperWire:
    """A wire whose exchange is paper."""

    paper: Paper

    def open(self, session: OpenSession) -> Upload:
        return cast("Upload", self.paper)


@dataclass
class Scene:
    """One session with ten records and five permits in hand."""

    work: Bench
    clock: ManualClock
    paper: Paper
    sending: Sending


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
    return Scene(work, clock, paper, sending)


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
