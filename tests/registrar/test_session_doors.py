"""Logging in and out over real sockets, and the load page."""

from email.utils import parsedate_to_datetime

import pytest

from registrar import Account, Fault, Party, Window
from tests.registrar.wire import NDJSON, RECORDS, ManualClock, config, door, line


async def test_a_log_in_says_whose_session_it_is_and_what_binds_it() -> None:
    """201 with session, account, party, expiry and limits."""
    async with door(config(account_rate=20, account_burst=5)) as it:
        answer = await it.try_log_in()
    said = answer.json
    assert answer.status == 201
    assert (said["account"], said["party"], said["expires_in"]) == ("P001-01", "P001", 900)
    assert said["limits"] == {"records_per_second": 20, "burst": 5, "max_in_flight": 64}


async def test_limits_may_be_kept_silent() -> None:
    """A registry may leave `limits` out."""
    async with door(config(show_limits=False)) as it:
        assert "limits" not in (await it.try_log_in()).json


@pytest.mark.parametrize(("account", "secret"), [("P001-01", "wrong"), ("nobody", "secret")])
async def test_wrong_credentials_are_a_problem_document(account: str, secret: str) -> None:
    """401 bad-credentials, whether the account or the secret is wrong; counted in the report."""
    async with door() as it:
        answer = await it.try_log_in(account, secret)
        report = await it.report()
    assert (answer.status, answer.json["code"], answer.json["status"]) == (401, "bad-credentials", 401)
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert {"type", "title", "detail"} <= set(answer.json)
    assert report["whole"]["logins_refused"] == {"bad-credentials": 1}


async def test_a_suspended_account_is_not_let_in() -> None:
    """403 account-suspended."""
    parties = {"P001": Party(accounts=(Account(id="P001-01", suspended=True),))}
    async with door(config(parties=parties)) as it:
        answer = await it.try_log_in()
    assert (answer.status, answer.json["code"]) == (403, "account-suspended")


async def test_outside_the_window_the_opening_is_told() -> None:
    """403 window-closed with opens_at and retry_after, by the registrar's own clock."""
    clock = ManualClock(wall_ms=1_000_000)
    windows = (Window(from_at=1_010_000, to_at=1_020_000),)
    async with door(config(windows=windows, utc_offset_min=0), clock) as it:
        answer = await it.try_log_in()
        clock.move(10_000)
        let_in = await it.try_log_in()
    assert (answer.status, answer.json["code"]) == (403, "window-closed")
    assert answer.json["opens_at"] == "1970-01-01T00:16:50.000+00:00"
    assert (answer.json["retry_after"], answer.headers["Retry-After"]) == (10, "10")
    assert let_in.status == 201


async def test_more_sessions_than_the_cap_are_refused_until_one_ends() -> None:
    """429 too-many-sessions with Retry-After; logging in again with the same account is no more."""
    async with door(config(sessions=1)) as it:
        token = await it.log_in("P001-01")
        answer = await it.try_log_in("P001-02")
        token = await it.log_in("P001-01")
        await it.ask("DELETE", f"/v1/sessions/{token}")
        after = await it.try_log_in("P001-02")
        report = await it.report()
    assert (answer.status, answer.json["code"], answer.headers["Retry-After"]) == (
        429,
        "too-many-sessions",
        "1",
    )
    assert after.status == 201
    assert report["pushbacks"] == {"too-many-sessions": 1}
    assert report["sessions"] == {"most": 1, "over": 0, "allowed": 1, "logins": 3}


async def test_the_newest_session_wins() -> None:
    """The older session's requests get 401 session-ended, and the judge sees one session at a time."""
    async with door() as it:
        older, newer = await it.log_in(), await it.log_in()
        assert (await it.batch(older, line("k"))).json["code"] == "session-ended"
        assert (await it.batch(newer, line("k"))).status == 200
        report = await it.report()
    assert report["parties"]["P001"]["accounts"]["P001-01"]["sessions"]["over"] == 0
    assert report["verdict"]["ok"]


async def test_without_newest_wins_a_second_session_stands_beside_the_first_and_is_reported() -> None:
    """Both work, and the verdict names the party that had more sessions than accounts."""
    async with door(config(newest_wins=False)) as it:
        for account in ("P002-01", "P002-01"):
            await it.log_in(account)
        report = await it.report()
    assert report["parties"]["P002"]["sessions"]["over"] == 1
    assert "party P002: 2 sessions at once, more than allowed 1 time(s)" in report["verdict"]["faults"]


