"""Streams over real sockets: answers while the body is still going out, ends, and what dies on the way."""

import aiohttp
import pytest

from registrar import Fault, Window
from tests.registrar.wire import NDJSON, RECORDS, ManualClock, RawStream, config, door, line, lines


async def test_a_record_is_answered_while_the_request_goes_on() -> None:
    """Each answer is read before the next line is sent."""
    async with door() as it:
        stream = await it.stream(await it.log_in())
        for number in range(3):
            stream.send(lines(1, number))
            assert (await stream.read())["key"] == f"k{number}"
        stream.finish()
        assert await stream.rest() == []


async def test_lines_may_come_in_any_pieces() -> None:
    """Half lines wait for their other half; the last line needs no line feed; blank lines are nothing."""
    async with door() as it:
        stream = await it.stream(await it.log_in())
        whole = lines(3)
        stream.send(whole[:50])
        stream.send(whole[50:60] + whole[60:-1])
        assert (await stream.read())["key"] == "k0"
        stream.send(b"\n\n" + line("last").rstrip())
        stream.finish()
        assert [one["key"] for one in await stream.rest()] == ["k1", "k2", "last"]


async def test_answers_wait_for_the_service_time_and_keep_their_order() -> None:
    """With a service time every answer comes, all of them before the answer ends."""
    async with door(config(service_ms=10)) as it:
        stream = await it.stream(await it.log_in())
        for number in range(20):
            stream.send(lines(1, number))
        stream.finish()
        assert [one["key"] for one in await stream.rest()] == [f"k{n}" for n in range(20)]


async def test_a_stream_that_is_too_fast_is_ended_and_reported() -> None:
    """The records within the limit are answered, then `end` too-fast; what stood behind is not recorded."""
    async with door(config(account_rate=10), ManualClock()) as it:
        stream = await it.stream(await it.log_in())
        stream.send(lines(12))
        got = await stream.rest()
        stream.finish()
        report = await it.report()
    assert [one["status"] for one in got] == ["accepted"] * 10 + ["end"]
    assert (got[-1]["code"], got[-1]["scope"]) == ("too-fast", "account")
    assert report["outcomes"] == {"accepted": 10, "too_fast": 1, "refused": 1}
    assert report["effects"]["natural_keys"] == 10


async def test_the_window_ends_a_stream_that_waits() -> None:
    """At the window's end an idle stream gets its `end` line with the next opening."""
    clock = ManualClock(wall_ms=0)
    windows = (Window(from_at=0, to_at=5_000), Window(from_at=9_000, to_at=10_000))
    async with door(config(windows=windows, utc_offset_min=0), clock) as it:
        stream = await it.stream(await it.log_in())
        stream.send(lines(1))
        await stream.read()
        clock.move(5_000)
        end = await stream.read()
        report = await it.report()
    assert (end["status"], end["code"], end["scope"]) == ("end", "window-closed", "registry")
    assert (end["opens_at"], end["retry_after"]) == ("1970-01-01T00:00:09.000+00:00", 4.0)
    assert report["outside"]["count"] == 0


async def test_what_comes_after_the_end_is_logged_and_not_recorded() -> None:
    """Lines behind an `end` have arrived, outside the window too, and take no effect."""
    clock = ManualClock(wall_ms=0)
    async with door(config(windows=(Window(from_at=0, to_at=5_000),)), clock) as it:
        stream = await RawStream.open(it.url, await it.log_in())
        await stream.read_until(b"\r\n\r\n")
        clock.move(5_000)
        assert b'"window-closed"' in await stream.read_until(b"0\r\n\r\n")
        clock.move(1)
        stream.send(lines(2))
        await it.settled(2)
        await stream.close()
        report = await it.report()
    assert report["outcomes"] == {"after_end": 2}
    assert report["outside"] == {"count": 2, "latest_ms": 1.0, "earliest_ms": None}
    assert report["effects"]["natural_keys"] == 0


