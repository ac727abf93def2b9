"""Settling: ripe slices together, nothing lost, nothing twice."""

import asyncio
from typing import cast

import pytest

from domain.clock import ManualClock
from domain.errors import Busy
from domain.events import Event, LedgerCommitted, RecordsSettled
from domain.jobs import Outcome, Settled
from domain.states import RecordState
from ledger.protocols import Ledger
from tests.workers.fakes import FakeLedger
from workers.settling import ENOUGH, EVERY_S, RIPE_MS, Settler


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
