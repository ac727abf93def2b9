"""Sessions against a scripted registrar on a real socket: each way to end, each thing that can become of a record."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.clock import SystemClock
from domain.events import SessionEnded, SessionStarted
from domain.policy import RegistryRules
from domain.quota import BoundBy
from domain.states import JobState, RecordState, Shape
from domain.wire import Scope
from tests.workers.fakes import Bench, bench
from tests.workers.waiting import WAIT_S, until
from tests.workers.wires.scripted import Refusal, Scripted, accept, scripted_registrar
from workers.ending import Reason
from workers.session import SessionReport, run_session
from workers.wires.http import HttpWire


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    """A registrar that accepts everything until told otherwise."""
    async with scripted_registrar() as running:
        yield running


@pytest.fixture
async def work(server: Scripted) -> AsyncIterator[Bench]:
    """A stream session's surroundings, with pacer and settler running."""
    async for made in surroundings(server):
        yield made


async def surroundings(server: Scripted, **rules: Any) -> AsyncIterator[Bench]:
    """Make and start them for any rules."""
    given = {"shape": Shape.STREAM, "answer_timeout_s": 0.8, **rules}
    policy = RegistryRules("reg", "party-members", server.endpoint, **given)
    made = bench(policy, HttpWire(policy, SystemClock()), accounts=("A1", "A2"))
    made.station.pacer.start()
    made.station.settler.start()
    yield made
    await made.station.pacer.stop()
    await made.station.settler.stop()
    await made.station.wire.close()


async def serve(work: Bench) -> SessionReport:
    """Run one session to its end."""
    async with asyncio.timeout(WAIT_S):
        return await run_session(work.station, "P1")


@pytest.mark.parametrize("shape", list(Shape))
async def test_a_session_sends_everything_once_and_ends_empty(server: Scripted, shape: Shape) -> None:
    """Three slices go out in full, each record once; the session logs out and gives the lease back with its totals."""
    async for work in surroundings(server, shape=shape, batch=20):
        for count in (30, 30, 7):
            work.ledger.add_slice(count)
        report = await serve(work)
        assert report == SessionReport(Reason.EMPTY, "A1", 67, 67)
        assert work.ledger.states() == "a" * 67
        assert len(server.arrived) == len(set(server.arrived)) == 67
        assert server.logouts == ["s-1"]
        line, logged_out = work.gate.released[0]
        assert (line.sent, line.settled, line.granted - line.lapsed, logged_out) == (67, 67, 67, True)
        assert [type(e) for e in work.events if isinstance(e, SessionStarted | SessionEnded)] == [SessionStarted, SessionEnded]


async def test_a_wish_without_a_free_account_ends_at_once(work: Bench, server: Scripted) -> None:
    """A late or doubled message finds no account and does nothing."""
    work.ledger.add_slice(3)
    work.gate.taken |= {"A1", "A2"}
    assert await serve(work) == SessionReport(None)
    assert server.logins == []


async def test_the_next_free_account_is_taken(work: Bench, server: Scripted) -> None:
    """When the first account is in use the second one serves."""
    work.ledger.add_slice(3)
    work.gate.taken.add("A1")
    assert (await serve(work)).account == "A2"
    assert server.logins == ["A2"]


async def test_log_in_waits_for_a_renewal(work: Bench, server: Scripted) -> None:
    """Without a renewal that succeeded nobody logs in."""
    work.gate.renews = False
    work.ledger.add_slice(3)
    assert (await serve(work)).reason is Reason.LEASE
    assert server.logins == []


async def test_a_log_in_fences_and_lower_limits_bind(work: Bench, server: Scripted) -> None:
    """The gate hears that the log-in was answered, and of limits lower than the policy's."""
    server.login_body = {
        "session": "s-1", "account": "A1", "party": "P1", "expires_in": 900,
        "limits": {"records_per_second": 7, "burst": 40.0, "max_in_flight": 4},
    }  # fmt: skip
    work.ledger.add_slice(3)
    await serve(work)
    assert [lease.account for lease in work.gate.fenced_leases] == ["A1"]
    assert [(q.rate, q.burst) for q in work.gate.limited] == [(7, 20)]


@pytest.mark.parametrize(("status", "code", "suspended"), [(401, "bad-credentials", False), (403, "account-suspended", True)])
async def test_a_refused_account_is_set_aside_after_one_try(
    work: Bench, server: Scripted, status: int, code: str, *, suspended: bool
) -> None:
    """Bad credentials and suspension are tried once; the party is told; the next wish does not touch the account."""
    server.login = Refusal(status, {"code": code})
    work.ledger.add_slice(3)
    assert (await serve(work)).reason is Reason.REFUSED
    assert server.logins == ["A1"]
    assert work.ledger.aside == [("A1", code, suspended)]
    assert [(n.party, n.kind) for n in work.ledger.notices] == [("P1", "account-set-aside")]
    server.login = None
    assert (await serve(work)).account == "A2"


@pytest.mark.parametrize(
    ("status", "code", "reason", "scope", "who"),
    [
        (403, "window-closed", Reason.WINDOW, Scope.PARTY, "P1"),
        (429, "too-many-sessions", Reason.PUSHBACK, Scope.ACCOUNT, "A1"),
        (503, "overloaded", Reason.PUSHBACK, Scope.REGISTRY, ""),
    ],
)
async def test_a_log_in_pushed_back_waits_as_told(
    work: Bench, server: Scripted, status: int, code: str, reason: Reason, scope: Scope, who: str
) -> None:
    """The gate is told to wait for as long as the registrar said, for the scope concerned."""
    server.login = Refusal(status, {"code": code, "retry_after": 12})
    work.ledger.add_slice(3)
    assert (await serve(work)).reason is reason
    assert work.gate.pushes == [(scope, who, 12_000)]
    assert work.ledger.claims == []