async def test_a_newer_session_ends_the_older_ones_stream() -> None:
    """The stream of the older session gets `end` session-ended at once."""
    async with door() as it:
        stream = await it.stream(await it.log_in())
        await it.log_in()
        assert await stream.read() == {"status": "end", "code": "session-ended", "scope": "account"}


async def test_a_withdrawn_account_ends_in_mid_stream() -> None:
    """Suspending an account ends its stream, and its next log-in is refused."""
    async with door() as it:
        stream = await it.stream(await it.log_in())
        await it.control(accounts=[{"id": "P001-01", "suspended": True}])
        assert (await stream.read())["code"] == "account-suspended"
        assert (await it.try_log_in()).json["code"] == "account-suspended"


async def test_somebody_else_with_our_code_ends_our_session() -> None:
    """A hijack is a newer session of the account."""
    async with door() as it:
        stream = await it.stream(await it.log_in())
        await it.control(hijack="P001-01")
        assert (await stream.read())["code"] == "session-ended"


async def test_a_restart_loses_all_sessions_and_resets_their_connections() -> None:
    """Streams break, tokens are worth nothing, a new log-in works; what was recorded stays."""
    async with door() as it:
        token = await it.log_in()
        stream = await it.stream(token)
        stream.send(line("k"))
        await stream.read()
        await it.control(restart=True)
        with pytest.raises(aiohttp.ClientError):
            await stream.rest()
        assert (await it.batch(token, line("k"))).json["code"] == "session-ended"
        assert (await it.batch(await it.log_in(), line("k"))).lines[0]["status"] == "duplicate"


@pytest.mark.parametrize(
    ("kind", "code", "then"),
    [("hijack", "session-ended", 201), ("suspend", "account-suspended", 403), ("password", None, 401)],
)
async def test_misfortunes_strike_after_a_handful(kind: str, code: str | None, then: int) -> None:
    """The handful is answered, then the account is used, suspended or re-keyed by others."""
    async with door(config(faults=(Fault(kind=kind, after=1, count=1),))) as it:
        stream = await it.stream(await it.log_in())
        for number in range(2):
            stream.send(lines(1, number))
            assert (await stream.read())["status"] == "accepted"
        if code is not None:
            assert (await stream.read())["code"] == code
        assert (await it.try_log_in()).status == then


async def test_a_scripted_restart_loses_everybodys_session() -> None:
    """One party's handful brings the restart; the other party's session is gone too."""
    async with door(config(faults=(Fault(kind="restart", count=1, party="P001"),))) as it:
        ours, others = await it.log_in("P001-01"), await it.log_in("P002-01")
        assert (await it.batch(others, lines(1))).status == 200
        assert (await it.batch(ours, lines(1))).status == 200
        assert [(await it.batch(token, lines(1))).status for token in (ours, others)] == [401, 401]


async def test_busy_lines_and_ends_strike_in_mid_stream() -> None:
    """A record that is told to retry is not recorded; the `end` says who waits, and how long."""
    faults = (
        Fault(kind="busy", after=1, count=1, retry_after_s=1.5),
        Fault(kind="end", after=3, count=1, scope="party", retry_after_s=30),
    )
    async with door(config(faults=faults)) as it:
        stream = await it.stream(await it.log_in())
        stream.send(lines(6))
        got = await stream.rest()
        report = await it.report()
    assert [one["status"] for one in got] == ["accepted", "retry", "accepted", "end"]
    assert got[1] == {"key": "k1", "status": "retry", "code": "busy", "retry_after": 1.5}
    assert got[-1] == {"status": "end", "code": "overloaded", "scope": "party", "retry_after": 30}
    assert report["effects"]["natural_keys"] == 2


