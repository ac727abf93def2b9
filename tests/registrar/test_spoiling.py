"""Scripted faults at the doors, over real sockets: what is refused, torn, cut short or spoilt, and what of it took effect."""

from email.utils import parsedate_to_datetime

import aiohttp
import pytest

from registrar import Fault
from tests.registrar.wire import ManualClock, config, door, line, lines, record


async def test_a_storm_of_503_says_when_in_seconds_or_as_a_date() -> None:
    """Retry-After in seconds, then as an HTTP date of the registrar's clock; then all is well."""
    clock = ManualClock(wall_ms=1_800_000_000_000)
    faults = (
        Fault(kind="overloaded", count=1, retry_after_s=7),
        Fault(kind="overloaded", count=1, retry_after_s=7, http_date=True),
        Fault(kind="too-fast", count=1, retry_after_s=None),
    )
    async with door(config(faults=faults), clock) as it:
        token = await it.log_in()
        answers = [await it.batch(token, line("k")) for _ in range(4)]
        report = await it.report()
    assert [answer.status for answer in answers] == [503, 503, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert parsedate_to_datetime(answers[1].headers["Retry-After"]).timestamp() == 1_800_000_007
    assert report["pushbacks"] == {"overloaded": 2, "too-fast": 1}


@pytest.mark.parametrize("kind", ["error-after", "garbage", "charset", "truncate", "reset-after"])
async def test_a_spoilt_answer_leaves_the_effect(kind: str) -> None:
    """The record took effect though its answer can't be read; the second time it is a duplicate."""
    async with door(config(faults=(Fault(kind=kind, count=1),))) as it:
        token = await it.log_in()
        try:
            answer = await it.batch(token, line("k"))
            spoilt = (
                answer.status != 200 or b'"receipt":"' not in answer.body or not answer.body.endswith(b"}\n")
            )
        except aiohttp.ClientError:
            spoilt = True
        again = await it.batch(token, line("k"))
        report = await it.report()
    assert spoilt
    assert again.lines[0]["status"] == "duplicate"
    assert report["effects"]["exactly_one"] == 1


async def test_an_error_before_recording_leaves_no_effect() -> None:
    """500 is said before anything is recorded, for a batch and for a single record."""
    async with door(config(faults=(Fault(kind="error", count=2),))) as it:
        token = await it.log_in()
        assert (await it.batch(token, line("k"))).status == 500
        assert (await it.put(token, "k", record())).status == 500
        assert (await it.batch(token, line("k"))).lines[0]["status"] == "accepted"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_proxy_in_front_may_break_before_and_after_the_effect(status: int) -> None:
    """The status is the script's; all but the registrar's own 500 name no code and no time, as a proxy's page doesn't."""
    kinds = [{"kind": kind, "status": status, "count": 1} for kind in ("error", "error-after", "error")]
    async with door(config()) as it:
        token = await it.log_in()
        answers = []
        for kind in kinds:
            await it.control(faults=[kind])
            answers.append(await it.batch(token, line("k")))
            answers.append(await it.batch(token, line("k")))
        await it.control(faults=[{"kind": "error", "on": "sessions", "status": status, "count": 1}])
        assert (await it.try_log_in()).status == status
    assert [answer.status for answer in answers] == [status, 200, status, 200, status, 200]
    assert [answers[n].lines[0]["status"] for n in (1, 3, 5)] == ["accepted", "duplicate", "duplicate"]
    assert (b'"code":"internal"' in answers[0].body) is (status == 500)
    assert "Retry-After" not in answers[0].headers


async def test_a_reset_before_recording_leaves_no_effect() -> None:
    """The connection is torn; what had arrived is logged, and the next attempt is the first effect."""
    async with door(config(faults=(Fault(kind="reset", count=3),))) as it:
        token = await it.log_in()
        with pytest.raises(aiohttp.ClientError):
            await it.batch(token, line("k"))
        with pytest.raises(aiohttp.ClientError):  # aiohttp itself sends a PUT twice
            await it.put(token, "k", record())
        assert (await it.batch(token, line("k"))).lines[0]["status"] == "accepted"
        report = await it.report()
    assert report["outcomes"] == {"fault": 3, "accepted": 1}


async def test_an_end_line_may_cut_a_batch_short() -> None:
    """Records after the `end` have no line and are not recorded."""
    faults = (Fault(kind="end", after=2, count=1, code="overloaded", scope="party", retry_after_s=3),)
    async with door(config(faults=faults)) as it:
        answer = await it.batch(await it.log_in(), lines(5))
        report = await it.report()
    assert [one["status"] for one in answer.lines] == ["accepted", "accepted", "end"]
    assert answer.lines[-1] == {"status": "end", "code": "overloaded", "scope": "party", "retry_after": 3}
    assert report["effects"]["natural_keys"] == 2
    assert report["pushbacks"] == {"end overloaded": 1}
