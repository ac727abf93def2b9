"""Settling: ripe slices together, nothing lost, nothing twice."""

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from domain.clock import ManualClock
from domain.errors import Busy
from domain.events import Event, LedgerCommitted, LoopFailed, RecordsSettled
from domain.jobs import Outcome, Settled, Settlement
from domain.states import RecordState
from ledger.protocols import Ledger
from tests.workers.fake_ledger import FakeLedger
from workers.settling import ENOUGH, EVERY_S, REFUSED_MS, RIPE_MS, RIPE_SOON_MS, TOO_MANY, Settler


class Desk:
    """A settler on a manual clock and a ledger in memory."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.ledger = FakeLedger(self.clock)
        self.events: list[Event] = []
        self.told: list[Settled] = []
        self.settler = Settler("reg", cast("Ledger", self.ledger), self.clock, self.events.append)
        self.ledger.add_slice(200)
        self.ledger.add_slice(3)

    def put(self, slice_id: str, *lines: int, is_whole: bool = False) -> None:
        """Have lines accepted."""
        self.settler.put(
            slice_id, [Outcome(n, RecordState.ACCEPTED) for n in lines], self.told.append, is_whole=is_whole
        )


@pytest.fixture
def desk() -> Desk:
    """A fresh one."""
    return Desk()


async def test_where_outcomes_wait_only_shortly_the_settler_looks_sooner(desk: Desk) -> None:
    """A crash between two looks leaves few unknown where each costs a question."""
    desk.settler.ripe_ms = RIPE_SOON_MS
    assert await desk.settler.run_once() == pytest.approx(2 * RIPE_SOON_MS / 1000)


async def test_outcomes_wait_for_others_of_their_slice(desk: Desk) -> None:
    """Until the oldest is ripe nothing is written; then all of the slice goes in one row."""
    desk.put("J1.0", 0)
    desk.clock.advance(RIPE_MS - 1)
    desk.put("J1.0", 1)
    assert await desk.settler.run_once() == EVERY_S
    assert desk.ledger.outcomes == {}
    desk.clock.advance(1)
    await desk.settler.run_once()
    assert [settled.moved for settled in desk.told] == [2]


async def test_a_slice_that_is_whole_or_full_does_not_wait(desk: Desk) -> None:
    """The last answer of a slice, or very many, are settled at the next look; others stay."""
    desk.put("J1.1", 0, 1, 2, is_whole=True)
    desk.put("J1.0", 0)
    await desk.settler.run_once()
    assert [settled.slice_done for settled in desk.told] == [True]
    desk.put("J1.0", *range(1, ENOUGH))
    await desk.settler.run_once()
    assert desk.told[-1].moved == ENOUGH


async def test_a_slice_that_is_named_twice_is_settled_once_and_loses_nothing(desk: Desk) -> None:
    """A session that had a slice in hand again after people had answered for its doubtful lines names it twice when it leaves."""
    desk.put("J1.0", 0, 1)
    desk.put("J1.1", 2)
    await desk.settler.flush(["J1.0", "J1.1", "J1.0"])
    assert sorted(desk.ledger.outcomes) == [("J1.0", 0), ("J1.0", 1), ("J1.1", 2)]
    assert [settled.moved for settled in desk.told] == [2, 1]


async def test_a_failing_ledger_is_tried_again_in_order(desk: Desk) -> None:
    """What could not be settled waits on, before what came later; a busy ledger says when."""
    desk.ledger.failures = [Busy(retry_after_ms=700), RuntimeError("disk")]
    desk.put("J1.1", 0, 1, is_whole=True)
    assert await desk.settler.run_once() == 0.7
    desk.put("J1.1", 2)
    with pytest.raises(RuntimeError):
        await desk.settler.flush()
    await desk.settler.flush()
    assert [settled.moved for settled in desk.told] == [3]
    assert [e.count for e in desk.events if isinstance(e, RecordsSettled)] == [3]
    assert [e.count for e in desk.events if isinstance(e, LedgerCommitted)] == [3]


async def test_two_at_once_settle_each_outcome_once(desk: Desk) -> None:
    """A flush beside the loop's own neither loses nor repeats anything."""
    desk.put("J1.0", *range(150))
    await asyncio.gather(desk.settler.flush(["J1.0"]), desk.settler.flush(), desk.settler.run_once())
    assert [settled.moved for settled in desk.told] == [150]