@pytest.mark.parametrize(
    ("kind", "again"),
    [
        ("reset", "accepted"),
        ("reset-after", "duplicate"),
        ("error-after", "duplicate"),
        ("truncate", "duplicate"),
        ("garbage", "duplicate"),
        ("charset", "duplicate"),
    ],
)
async def test_a_stream_that_breaks_leaves_one_record_unknown(kind: str, again: str) -> None:
    """The third record gets no answer that can be read; sending it again tells whether it took effect."""
    async with door(config(faults=(Fault(kind=kind, after=2, count=1),))) as it:
        token = await it.log_in()
        stream = await it.stream(token)
        for number in range(2):
            stream.send(lines(1, number))
            assert (await stream.read())["status"] == "accepted"
        stream.send(lines(1, 2))
        try:
            rest = await stream.response.content.read()
        except aiohttp.ClientError:
            rest = b""
        answer = await it.batch(token, lines(1, 2))
        report = await it.report()
    assert not (rest.endswith(b"}\n") and b'"accepted"' in rest)
    assert answer.lines[0]["status"] == again
    assert report["effects"]["more"] == 0


async def test_a_late_effect_surfaces_after_the_connection_is_gone() -> None:
    """The connection is reset, and the record takes effect only later."""
    faults = (Fault(kind="late-effect", count=1, delay_s=0.05),)
    async with door(config(faults=faults)) as it:
        token = await it.log_in()
        stream = await it.stream(token)
        stream.send(lines(1))
        with pytest.raises(aiohttp.ClientError):
            await stream.rest()
        assert (await it.ask("GET", f"{RECORDS}/k0", token)).status == 404
        await it.until(lambda report: report["effects"]["natural_keys"] == 1)
        assert (await it.ask("GET", f"{RECORDS}/k0", token)).json["status"] == "accepted"


async def test_a_stall_holds_answers_and_then_lets_all_go() -> None:
    """Everything sent during a stall is answered, in order, when it is over."""
    async with door(config(faults=(Fault(kind="stall", count=1, delay_s=0.1),))) as it:
        stream = await it.stream(await it.log_in())
        for number in range(5):
            stream.send(lines(1, number))
        stream.finish()
        assert [one["key"] for one in await stream.rest()] == [f"k{n}" for n in range(5)]


async def test_a_bad_line_ends_the_stream_with_its_number() -> None:
    """Lines before it are answered, nothing after it is taken."""
    async with door() as it:
        stream = await it.stream(await it.log_in())
        stream.send(lines(2))
        await stream.read()
        stream.send(lines(1, 2) + b"nonsense\n" + lines(1, 3))
        got = await stream.rest()
    assert [one.get("key") for one in got] == ["k1", "k2", None]
    assert got[-1] == {"status": "end", "code": "malformed", "line": 4}


async def test_a_line_without_an_end_is_cut_off() -> None:
    """A line longer than the limit ends the stream before it is whole."""
    async with door(config(max_line_bytes=1000)) as it:
        stream = await it.stream(await it.log_in())
        stream.send(b"x" * 2000)
        assert await stream.read() == {"status": "end", "code": "too-large", "line": 1}


async def test_a_client_that_goes_away_harms_nobody() -> None:
    """Records that had arrived are recorded; the registrar goes on."""
    async with door(config(service_ms=20)) as it:
        token = await it.log_in()
        stream = await it.stream(token)
        stream.send(lines(3) + b'{"key":"half')
        await it.until(lambda report: report["arrivals"] == 3)
        stream.response.close()
        answer = await it.batch(token, lines(3))
    assert [one["status"] for one in answer.lines] == ["duplicate"] * 3


async def test_a_stream_refused_at_once_still_counts_what_it_brought() -> None:
    """403 before the body is whole; the records that come have arrived outside the window."""
    clock = ManualClock(wall_ms=0)
    async with door(config(windows=(Window(from_at=0, to_at=5),)), clock) as it:
        token = await it.log_in()
        clock.move(6)
        stream = await RawStream.open(it.url, token)
        assert b" 403 " in await stream.read_until(b"\r\n\r\n")
        stream.send(lines(2))
        await it.settled(2)
        await stream.close()
        report = await it.report()
    assert report["outcomes"] == {"refused": 2}
    assert report["outside"]["latest_ms"] == 1.0


async def test_another_content_type_is_refused_before_the_body() -> None:
    """415 for a stream of something else."""
    async with door() as it:
        token = await it.log_in()
        wrong = {**NDJSON, "Content-Type": "text/csv"}
        assert (await it.batch(token, lines(1), headers=wrong)).status == 415
