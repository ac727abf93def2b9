"""What each of the three shapes promises, shown against a scripted registrar on a real socket."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest

from domain.clock import SystemClock
from domain.policy import RegistryRules
from domain.states import Shape
from domain.wire import Answer, End, Line, OpenSession, Scope, Upload, Verdict
from tests.workers.waiting import WAIT_S, until
from tests.workers.wires.heard import heard
from tests.workers.wires.scripted import Refusal, Scripted, accept
from workers.wires.http import HttpWire


@pytest.fixture(params=[Shape.STREAM, Shape.BATCH, Shape.SINGLE])
async def wire(request: pytest.FixtureRequest, server: Scripted) -> AsyncIterator[HttpWire]:
    """One wire of each shape."""
    rules = RegistryRules(
        "reg", "party-members", server.endpoint, shape=request.param, batch=3, answer_timeout_s=0.6
    )
    made = HttpWire(rules, SystemClock())
    yield made
    await made.close()


async def log_in(wire: HttpWire) -> OpenSession:
    """Open a session."""
    session = await wire.log_in("A1", "secret")
    assert isinstance(session, OpenSession)
    return session


def lines(*keys: str) -> list[Line]:
    """Records with these keys."""
    return [Line(n, key, b'{"n":%d}' % n) for n, key in enumerate(keys)]


async def send(upload: Upload, records: Sequence[Line], answers: list[Answer]) -> End | None:
    """Write all records as room allows and collect answers until all are answered or the exchange ends."""
    waiting = list(records)
    handfuls = heard(upload)
    pending = asyncio.ensure_future(anext(handfuls))
    async with asyncio.timeout(WAIT_S):
        while waiting or len(answers) < len(records):
            if waiting and (room := upload.room()):
                upload.write(waiting[:room])
                del waiting[:room]
            await asyncio.wait([pending], timeout=0.005)
            if pending.done():
                handful = pending.result()
                if isinstance(handful, End):
                    return handful
                answers.extend(handful)
                pending = asyncio.ensure_future(anext(handfuls))
        await upload.finish()
        while not isinstance(handful := await pending, End):
            answers.extend(handful)
            pending = asyncio.ensure_future(anext(handfuls))
    return handful


async def exchange(wire: HttpWire, *keys: str) -> tuple[dict[str, Answer], End | None]:
    """Send these keys in a new session; what was answered, and how it ended."""
    answers: list[Answer] = []
    end = await send(wire.open(await log_in(wire)), lines(*keys), answers)
    return {answer.key: answer for answer in answers}, end


async def test_every_record_gets_its_answer(wire: HttpWire, server: Scripted) -> None:
    """Twenty records are written, arrive once each, and each is answered with its own receipt."""
    keys = [f"k{n}" for n in range(20)]
    answers, end = await exchange(wire, *keys)
    assert sorted(server.arrived) == sorted(keys)
    assert {key: answer.receipt for key, answer in answers.items()} == {key: f"R-{key}" for key in keys}
    assert end == End("finished")
    assert set(server.requests) == {"Bearer s-1"}


async def test_each_status_is_told_apart(wire: HttpWire, server: Scripted) -> None:
    """Accepted and duplicate count as accepted, rejected keeps its reason, retry its pause in ms."""
    told: dict[str, dict[str, Any]] = {
        "a": {"key": "a", "status": "accepted", "receipt": "R1"},
        "b": {"key": "b", "status": "duplicate", "receipt": "R0"},
        "c": {
            "key": "c",
            "status": "rejected",
            "code": "other-party",
            "field": "national_id",
            "message_th": "ไม่ได้",
        },
        "d": {"key": "d", "status": "retry", "code": "busy", "retry_after": 1.5},
    }
    server.script = lambda key: dict(told[key])
    answers, _ = await exchange(wire, "a", "b", "c", "d")
    assert answers["a"] == Answer("a", Verdict.ACCEPTED, receipt="R1")
    assert answers["b"] == Answer("b", Verdict.ACCEPTED, receipt="R0")
    assert answers["c"] == Answer(
        "c", Verdict.REJECTED, code="other-party", field="national_id", message_th="ไม่ได้"
    )
    assert answers["d"] == Answer("d", Verdict.RETRY, code="busy", retry_after_ms=1500)


async def test_an_end_stops_the_exchange_cleanly(wire: HttpWire, server: Scripted) -> None:
    """After `end` the unanswered records were not recorded, and scope and pause are the registrar's."""
    end_line = {"status": "end", "code": "too-fast", "scope": "party", "retry_after": 30}
    server.script = lambda key: accept(key) if key == "a" else dict(end_line)
    answers, end = await exchange(wire, "a", "b", "c")
    assert set(answers) <= {"a"}
    assert end == End("too-fast", Scope.PARTY, retry_after_ms=30_000)