async def test_what_waits_at_the_end_is_settled(desk: Desk) -> None:
    """Stopping settles what is left."""
    desk.settler.start()
    desk.put("J1.0", 5)
    await desk.settler.stop()
    assert desk.ledger.outcomes.keys() == {("J1.0", 5)}


class Choosy(FakeLedger):
    """A ledger that refuses every batch with a certain slice in it."""

    refuses = "J1.0"
    batches = 0

    async def settle(self, settlements: Sequence[Settlement], now: int) -> Sequence[Settled]:
        """Take a batch without that slice."""
        self.batches += 1
        if any(one.slice_id == self.refuses for one in settlements):
            raise KeyError(self.refuses)
        return await super().settle(settlements, now)


@pytest.fixture
def choosy(monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk whose ledger refuses one slice."""
    monkeypatch.setattr("tests.workers.test_settling.FakeLedger", Choosy)
    return Desk()


async def test_a_slice_that_is_always_refused_does_not_hold_up_the_others(choosy: Desk) -> None:
    """The rest of its batch is settled at once; from then on it is tried by itself, ever more seldom, and told of."""
    ledger = cast("Choosy", choosy.ledger)
    choosy.put("J1.0", 0, is_whole=True)
    choosy.put("J1.1", 0, is_whole=True)
    assert await choosy.settler.run_once() == EVERY_S
    assert ledger.outcomes.keys() == {("J1.1", 0)}
    assert [e.error for e in choosy.events if isinstance(e, LoopFailed)] == ["KeyError"]
    before = ledger.batches
    choosy.put("J1.1", 1, is_whole=True)
    await choosy.settler.run_once()
    assert ledger.outcomes.keys() == {("J1.1", 0), ("J1.1", 1)}
    assert ledger.batches == before + 1
    tries = []
    for _ in range(4 * REFUSED_MS // 100):
        choosy.clock.advance(100)
        before = ledger.batches
        await choosy.settler.run_once()
        tries += [ledger.batches - before]
    assert tries.count(1) == 2  # after one pause, and after another twice as long
    ledger.refuses = ""
    choosy.clock.advance(4 * REFUSED_MS)
    await choosy.settler.run_once()
    assert ("J1.0", 0) in ledger.outcomes


async def test_whoever_asks_for_a_refused_slice_hears_of_it_and_of_no_other(choosy: Desk) -> None:
    """A session that settles its own slices is not told of somebody else's trouble."""
    choosy.put("J1.0", 0)
    choosy.put("J1.1", 0)
    with pytest.raises(KeyError):
        await choosy.settler.flush()
    choosy.put("J1.1", 1)
    await choosy.settler.flush(["J1.1"])
    with pytest.raises(KeyError):
        await choosy.settler.flush(["J1.0"])


async def test_outcomes_of_a_refused_slice_neither_grow_nor_count(choosy: Desk) -> None:
    """It is sent and answered again and again: that keeps nobody from sending."""
    choosy.put("J1.0", 0)
    choosy.put("J1.1", 0)
    with pytest.raises(KeyError):
        await choosy.settler.flush()
    for _ in range(TOO_MANY + 1):
        choosy.put("J1.0", 0)
    assert not choosy.settler.is_behind()
    cast("Choosy", choosy.ledger).refuses = ""
    await choosy.settler.flush()
    assert choosy.told[-1].moved == 1


async def test_an_ill_ledger_blames_no_slice(desk: Desk) -> None:
    """Where none of a batch is taken, all wait on together and the error is told."""
    desk.put("J1.0", 0)
    desk.put("J1.1", 0)
    desk.ledger.failures = [RuntimeError("disk"), RuntimeError("disk"), RuntimeError("disk")]
    with pytest.raises(RuntimeError):
        await desk.settler.flush()
    await desk.settler.flush()
    assert [e.count for e in desk.events if isinstance(e, LedgerCommitted)] == [2]
