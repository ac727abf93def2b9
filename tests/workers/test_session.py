"""Sessions against a scripted registrar on a real socket: each way to end, each thing that can become of a record."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from domain.events import RecordsSent, SessionEnded, SessionStarted
from domain.quota import Lease
from domain.states import RecordState, Shape
from domain.wire import OpenSession, Scope, SessionLimits
from tests.workers.bench import Bench
from tests.workers.surroundings import serve, surroundings
from tests.workers.wires.scripted import Refusal, Scripted, accept
from workers.ending import Reason
from workers.heeding import LOG_IN_AGAIN_MS
from workers.login import FRESH_MS, take_lease
from workers.session import Session, SessionReport, run_session


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
        assert [type(e) for e in work.events if isinstance(e, SessionStarted | SessionEnded)] == [
            SessionStarted,
            SessionEnded,
        ]


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


async def test_every_record_sent_is_told_once_and_while_the_session_runs(work: Bench) -> None:
    """Records are told by rounds, not only at the end, which may be an hour away."""
    work.gate.per_tick = 2
    work.ledger.add_slice(7)
    report = await serve(work)
    told = [event.count for event in work.events if isinstance(event, RecordsSent)]
    assert sum(told) == report.sent == 7
    assert len(told) > 1


async def test_sessions_that_begin_together_each_ask_for_an_account_of_their_own(work: Bench) -> None:
    """Nobody asks the gate for what another session of this process asks for, holds, or held until it ended."""
    work.ledger.add_slice(3)
    reports = await asyncio.gather(*(run_session(work.station, "P1") for _ in range(3)))
    assert [report.account for report in reports] == ["A1", "A2", ""]
    assert work.gate.asked_for == ["A1", "A2"]
    assert (await serve(work)).account == "A1"


async def test_an_account_that_the_gate_refused_is_asked_for_again_next_time(work: Bench) -> None:
    """Somebody else had it then."""
    work.gate.taken |= {"A1", "A2"}
    assert await serve(work) == SessionReport(None)
    work.gate.taken.clear()
    work.ledger.add_slice(3)
    assert (await serve(work)).account == "A1"


async def test_an_old_lease_is_renewed_before_the_log_in(work: Bench, server: Scripted) -> None:
    """Whoever slept between lease and log-in asks first; without a renewal that succeeds nobody logs in."""
    work.gate.renews = False
    work.ledger.add_slice(3)
    lease = await take_lease(work.station, "P1")
    assert lease is not None
    asleep = Session(work.station, lease, work.station.clock.monotonic() - FRESH_MS)
    assert (await asleep.run()).reason is Reason.LEASE
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


@pytest.mark.parametrize(
    ("status", "code", "suspended"), [(401, "bad-credentials", False), (403, "account-suspended", True)]
)
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
    """Twice `session-ended` while our lease holds: set aside, notified, nothing unknown, and no third log-in."""
    server.script = lambda key: {"status": "end", "code": "session-ended"}
    work.ledger.add_slice(5)
    assert (await serve(work)).reason is Reason.FAULT
    assert work.ledger.aside == []
    assert (await serve(work)).reason is Reason.REFUSED
    assert work.ledger.aside == [("A1", "session-ended", False)]
    assert work.ledger.states() == "ppppp"
    assert server.logins == ["A1", "A1"]
    assert len(work.ledger.notices) == 1


async def test_a_registrar_that_restarts_sets_no_account_aside(work: Bench, server: Scripted) -> None:
    """Every session is ended at once, and once more soon after: each account pauses for its own few seconds, then works on."""
    server.script = lambda key: {"status": "end", "code": "session-ended"}
    work.ledger.add_slice(50)
    work.ledger.add_slice(50)
    for _ in range(2):
        reports = await asyncio.gather(serve(work), serve(work))
        assert {report.account for report in reports} == {"A1", "A2"}
        assert {report.reason for report in reports} == {Reason.FAULT}
    assert work.ledger.aside == []
    assert {who for _, who, _ in work.gate.pushes} == {"A1", "A2"}
    assert all(LOG_IN_AGAIN_MS <= pause < 2 * LOG_IN_AGAIN_MS for _, _, pause in work.gate.pushes)
    server.script = accept
    await serve(work)
    assert work.ledger.states() == "a" * 100


async def test_a_fenced_session_blames_nobody(work: Bench, server: Scripted) -> None:
    """`session-ended` after our lease was lost is the next holder's log-in: nobody is set aside."""

    def script(key: str) -> dict[str, Any]:
        work.gate.renews = False
        return {"status": "end", "code": "session-ended"}

    server.script = script
    work.ledger.add_slice(5)
    assert (await serve(work)).reason is Reason.LEASE
    assert work.ledger.aside == []


async def test_a_broken_exchange_leaves_records_unknown_and_they_go_again_with_the_same_key(
    work: Bench, server: Scripted
) -> None:
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
async def test_an_answer_that_cannot_be_read_is_never_a_success(
    work: Bench, server: Scripted, what: str
) -> None:
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
    assert (outcome.state, outcome.code, outcome.field) == (
        RecordState.REJECTED,
        "other-party",
        "national_id",
    )
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


async def test_an_account_is_not_held_for_a_record_due_much_later(work: Bench, server: Scripted) -> None:
    """The slice goes back with the time at which to try again, after what was answered of it has been settled."""
    now = work.station.clock.now()
    retry = {"status": "retry", "code": "busy", "retry_after": 60}
    server.script = lambda key: {"key": key, **retry} if key.endswith("-0") else accept(key)
    work.ledger.add_slice(3)
    assert (await serve(work)).reason is Reason.EMPTY
    ((slice_id, unknown, not_before),) = work.ledger.given_back
    assert (slice_id, unknown, work.ledger.states_then) == ("J1.0", (), ["paa"])
    assert not_before is not None
    assert not_before >= now + 59_000


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


async def test_a_change_of_limits_reaches_a_session_that_runs(work: Bench) -> None:
    """Another rate, another rest; and what the registrar told at the log-in binds also where it was not lower then."""
    lease = Lease("reg", "P1", "A1", "host:1", 1, 1)
    session, told = Session(work.station, lease, 0), OpenSession("s", "A1", "P1", 900, SessionLimits(30, 20))
    seat = work.station.pacer.take_seat(lease, lambda: 0, lambda: None, 6_000)
    before = work.station.rules = replace(work.station.rules, account_rate=20, account_burst=20)
    session._set_pace(told, seat)
    slow = seat.rest_ms
    await session._heed_rules(told, seat)
    assert work.gate.limited == []
    work.station.rules = replace(before, account_rate=200)
    await session._heed_rules(told, seat)
    assert [(q.rate, q.burst) for q in work.gate.limited] == [(30, 20)]
    work.station.rules = replace(before, account_rate=20, account_burst=4)
    await session._heed_rules(told, seat)
    assert seat.rest_ms < slow
