"""The pacer against a gate that keeps its own books: permits lapse, totals are absolute, a lost gate stops everything."""

import asyncio

import pytest

from domain.events import LoopFailed, PermitsDrawn
from domain.quota import AccountQuota, BoundBy
from tests.workers.pacing import Desk
from workers.pacer import LOST_S, TELL_DRAWN_MS, TICK_S, UNBOUND_S
from workers.seat import RENEW_MS, TELL_MS


@pytest.fixture
def desk() -> Desk:
    """A fresh one."""
    return Desk()


async def test_one_call_carries_every_seat(desk: Desk) -> None:
    """All sessions of the process draw in one tick, each what it wants."""
    seats = [desk.sit("A1", 3), desk.sit("A2", 5)]
    await desk.pacer.run_once()
    assert [line.want for line in desk.gate.ticks[0][1]] == [3, 5]
    assert [seat.usable() for seat in seats] == [3, 5]
    assert [e.count for e in desk.events if isinstance(e, PermitsDrawn)] == [8]


async def test_what_was_drawn_is_told_once_a_second_and_at_the_end(desk: Desk) -> None:
    """Not with every tick; nothing of it is lost when the last session leaves."""
    seat = desk.sit("A1", 3)
    for _ in range(3):
        await desk.pacer.run_once()
        seat.spend(3)
        desk.clock.advance(TELL_DRAWN_MS // 2)
    desk.wants["A1"] = 1
    await desk.pacer.run_once()
    desk.pacer.leave_seat(seat)
    assert [e.count for e in desk.events if isinstance(e, PermitsDrawn)] == [3, 6, 1]


async def test_permits_held_are_not_wanted_again(desk: Desk) -> None:
    """A seat asks only for what it does not hold yet."""
    desk.gate.per_tick = 2
    desk.sit("A1", 5)
    await desk.pacer.run_once()
    desk.clock.advance(TELL_MS)
    await desk.pacer.run_once()
    assert [ticks[1][0].want for ticks in desk.gate.ticks] == [5, 3]


async def test_a_lost_gate_leaves_nobody_a_permit(desk: Desk) -> None:
    """When the gate is lost permits are void; the lease dies when its own time is up, not before."""
    told: list[bool] = []
    seat = desk.sit("A1", 4, lambda: told.append(True))
    await desk.pacer.run_once()
    desk.gate.is_lost = True
    desk.clock.advance(1_000)
    await desk.pacer.run_once()
    assert (seat.alive, seat.usable()) == (True, 0)
    desk.clock.advance(5_000)
    await desk.pacer.run_once()
    assert (seat.alive, seat.usable()) == (False, 0)
    assert len(told) == 3


async def test_a_dead_lease_gets_nothing_more(desk: Desk) -> None:
    """Once the gate has said that a lease is gone, its permits are gone, and no later word brings it back."""
    seat = desk.sit("A1", 4)
    await desk.pacer.run_once()
    desk.gate.is_alive = False
    desk.clock.advance(1_000)
    await desk.pacer.run_once()
    desk.gate.is_alive = True
    desk.clock.advance(1_000)
    await desk.pacer.run_once()
    assert (seat.alive, seat.usable(), seat.want()) == (False, 0, 0)


async def test_an_ending_seat_wants_nothing(desk: Desk) -> None:
    """A session that policy wants to end draws no more, whatever it has to send."""
    desk.gate.is_ending = True
    seat = desk.sit("A1", 4)
    await desk.pacer.run_once()
    assert (seat.ending, seat.want()) == (True, 0)


async def test_ticks_come_fast_only_while_they_bring_something(desk: Desk) -> None:
    """Unbound: at once again; bound: after a rest worth a handful; nothing wanted: often enough to renew."""
    seat = desk.sit("A1", 500)
    seat.rest_ms = 60
    assert await desk.pacer.run_once() >= 0.5 * TICK_S
    desk.gate.per_tick = 1_000
    desk.clock.advance(TELL_MS)
    assert await desk.pacer.run_once() == UNBOUND_S or seat.want() == 0
    desk.wants["A1"] = 0
    desk.clock.advance(TELL_MS)
    await desk.pacer.run_once()
    assert await desk.pacer.run_once() == pytest.approx(RENEW_MS / 1000)


async def test_a_seat_that_left_hears_nothing(desk: Desk) -> None:
    """An answer that comes for a session that has left meanwhile is dropped."""
    heard: list[bool] = []
    seat = desk.sit("A1", 4, lambda: heard.append(True))
    tick = desk.gate.tick

    async def leave_meanwhile(*args: object) -> object:
        desk.pacer.leave_seat(seat)
        return await tick(*args)  # type: ignore[arg-type]  # handed through as it came

    desk.gate.tick = leave_meanwhile  # type: ignore[method-assign,assignment]  # a gate that answers late
    await desk.pacer.run_once()
    assert (heard, seat.granted) == ([], 0)


async def test_seats_that_rest_alike_wake_together(desk: Desk) -> None:
    """What was asked a little apart is asked for together the next time: one call carries both."""
    desk.wants["A2"] = 0
    for account in ("A1", "A2"):
        desk.sit(account, 40).pace(AccountQuota(20, 20))
    desk.gate.per_tick = 2
    desk.wants["A2"] = 0
    desk.clock.advance(10)
    await desk.pacer.run_once()
    desk.clock.advance(30)
    desk.wants["A2"] = 40
    await desk.pacer.run_once()
    assert await desk.draws_again("A1", "A2") == [160, 160]


async def test_a_session_that_comes_while_others_rest_is_heard_soon(desk: Desk) -> None:
    """The pacer rests with its seats, most of a second here; who sits down meanwhile does not wait for them."""
    ticked, heard = asyncio.Event(), asyncio.Event()
    tick = desk.gate.tick

    async def noted(*args: object) -> object:
        ticked.set()
        return await tick(*args)  # type: ignore[arg-type]  # handed through as it came

    desk.gate.tick = noted  # type: ignore[method-assign,assignment]  # a gate that is watched
    desk.sit("A1", 0)
    desk.pacer.start()
    await ticked.wait()
    desk.sit("A2", 40, heard.set)
    async with asyncio.timeout(RENEW_MS / 1000 * 0.8):
        await heard.wait()
    await desk.pacer.stop()
    assert desk.gate.ticks[-1][1][0].lease.account == "A2"


async def test_a_lost_gate_is_not_asked_at_every_nudge(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has something to say waits as long as the pacer does."""
    seat = desk.sit("A1", 3)
    desk.gate.is_lost = True
    rest_s = await desk.pacer.run_once()
    wakes: list[float] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda delay, _: wakes.append(delay))
    desk.pacer.nudge(seat)
    assert rest_s >= 0.5 * LOST_S
    assert wakes == []


async def test_a_session_that_fails_costs_the_others_no_permit(desk: Desk) -> None:
    """What one makes of its permits is its own affair; it is told."""

    def fail() -> None:
        raise ZeroDivisionError

    desk.sit("A1", 3, fail)
    other = desk.sit("A2", 3)
    await desk.pacer.run_once()
    assert other.usable() == 3
    assert [event.error for event in desk.events if isinstance(event, LoopFailed)] == ["ZeroDivisionError"]


async def test_bound_by_tells_why(desk: Desk) -> None:
    """What binds a draw is told to whoever listens."""
    desk.gate.per_tick, desk.gate.bound_by = 1, BoundBy.PARTY
    seat = desk.sit("A1", 4)
    await desk.pacer.run_once()
    assert seat.bound_by is BoundBy.PARTY
    assert [e.bound for e in desk.events if isinstance(e, PermitsDrawn)] == [{"party": 1}]


async def test_permits_are_void_at_once_when_the_gate_is_lost(desk: Desk) -> None:
    """Not only when their time is up: what the gate does not know of any more, nobody may use."""
    desk.gate.valid_ms = 60_000
    seat = desk.sit("A1", 4)
    await desk.pacer.run_once()
    desk.gate.is_lost = True
    desk.clock.advance(TELL_MS)
    await desk.pacer.run_once()
    assert (seat.alive, seat.usable(), seat._line(0, desk.clock.monotonic()).lapsed) == (True, 0, 4)