async def test_a_second_session_may_be_refused_instead() -> None:
    """With refuse_second the second log-in waits until the first session has expired."""
    clock = ManualClock()
    async with door(config(newest_wins=False, refuse_second=True, expires_in_s=5), clock) as it:
        await it.log_in()
        assert (await it.try_log_in()).json["code"] == "too-many-sessions"
        clock.move(5_000)
        assert (await it.try_log_in()).status == 201


async def test_a_session_expires_so_long_after_its_last_line() -> None:
    """expires_in counts from the last line."""
    clock = ManualClock()
    async with door(config(expires_in_s=5), clock) as it:
        token = await it.log_in()
        clock.move(4_000)
        assert (await it.batch(token, line("a"))).status == 200
        clock.move(4_999)
        assert (await it.batch(token, line("b"))).status == 200
        clock.move(5_000)
        answer = await it.batch(token, line("c"))
    assert (answer.status, answer.json["code"]) == (401, "session-ended")


async def test_logging_out_is_always_good() -> None:
    """204 for an open session, for one that has ended, and for one that never was."""
    async with door() as it:
        token = await it.log_in()
        for one in (token, token, "never"):
            assert (await it.ask("DELETE", f"/v1/sessions/{one}")).status == 204
        assert (await it.batch(token, line("k"))).json["code"] == "session-ended"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"account": 5, "secret": "x"}', b"\xff"])
async def test_a_log_in_that_cant_be_read_is_malformed(body: bytes) -> None:
    """400 malformed for a body that is not what it should be."""
    async with door() as it:
        json = {"Content-Type": "application/json"}
        assert (await it.ask("POST", "/v1/sessions", data=body, headers=json)).json["code"] == "malformed"
        assert (await it.ask("POST", "/v1/sessions", data=body, headers=NDJSON)).status == 415


async def test_scripted_faults_strike_log_ins() -> None:
    """503, 429 and 500 at log-in, each as often as it was asked for."""
    faults = tuple(Fault(kind=kind, on="sessions", count=1) for kind in ("overloaded", "too-fast", "error"))
    async with door(config(faults=faults)) as it:
        statuses = [(await it.try_log_in()).status for _ in range(4)]
    assert statuses == [503, 429, 500, 201]


async def test_a_slow_log_in_is_answered_late_and_well() -> None:
    """The answer comes after the delay; nothing else waits for it."""
    async with door(config(faults=(Fault(kind="slow-login", on="sessions", count=1, delay_s=0.05),))) as it:
        assert (await it.try_log_in()).status == 201


async def test_the_load_page_tells_state_sessions_and_pace() -> None:
    """Normal when open, closed when no party may come in, busy when control says so."""
    clock = ManualClock(wall_ms=1_000)
    async with door(config(), clock) as it:
        token = await it.log_in()
        await it.batch(token, line("k"))
        normal = (await it.ask("GET", "/v1/load")).json
        await it.control(windows=[{"windows": []}])
        closed = (await it.ask("GET", "/v1/load")).json
        await it.control(load_state="busy")
        busy = (await it.ask("GET", "/v1/load")).json
    assert normal == {"state": "normal", "sessions": 1, "records_per_second": 1, "latency_ms_p95": 0}
    assert (closed["state"], busy["state"]) == ("closed", "busy")


async def test_the_date_is_the_registrars_own() -> None:
    """A clock that is 30 s wrong shows in every Date header."""
    clock = ManualClock(wall_ms=1_800_000_000_000, offset_s=-30)
    async with door(config(), clock) as it:
        answer = await it.ask("GET", "/v1/load")
    assert parsedate_to_datetime(answer.headers["Date"]).timestamp() == 1_800_000_000 - 30


async def test_what_is_not_there_is_a_problem_too() -> None:
    """Unknown paths and methods answer as problem documents."""
    async with door() as it:
        assert (await it.ask("GET", "/nowhere")).json["code"] == "not-found"
        assert (await it.ask("PATCH", "/v1/load")).json["code"] == "not-offered"


async def test_an_open_registry_enrols_whoever_comes() -> None:
    """With enrol, an unknown account becomes one of the party that its name begins with."""
    async with door(config(parties={}, enrol=True)) as it:
        first = await it.try_log_in("P777-01", "a")
        wrong = await it.try_log_in("P777-01", "b")
    assert (first.status, first.json["party"], wrong.status) == (201, "P777", 401)


async def test_a_session_of_another_registry_is_not_taken() -> None:
    """A path that names another registry is refused."""
    async with door() as it:
        token = await it.log_in()
        answer = await it.ask("POST", RECORDS.replace("party-members", "x"), token, data=b"", headers=NDJSON)
    assert answer.status == 404