@pytest.mark.parametrize("what", ["reset", "garbage", "truncated", "applied-500", "silence", "nothing"])
async def test_what_cannot_be_read_leaves_records_unknown(
    wire: HttpWire, server: Scripted, what: str
) -> None:
    """A reset, nonsense, a cut line, a late 500, silence, an answer without the record: never answered, never a clean end."""
    server.script = lambda key: {**accept(key), "do": what}
    answers, end = await exchange(wire, "a")
    assert answers == {}
    assert end is not None
    assert not end.clean


@pytest.mark.parametrize(
    ("status", "code", "scope", "clean"),
    [
        (401, "session-ended", Scope.ACCOUNT, True),
        (403, "window-closed", Scope.PARTY, True),
        (403, "account-suspended", Scope.ACCOUNT, True),
        (429, "too-fast", Scope.REGISTRY, True),
        (503, "overloaded", Scope.REGISTRY, True),
        (500, "internal", Scope.REGISTRY, False),
        (502, "", Scope.REGISTRY, False),
        (503, "", Scope.REGISTRY, False),
    ],
)
async def test_a_whole_request_can_be_refused(
    wire: HttpWire, server: Scripted, status: int, code: str, scope: Scope, *, clean: bool
) -> None:
    """Each refusal of a whole request says whether its records may have been recorded, and whom it binds."""
    server.refusal = Refusal(status, {"code": code, "retry_after": 2} if code else None, {"X-Early": "1"})
    answers, end = await exchange(wire, "a")
    assert answers == {}
    assert end is not None
    assert (end.scope, end.clean) == (scope, clean)
    assert end.retry_after_ms == (2000 if code else None)
    assert end.code == (code or end.code)


async def test_retry_after_may_be_a_date(wire: HttpWire, server: Scripted) -> None:
    """An HTTP date counts from the answer's own Date, so the registrar's clock may be wrong by a year."""
    then = 1_600_000_000
    headers = {
        "Date": formatdate(then, usegmt=True),
        "Retry-After": formatdate(then + 45, usegmt=True),
        "X-Early": "1",
    }
    server.refusal = Refusal(429, {"code": "too-fast"}, headers)
    _, end = await exchange(wire, "a")
    assert end is not None
    assert end.retry_after_ms == 45_000


async def test_a_line_the_registrar_cannot_read_is_refused_for_good(wire: HttpWire, server: Scripted) -> None:
    """400 with a line number rejects that line and nothing else, so that it cannot come back for ever."""
    server.refusal = Refusal(400, {"code": "malformed", "line": 1}, {"X-Early": "1"})
    answers, _ = await exchange(wire, "a")
    assert answers["a"] == Answer("a", Verdict.REJECTED, code="malformed")


async def test_nothing_can_be_written_after_an_abort(wire: HttpWire, server: Scripted) -> None:
    """Aborting ends the exchange at once and leaves what was unanswered unknown."""
    server.script = lambda key: {**accept(key), "do": "silence"}
    upload = wire.open(await log_in(wire))
    async with asyncio.timeout(WAIT_S):
        await until(upload.room)
        upload.write(lines("a"))
        await until(lambda: server.arrived)
        upload.abort()
        ends = [handful async for handful in heard(upload)]
    assert isinstance(ends[-1], End)
    assert not ends[-1].clean
    assert upload.room() == 0
    assert server.arrived == ["a"]


async def test_an_unreachable_registrar_has_received_nothing(wire: HttpWire, server: Scripted) -> None:
    """When no connection can be made the exchange ends cleanly: nothing is unknown."""
    session = await log_in(wire)
    nowhere = HttpWire(replace(wire.rules, endpoint="http://127.0.0.1:9"), wire.clock)  # the discard port
    upload = nowhere.open(session)
    if wire.rules.shape is Shape.SINGLE:
        upload.write(lines("a"))
    async with asyncio.timeout(WAIT_S):
        ends = [handful async for handful in heard(upload)]
    await nowhere.close()
    assert ends == [End("unreachable")]