async def test_somebody_else_with_the_code_sets_the_account_aside(work: Bench, server: Scripted) -> None:
    """`session-ended` while our lease holds: set aside, notified, slice given back with nothing unknown, no log-in again."""
    server.script = lambda key: {"status": "end", "code": "session-ended"}
    work.ledger.add_slice(5)
    assert (await serve(work)).reason is Reason.REFUSED
    assert work.ledger.aside == [("A1", "session-ended", False)]
    assert work.ledger.states() == "ppppp"
    assert server.logins == ["A1"]


async def test_a_fenced_session_blames_nobody(work: Bench, server: Scripted) -> None:
    """`session-ended` after our lease was lost is the next holder's log-in: nobody is set aside."""
    def script(key: str) -> dict[str, Any]:
        work.gate.renews = False
        return {"status": "end", "code": "session-ended"}

    server.script = script
    work.ledger.add_slice(5)
    assert (await serve(work)).reason is Reason.LEASE
    assert work.ledger.aside == []


async def test_a_broken_exchange_leaves_records_unknown_and_they_go_again_with_the_same_key(work: Bench, server: Scripted) -> None:
    """After a reset the unanswered are unknown; the next session sends them with the same keys and settles them."""
    work.gate.per_tick = 3
    server.script = lambda key: {**accept(key), "do": "reset"} if key.endswith("-2") else accept(key)
    work.ledger.add_slice(6)
    first = await serve(work)
    assert first.reason is Reason.FAULT
    assert "u" in work.ledger.states()
    assert work.gate.released[0][0].sent > work.gate.released[0][0].settled
    server.script = accept
    assert (await serve(work)).reason is Reason.EMPTY
    assert work.ledger.states() == "aaaaaa"
    assert set(server.arrived) == {f"J1_0-{n}" for n in range(6)}


@pytest.mark.parametrize("what", ["garbage", "truncated", "silence"])
async def test_an_answer_that_cannot_be_read_is_never_a_success(work: Bench, server: Scripted, what: str) -> None:
    """Nonsense, a cut line and silence leave the record unknown, not accepted and not rejected."""
    server.script = lambda key: {**accept(key), "do": what}
    work.ledger.add_slice(1)
    assert (await serve(work)).reason is Reason.FAULT
    assert work.ledger.states() == "u"


async def test_a_rejection_is_kept_with_its_reason(work: Bench, server: Scripted) -> None:
    """The registrar's code, field and messages stand in the outcome."""
    server.script = lambda key: {
        "key": key, "status": "rejected", "code": "other-party", "field": "national_id", "message_th": "ไม่ได้", "message_en": "No.",
    }  # fmt: skip
    work.ledger.add_slice(1)
    await serve(work)
    outcome = work.ledger.outcomes["J1.0", 0]
    assert (outcome.state, outcome.code, outcome.field) == (RecordState.REJECTED, "other-party", "national_id")
    assert (outcome.message_th, outcome.message_en) == ("ไม่ได้", "No.")


async def test_retry_answers_come_again_after_their_pause(work: Bench, server: Scripted) -> None:
    """A record that the registrar was too busy for goes again under the same key, and is accepted then."""
    seen: list[str] = []

    def script(key: str) -> dict[str, Any]:
        seen.append(key)
        if seen.count(key) == 1:
            return {"key": key, "status": "retry", "code": "busy", "retry_after": 0.05}
        return accept(key)

    server.script = script
    work.ledger.add_slice(4)
    assert (await serve(work)).reason is Reason.EMPTY
    assert work.ledger.states() == "aaaa"
    assert len(seen) == 8
    assert work.station.signals.pushbacks == 4


async def test_one_persons_records_go_one_after_the_other(work: Bench, server: Scripted) -> None:
    """A line that waits for another leaves only when that one has been answered."""
    answered: list[str] = []
    early: list[str] = []

    def script(key: str) -> dict[str, Any]:
        if key == "J1_0-3" and "J1_0-0" not in answered:
            early.append(key)
        answered.append(key)
        return accept(key)

    server.script = script
    work.ledger.add_slice(5, after={3: 0, 4: 3})
    assert (await serve(work)).reason is Reason.EMPTY
    assert work.ledger.states() == "aaaaa"
    assert early == []
    assert answered.index("J1_0-0") < answered.index("J1_0-3") < answered.index("J1_0-4")


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
async def test_the_gate_ends_a_session(work: Bench, server: Scripted, change: dict[str, Any], reason: Reason) -> None:
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


async def test_a_long_pause_frees_the_account(work: Bench, server: Scripted) -> None:
    """A pause too long to wait for inside the session gives the lease back; nothing is unknown."""
    server.script = lambda key: {"status": "end", "code": "overloaded", "retry_after": 60}
    work.ledger.add_slice(4)
    assert (await serve(work)).reason is Reason.PUSHBACK
    assert work.gate.pushes == [(Scope.REGISTRY, "", 60_000)]
    assert work.ledger.states() == "pppp"


async def test_a_failing_ledger_loses_no_answer(work: Bench, server: Scripted) -> None:
    """Outcomes whose settling failed are settled later, once."""
    work.ledger.failures = [RuntimeError("disk"), RuntimeError("disk")]
    work.ledger.add_slice(4)
    assert (await serve(work)).reason is Reason.EMPTY
    await until(lambda: work.ledger.states() == "aaaa")
