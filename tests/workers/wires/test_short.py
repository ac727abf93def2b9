"""One short request and its answer: on a connection that is kept, told whole or not at all, and never twice."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from domain.errors import WireFault
from tests.workers.waiting import WAIT_S, until
from tests.workers.wires.raw import Caller, Raw, raw_registrar
from workers.wires.short import SHORT_ANSWER, ShortAnswer, exchange


def says(*answers: bytes) -> Callable[[Caller], Awaitable[None]]:
    """Answer one request after the other with these bytes; the connection is closed after the last."""

    async def serve(caller: Caller) -> None:
        for answer in answers:
            caller.arrived += await caller.reader.readuntil(b"\r\n\r\n")
            caller.say(answer)

    return serve


async def silent(caller: Caller) -> None:
    """Read until the other side leaves, and say nothing."""
    while data := await caller.reader.read(100):
        caller.arrived += data


def whole(content: bytes, *, headers: bytes = b"") -> bytes:
    """Return an answer with its length."""
    return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (headers, len(content), content)


async def ask(raw: Raw, times: int = 1, timeout_s: float = WAIT_S) -> list[ShortAnswer]:
    """Send so many requests, one after the other."""
    connections = raw.connections()
    try:
        return [await exchange(connections, "GET", "/x", {}, b"", timeout_s) for _ in range(times)]
    finally:
        await connections.close()


async def test_requests_that_follow_one_another_share_a_connection() -> None:
    """One connection carries them all; the headers that anybody asks for come along."""
    async with raw_registrar(says(whole(b"one"), whole(b"two", headers=b"Retry-After: 7\r\n"), b"")) as raw:
        first, second = await ask(raw, 2)
        assert (first.content, second.content, second.headers) == (b"one", b"two", {"Retry-After": "7"})
        assert len(raw.callers) == 1


async def test_a_connection_that_the_registrar_closed_is_not_used_again() -> None:
    """The next request goes on another, and nothing of it was on the first."""
    async with raw_registrar(says(whole(b"one"))) as raw:
        connections = raw.connections()
        for _ in (1, 2):
            assert (await exchange(connections, "GET", "/x", {}, b"", WAIT_S)).content == b"one"
            await until(raw.callers[-1].writer.is_closing)
        assert [caller.arrived.count(b"GET") for caller in raw.callers] == [1, 1]
        await connections.close()


async def test_what_is_too_long_is_read_to_its_bound() -> None:
    """No answer fills the memory; its connection is not used again."""
    async with raw_registrar(says(whole(b"x" * (2 * SHORT_ANSWER)), b"")) as raw:
        first, second = await ask(raw, 2)
        assert len(first.content) == len(second.content) == SHORT_ANSWER
        assert len(raw.callers) == 2


async def test_a_connection_whose_answer_is_not_through_is_not_kept() -> None:
    """Nothing more has come yet, but it may, and would be taken for the next answer."""
    half = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * SHORT_ANSWER) + b"x" * SHORT_ANSWER
    async with raw_registrar(says(half, b"")) as raw:
        connections = raw.connections()
        await exchange(connections, "GET", "/x", {}, b"", WAIT_S)
        assert connections.kept() is None
        await connections.close()


@pytest.mark.parametrize(
    ("serve", "timeout_s", "word"),
    [(silent, 0.05, "in time"), (says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), WAIT_S, "broke")],
)
async def test_an_answer_that_does_not_come_whole_may_have_been_delivered(
    serve: Callable[[Caller], Awaitable[None]], timeout_s: float, word: str
) -> None:
    """Silence and a break are told as such, and the connection is cut."""
    async with raw_registrar(serve) as raw:
        with pytest.raises(WireFault, match=word) as caught:
            await ask(raw, timeout_s=timeout_s)
        assert caught.value.maybe_delivered


async def test_a_request_that_nobody_waits_for_any_more_is_cut_off() -> None:
    """Its connection is not handed to anybody else: the answer could still come."""
    async with raw_registrar(silent) as raw:
        connections = raw.connections()
        task = asyncio.create_task(exchange(connections, "GET", "/x", {}, b"", WAIT_S))
        await until(lambda: bool(raw.callers and raw.callers[0].arrived))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert connections.kept() is None
        await connections.close()


async def test_a_value_that_would_not_stay_in_its_line_is_not_sent() -> None:
    """A session's name comes from outside; nothing is delivered."""
    async with raw_registrar(silent) as raw:
        connections = raw.connections()
        with pytest.raises(WireFault) as caught:
            await exchange(connections, "GET", "/x", {"Authorization": "a\r\nX: y"}, b"", WAIT_S)
        assert not caught.value.maybe_delivered
        assert raw.callers == []
