"""How sessions end: stopped, cancelled under them, ended by the gate, the window, the registrar, or a lost Redis."""

import asyncio
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest

from domain.clock import ManualClock
from domain.errors import GateLost
from domain.quota import BoundBy, Lease
from domain.states import JobState, Shape
from domain.wire import Scope
from tests.workers.bench import Bench
from tests.workers.surroundings import serve, surroundings
from tests.workers.waiting import until
from tests.workers.wires.scripted import Scripted, accept
from workers.ending import Reason
from workers.sending import Sending
from workers.session import BLOCKED_S, COMMON_S, OVERDUE_S, ROUND_S, Session
from workers.stock import Hand, Stock


async def test_a_cancelled_job_stops_in_mid_flight(work: Bench, server: Scripted) -> None:
    """When settling tells that the job is cancelling, no more of it leaves; what was answered is kept."""
    work.gate.per_tick = 2
    work.gate.bound_by = BoundBy.ACCOUNT

    def script(key: str) -> dict[str, Any]:
        work.ledger.job_state = JobState.CANCELLING
        return accept(key)

    server.script = script
    work.gate.total = 10
    work.ledger.add_slice(40)
    report = await serve(work)
    assert report.reason is Reason.EMPTY
    assert report.sent < 40
    assert work.ledger.states().count("a") == report.sent
    assert work.ledger.states().count("u") == 0
    assert work.ledger.given_back


async def test_a_stop_ends_between_records(work: Bench, server: Scripted) -> None:
    """When the process stops, answers due are waited for, the rest goes back as pending, and the lease is given back."""
    work.gate.total = 5
    work.ledger.add_slice(20)
    running = asyncio.ensure_future(serve(work))
    await until(lambda: work.ledger.states().count("a") == 5)
    work.station.stopping.set()
    assert (await running).reason is Reason.STOPPING
    assert work.ledger.states() == "a" * 5 + "p" * 15
    assert work.gate.released[0][1]
    assert server.logouts == ["s-1"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_ending": True}, Reason.ENDING),
        ({"is_alive": False}, Reason.LEASE),
        ({"total": 0, "bound_by": BoundBy.WINDOW}, Reason.WINDOW),
        ({"total": 0, "bound_by": BoundBy.HOLD}, Reason.ENDING),
    ],
)
async def test_the_gate_ends_a_session(
    work: Bench, server: Scripted, change: dict[str, Any], reason: Reason
) -> None:
    """Withdrawn, lease lost, window closed, held: the session ends with its answers and gives back what it did not send."""
    work.gate.total = 5
    work.ledger.add_slice(20)
    running = asyncio.ensure_future(serve(work))
    await until(lambda: work.ledger.states().count("a") == 5)
    for name, value in change.items():
        setattr(work.gate, name, value)
    assert (await running).reason is reason
    assert work.ledger.states() == "a" * 5 + "p" * 15
    assert len(server.arrived) == 5


async def test_a_lost_gate_stops_drawing_and_answers_still_settle(work: Bench, server: Scripted) -> None:
    """While the gate is lost nothing more is sent, what was sent settles, and the lease's own time ends the session."""
    work.gate.lease_ms = 400
    work.gate.total = 5
    work.ledger.add_slice(20)
    running = asyncio.ensure_future(serve(work))
    await until(lambda: len(server.arrived) == 5)
    work.gate.is_lost = True
    assert (await running).reason is Reason.LEASE
    assert work.ledger.states() == "a" * 5 + "p" * 15


async def test_nothing_leaves_in_the_guard_of_a_window(work: Bench, server: Scripted) -> None:
    """When the registrar's clock has come to the window's end less the guard, not one record leaves, whatever permits say."""
    now = work.station.clock.now()
    work.station.offset.offset_ms = 30_000
    work.station.closes_at = lambda party, at: now + 30_500
    work.ledger.add_slice(20)
    assert (await serve(work)).reason is Reason.WINDOW
    assert server.arrived == []


