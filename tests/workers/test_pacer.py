"""The pacer against a gate that keeps its own books: permits lapse, totals are absolute, a lost gate stops everything."""

import asyncio
import random
from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.clock import ManualClock
from domain.events import Event, PermitsDrawn
from domain.quota import AccountQuota, BoundBy, Lease, Permit, Quotas
from tests.workers.fakes import FakeGate
from workers.pacer import TICK_S, UNBOUND_S, Pacer
from workers.seat import RENEW_MS, REST_MS, TELL_MS, WAKES_A_REST, Seat


class Desk:
    """A pacer on a manual clock, and sessions that want what a test says."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.gate = FakeGate()
        self.events: list[Event] = []
        self.pacer = Pacer(
            "reg", "host:1", cast("Quotas", self.gate), self.clock, self.events.append, random.Random(1)
        )
        self.wants: dict[str, int] = {}

    def sit(self, account: str, want: int, on_permit: Callable[[], None] = lambda: None) -> Seat:
        """Take a seat for an account."""
        self.wants[account] = want
        lease = Lease("reg", "P1", account, "host:1", len(self.wants), 1)
        return self.pacer.take_seat(lease, lambda: self.wants[account], on_permit, 6_000)

    async def draws_again(self, *accounts: str) -> list[int]:
        """Tick every 10 ms until each account has asked for permits again; returns after how long each did."""
        asked: dict[str, int] = {}
        before = len(self.gate.ticks)
        for waited in range(10, 1_000, 10):
            self.clock.advance(10)
            await self.pacer.run_once()
            for _, lines in self.gate.ticks[before:]:
                for line in lines:
                    if line.want:
                        asked.setdefault(line.lease.account, waited)
            if set(accounts) <= set(asked):
                break
        return [asked[account] for account in accounts]


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


async def test_permits_count_from_before_they_were_asked(desk: Desk) -> None:
    """A permit is valid for its time from before the call, and what lapses is handed back in the next one."""
    desk.gate.valid_ms = 300
    seat = desk.sit("A1", 4)
    await desk.pacer.run_once()
    seat.spend(1)
    desk.clock.advance(299)
    assert seat.usable() == 3
    desk.clock.advance(1)
    assert seat.usable() == 0
    assert (seat.line().granted, seat.line().lapsed, seat.line().sent) == (4, 3, 1)


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


async def test_a_rest_is_a_small_part_of_the_burst(desk: Desk) -> None:
    """Bound seats rest for a part of what the smallest burst is worth, a fifth of a second at most."""
    seat = desk.sit("A1", 1)
    rests = []
    for account, registry in (
        ((20, 20), (800, 800)),
        ((20, 5), (800, 800)),
        ((20, 20), (800, 200)),
        ((0, 5), (0, 0)),
    ):
        seat.pace(AccountQuota(*account), AccountQuota(*registry))
        rests.append(seat.rest_ms)
    assert rests == [REST_MS, 100, 100, REST_MS]


async def test_answers_are_told_long_before_the_next_draw(desk: Desk) -> None:
    """What is out counts as standing in the bucket: it would be full, and not refill, until the next draw."""
    seat = desk.sit("A1", 40)
    seat.pace(AccountQuota(20, 20))
    desk.gate.per_tick = 2
    await desk.pacer.run_once()
    seat.spend(2)
    seat.settle(2)
    now = desk.clock.monotonic()
    assert seat.due_before(now + 1_000, now) - now == REST_MS // WAKES_A_REST


async def test_a_seat_with_little_left_rests_little(desk: Desk) -> None:
    """The last records of a file are not kept waiting for a handful of their own."""
    seat = desk.sit("A1", 40)
    seat.pace(AccountQuota(20, 20))
    desk.gate.per_tick = 2
    rests = []
    for want in (40, 6, 3):
        desk.wants["A1"] = seat.usable() + want
        await desk.pacer.run_once()
        rests.append((await desk.draws_again("A1"))[0])
        desk.clock.advance(1_000)
    assert rests == [200, 100, 30]  # the next instant at which others wake, too


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
    assert await desk.draws_again("A1", "A2") == [210, 210]


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


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 1_500), st.booleans(), st.integers(0, 12)), max_size=25
    )
)
async def test_no_permit_is_used_twice_or_after_its_time(steps: list[tuple[int, int, bool, int]]) -> None:
    """Whatever is wanted, sent, lost and late: what was granted is sent, has lapsed, or is held; never more, never late."""
    desk = Desk()
    desk.gate.valid_ms = 500
    seat = desk.sit("A1", 0)
    for want, pause, lost, send in steps:
        desk.wants["A1"], desk.gate.is_lost = want, lost
        await desk.pacer.run_once()
        desk.clock.advance(pause)
        count = min(send, seat.usable())
        if count:
            assert seat.spend(count) > desk.clock.monotonic()
        held = seat.usable()
        assert seat.granted == seat.sent + seat.lapsed + held
        assert held >= 0
        assert seat.granted == desk.gate.given
        seat.settle(min(count, seat.sent - seat.settled))
    line = seat.last_line()
    assert line.granted == line.sent + line.lapsed


async def test_bound_by_tells_why(desk: Desk) -> None:
    """What binds a draw is told to whoever listens."""
    desk.gate.per_tick, desk.gate.bound_by = 1, BoundBy.PARTY
    seat = desk.sit("A1", 4)
    await desk.pacer.run_once()
    assert seat.bound_by is BoundBy.PARTY
    assert [e.bound for e in desk.events if isinstance(e, PermitsDrawn)] == [{"party": 1}]


@pytest.mark.parametrize(
    "shut",
    [
        Permit(True, 0, 0, 5_000, BoundBy.PUSHBACK, 4_000),
        Permit(True, 0, 0, 5_000, BoundBy.HOLD, 1_000),
        Permit(True, 0, 0, 5_000, BoundBy.NOTHING, 0, ending=True),
    ],
)
async def test_a_gate_that_shuts_takes_back_what_is_in_hand(desk: Desk, shut: Permit) -> None:
    """On a pushback, a hold or an ending no permit drawn before is used any more; all of them are handed back."""
    seat = desk.sit("A1", 5)
    await desk.pacer.run_once()
    seat.receive(shut, 0, desk.clock.monotonic())
    assert seat.usable() == 0
    assert (seat.line().granted, seat.line().lapsed, seat.line().sent) == (5, 5, 0)


async def test_the_time_that_the_call_took_is_taken_off_a_permit(desk: Desk) -> None:
    """Valid for 300 ms from before the call, which took 200: there are 100 left when the answer is read."""
    desk.gate.valid_ms = 300
    tick = desk.gate.tick

    async def slow_tick(*args: object) -> object:
        answer = await tick(*args)  # type: ignore[arg-type]  # handed through as it came
        desk.clock.advance(200)
        return answer

    desk.gate.tick = slow_tick  # type: ignore[method-assign,assignment]  # a gate that takes its time
    seat = desk.sit("A1", 4)
    await desk.pacer.run_once()
    desk.clock.advance(99)
    assert seat.usable() == 4
    desk.clock.advance(1)
    assert seat.usable() == 0


async def test_permits_are_void_at_once_when_the_gate_is_lost(desk: Desk) -> None:
    """Not only when their time is up: what the gate does not know of any more, nobody may use."""
    desk.gate.valid_ms = 60_000
    seat = desk.sit("A1", 4)
    await desk.pacer.run_once()
    desk.gate.is_lost = True
    desk.clock.advance(TELL_MS)
    await desk.pacer.run_once()
    assert (seat.alive, seat.usable(), seat.line().lapsed) == (True, 0, 4)
