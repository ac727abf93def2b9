"""A seat at the pacer: its permits and their time, its rests, and when it speaks."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.quota import AccountQuota, BoundBy, Permit
from tests.workers.pacing import Desk
from workers.pacer import TICK_S
from workers.seat import FIRST_TOLD_MS, RENEW_MS, REST_MS, TELL_MS, Seat


@pytest.fixture
def desk() -> Desk:
    """A fresh one."""
    return Desk()


async def seat_that_sent_two(desk: Desk) -> Seat:
    """A bound seat: it wanted 40 at 20 a second, was given two, and spent them."""
    seat = desk.sit("A1", 40)
    seat.pace(AccountQuota(20, 20))
    desk.gate.per_tick = 2
    await desk.pacer.run_once()
    seat.spend(2)
    return seat


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
    assert (
        seat._line(0, desk.clock.monotonic()).granted,
        seat._line(0, desk.clock.monotonic()).lapsed,
        seat._line(0, desk.clock.monotonic()).sent,
    ) == (4, 3, 1)


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
    assert rests == [REST_MS, 150, 150, REST_MS]


async def test_answers_are_told_with_the_next_draw(desk: Desk) -> None:
    """One call carries both: the gate hears how old the newest answer is."""
    seat = await seat_that_sent_two(desk)
    seat.settle(1)
    desk.clock.advance(FIRST_TOLD_MS)
    await desk.pacer.run_once()
    seat.settle(1)
    now = desk.clock.monotonic()
    assert seat.due_before(now + 1_000, now) == REST_MS  # its draw was at 0


async def test_a_seat_that_rests_tells_when_it_wakes(desk: Desk) -> None:
    """Its rest ends at an instant that others share, which may be later than a rest: a call in between would tell the buckets nothing."""
    desk.clock.advance(110)
    seat = await seat_that_sent_two(desk)
    seat.settle(1)
    desk.clock.advance(FIRST_TOLD_MS)
    await desk.pacer.run_once()
    told_at = desk.clock.monotonic()
    seat._rest_until = told_at + REST_MS + 70
    seat.settle(1)
    assert seat.due_before(told_at + 1_000, told_at) == told_at + REST_MS + 70


async def test_a_seat_that_does_not_rest_tells_now_and_then(desk: Desk) -> None:
    """Where a burst is worth less than a millisecond nothing binds, and each answer is not worth a call."""
    seat = await seat_that_sent_two(desk)
    seat.pace(AccountQuota(1_000_000, 1))
    seat.settle(2)
    assert seat.due_before(seat._told_at + 1_000, seat._told_at) == seat._told_at + TELL_MS


async def test_a_tick_tells_how_long_ago_the_newest_answer_was_read(desk: Desk) -> None:
    """A full bucket refills from then on; a millisecond less, since both instants are whole milliseconds."""
    seat = await seat_that_sent_two(desk)
    seat.settle(1)
    desk.clock.advance(70)
    seat.settle(1)
    desk.clock.advance(30)
    assert seat._line(0, desk.clock.monotonic()).answered_ms_ago == 29


async def test_the_first_answers_are_told_soon(desk: Desk) -> None:
    """After a standstill the buckets are full: they refill only when they know that what was out is answered."""
    seat = await seat_that_sent_two(desk)
    seat.settle(2)
    now = desk.clock.monotonic()
    assert seat.due_before(now + 1_000, now) - now == FIRST_TOLD_MS


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


async def test_a_rest_that_began_before_there_was_more_to_say_is_cut_short(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that comes too soon to be told is told in its time, not when leases are renewed."""
    seat = await seat_that_sent_two(desk)
    seat.settle(1)
    desk.wants["A1"] = 0
    desk.clock.advance(REST_MS)
    assert await desk.pacer.run_once() > RENEW_MS / 1000 - TICK_S
    wakes: list[float] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda delay, _: wakes.append(delay))
    desk.clock.advance(30)
    seat.settle(1)
    desk.pacer.nudge(seat)
    seat.settle(1)
    desk.pacer.nudge(seat)
    assert wakes == [(REST_MS - 30) / 1000]


async def test_what_a_lost_gate_may_not_have_heard_is_said_again_at_once(desk: Desk) -> None:
    """The totals of a tick that failed do not wait for the next renewal."""
    seat = desk.sit("A1", 0)
    await desk.pacer.run_once()
    seat.settle(3)
    desk.clock.advance(TELL_MS)
    desk.gate.is_lost = True
    await desk.pacer.run_once()
    desk.gate.is_lost = False
    desk.clock.advance(300)
    await desk.pacer.run_once()
    assert desk.gate.ticks[-1][1][0].settled == 3


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
    assert (
        seat._line(0, desk.clock.monotonic()).granted,
        seat._line(0, desk.clock.monotonic()).lapsed,
        seat._line(0, desk.clock.monotonic()).sent,
    ) == (5, 5, 0)


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