async def test_an_end_line_with_a_pause_is_waited_for(work: Bench, server: Scripted) -> None:
    """`too-fast` tells the gate for the scope named; the session goes on after a short pause, and nothing is lost."""
    seen: list[str] = []

    def script(key: str) -> dict[str, Any]:
        seen.append(key)
        if len(seen) == 3:
            return {"status": "end", "code": "too-fast", "scope": "party", "retry_after": 0.05}
        return accept(key)

    server.script = script
    work.ledger.add_slice(10)
    assert (await serve(work)).reason is Reason.EMPTY
    assert work.ledger.states() == "a" * 10
    assert work.gate.pushes == [(Scope.PARTY, "P1", 50)]
    line, _ = work.gate.released[0]
    assert line.sent == line.settled > 10


async def test_a_long_pause_frees_the_account(work: Bench, server: Scripted) -> None:
    """A pause too long to wait for inside the session gives the lease back; nothing is unknown."""
    server.script = lambda key: {"status": "end", "code": "overloaded", "retry_after": 60}
    work.ledger.add_slice(4)
    assert (await serve(work)).reason is Reason.PUSHBACK
    assert work.gate.pushes == [(Scope.REGISTRY, "", 60_000)]
    assert work.ledger.states() == "pppp"


async def test_a_word_to_slow_down_counts_while_the_last_answers_are_waited_for(
    work: Bench, server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session is leaving already, but others go on: the gate hears of it all the same, once."""
    drain = Sending.drain

    async def leaving(sending: Sending, *, cut: bool) -> None:
        server.let_go.set()
        await drain(sending, cut=cut)

    monkeypatch.setattr(Sending, "drain", leaving)
    server.script = lambda key: {"do": "late", "status": "end", "code": "overloaded", "retry_after": 60}
    work.ledger.add_slice(4)
    running = asyncio.ensure_future(serve(work))
    await until(lambda: bool(server.arrived))
    work.station.stopping.set()
    assert (await running).reason is Reason.STOPPING
    assert work.gate.pushes == [(Scope.REGISTRY, "", 60_000)]
    assert work.ledger.states() == "pppp"


async def test_a_word_to_slow_down_waits_for_no_other_answer(server: Scripted) -> None:
    """One record's answer is late, the next one's tells everybody to slow down: the gate hears of it before the late one comes."""
    asked: list[str] = []

    def script(key: str) -> dict[str, object]:
        asked.append(key)
        late = {**accept(key), "do": "late"}
        return late if len(asked) == 1 else {"status": "end", "code": "overloaded", "retry_after": 60}

    server.script = script
    async for work in surroundings(server, shape=Shape.BATCH, batch=1):
        work.ledger.add_slice(2)
        running = asyncio.ensure_future(serve(work))
        await until(partial(bool, work.gate.pushes))
        assert not running.done()
        assert work.gate.pushes == [(Scope.REGISTRY, "", 60_000)]
        assert work.station.signals.pushbacks == 0
        server.let_go.set()
        assert (await running).reason is Reason.PUSHBACK
        assert work.station.signals.pushbacks == 1  # one word, told twice, slows the brake once


async def test_a_failing_ledger_loses_no_answer(work: Bench, server: Scripted) -> None:
    """Outcomes whose settling failed are settled later, once."""
    work.ledger.failures = [RuntimeError("disk"), RuntimeError("disk")]
    work.ledger.add_slice(4)
    assert (await serve(work)).reason is Reason.EMPTY
    await until(lambda: work.ledger.states() == "aaaa")


async def test_a_gate_lost_straight_after_the_log_in_leaves_no_session_open(
    work: Bench, server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session that nobody could tell the gate of is closed before its lease is given back."""

    async def lost(lease: Lease) -> None:
        raise GateLost

    monkeypatch.setattr(work.gate, "fenced", lost)
    work.ledger.add_slice(1)
    await serve(work)
    assert server.logouts == ["s-1"]
    assert [logged_out for _, logged_out in work.gate.released] == [True]
    assert server.arrived == []


async def test_a_spent_retry_budget_is_waited_for_without_haste(
    work: Bench, server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines that are overdue for want of a retry cost some rounds a second, not a thousand."""
    naps: list[float] = []
    loop = asyncio.get_running_loop()
    call_at = loop.call_at

    def note(when: float, callback: Any, *args: Any, **more: Any) -> asyncio.TimerHandle:
        if callback == sending.changed.set:  # others rest on timers too
            naps.append(when - loop.time())
        return call_at(when, callback, *args, **more)

    stock = Stock()
    hand = Hand(work.ledger.add_slice(1).claimed, work.ledger.slices["J1.0"].box, idempotent=True)
    stock.add(hand)
    hand.ready.clear()
    hand.put_off(0, 0)
    session = Session(work.station, Lease("reg", "P1", "A1", "host:1", 1, 1), 0)
    monkeypatch.setattr(session, "_stock", stock)
    sending = SimpleNamespace(changed=asyncio.Event(), is_blocked=lambda: False, closes_in_ms=lambda: None)
    monkeypatch.setattr(loop, "call_at", note)
    await session._nap(cast("Sending", sending), None)
    assert naps == [pytest.approx(OVERDUE_S, abs=0.01)]


@pytest.mark.parametrize(
    ("is_blocked", "closes_in_ms", "claims_in_ms", "rest_s"),
    [
        (False, None, None, ROUND_S),
        (False, 120, None, 0.12),
        (False, 90_000, None, ROUND_S),
        (True, None, None, BLOCKED_S),
        (False, None, 80, 0.08),
    ],
)
async def test_a_round_does_not_wait_past_what_it_is_needed_for(
    work: Bench, monkeypatch: pytest.MonkeyPatch, is_blocked: bool, closes_in_ms: int | None,
    claims_in_ms: int | None, rest_s: float,
) -> None:  # fmt: skip
    """The window's guard, a claim that is due again, and a connection that tells nobody when it stands."""
    work.station.clock = clock = ManualClock()
    session = Session(work.station, Lease("reg", "P1", "A1", "host:1", 1, 1), 0)
    sending = SimpleNamespace(
        changed=asyncio.Event(), is_blocked=lambda: is_blocked, closes_in_ms=lambda: closes_in_ms
    )
    claims_at = None if claims_in_ms is None else clock.monotonic() + claims_in_ms
    monkeypatch.setattr(session._supply, "claims_at", lambda: claims_at)
    loop = asyncio.get_running_loop()
    began = loop.time()
    monkeypatch.setattr(loop, "time", lambda: began)
    woken_at: list[float] = []
    call_at = loop.call_at

    def note(when: float, callback: Any, *args: Any, **more: Any) -> asyncio.TimerHandle:
        if callback == sending.changed.set:
            woken_at.append(when)
            sending.changed.set()
        return call_at(when, callback, *args, **more)

    monkeypatch.setattr(loop, "call_at", note)
    await session._nap(cast("Sending", sending), None)
    (at,) = woken_at
    if rest_s == ROUND_S:  # an instant that all sessions share, and not later than a round
        assert at % COMMON_S == 0
        assert ROUND_S - COMMON_S < at - began <= ROUND_S
    else:
        assert at == began + rest_s


@pytest.mark.parametrize(
    ("change", "is_cut"),
    [({"total": 0, "bound_by": BoundBy.WINDOW}, True), ({"is_ending": True}, False)],
)
async def test_only_at_the_windows_end_an_exchange_is_cut(
    work: Bench, server: Scripted, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], *, is_cut: bool
) -> None:
    """What waits in the transport must not leave after the window; a session that ends otherwise lets it go."""
    told: list[bool] = []
    drain = Sending.drain

    async def noted(sending: Sending, *, cut: bool) -> None:
        told.append(cut)
        await drain(sending, cut=cut)

    monkeypatch.setattr(Sending, "drain", noted)
    work.gate.total = 5
    work.ledger.add_slice(20)
    running = asyncio.ensure_future(serve(work))
    await until(lambda: work.ledger.states().count("a") == 5)
    for name, value in change.items():
        setattr(work.gate, name, value)
    await running
    # afterwards the session leaves, and cuts what may be left on any path
    assert told == [is_cut, True]
