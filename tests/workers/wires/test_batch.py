"""Batches over connections that are kept: used again, and replaced where the server has closed them."""

import asyncio
import socket

import pytest

from domain.clock import SystemClock
from domain.errors import WireFault
from domain.policy import RegistryRules
from domain.states import Shape
from domain.wire import Answer, End, Line
from tests.workers.waiting import until
from tests.workers.wires.heard import heard
from tests.workers.wires.raw import SESSION, SLOW_DOWN, Caller, Raw, answer, raw_registrar
from tests.workers.wires.test_contract import lines, send
from tests.workers.wires.test_exchange import end_of
from workers.wires.batch import BatchUpload
from workers.wires.http import HttpWire


async def answer_all(caller: Caller) -> None:
    """Answer one request after the other on the same connection."""
    while True:
        _, keys = await caller.request()
        caller.say(answer(*keys))


async def answer_once(caller: Caller) -> None:
    """Answer one request, and close without a word of it."""
    _, keys = await caller.request()
    caller.say(answer(*keys))


async def close_all(raw: Raw) -> None:
    """Close every connection, and wait for one that takes their place."""
    called = len(raw.callers)
    for caller in raw.callers:
        caller.writer.close()
    await until(lambda: len(raw.callers) > called)


def numbered(count: int) -> list[Line]:
    """So many records."""
    return lines(*[f"k{n}" for n in range(count)])


async def test_a_batch_takes_the_connection_that_one_before_it_gave_back() -> None:
    """Two hundred batches need no more connections than may be under way, and the one ahead."""
    async with raw_registrar(answer_all) as raw:
        wire = HttpWire(raw.rules(Shape.BATCH), SystemClock())
        answers: list[Answer] = []
        assert await send(wire.open(SESSION), numbered(600), answers) == End("finished")
        assert sorted(answer.key for answer in answers) == sorted(line.key for line in numbered(600))
        assert len(raw.callers) <= 4
        await wire.close()


async def test_a_server_that_closes_between_batches_loses_nothing() -> None:
    """Each connection is closed after its answer although it was to stay: every batch is answered once, on another one."""
    async with raw_registrar(answer_once) as raw:
        wire = HttpWire(raw.rules(Shape.BATCH), SystemClock())
        upload = wire.open(SESSION)
        said = heard(upload)
        for key in ("a", "b", "c", "d", "e", "f", "g"):
            await until(upload.room)
            upload.write(lines(key))
            handful = await anext(said)
            assert not isinstance(handful, End)
            assert [answer.key for answer in handful] == [key]
            await until(lambda: all(caller.writer.is_closing() for caller in raw.callers if caller.arrived))
            await until(lambda: not wire.connections.kept())
        await upload.finish()
        assert await anext(said) == End("finished")
        await wire.close()


async def test_connections_that_are_closed_while_nothing_is_sent_are_replaced() -> None:
    """A server with little patience closes what is connected ahead, again and again: the exchange goes on after each batch."""
    async with raw_registrar(answer_all) as raw:
        wire = HttpWire(raw.rules(Shape.BATCH), SystemClock())
        upload = wire.open(SESSION)
        said = heard(upload)
        for key in ("a", "b", "c", "d", "e", "f", "g"):
            await until(upload.room)
            await close_all(raw)
            await until(upload.room)
            upload.write(lines(key))
            assert not isinstance(await anext(said), End)
        await upload.finish()
        assert await anext(said) == End("finished")
        await wire.close()


async def test_nothing_is_written_on_a_connection_whose_end_was_not_read_yet() -> None:
    """The server has closed and the loop has not looked: the batch stays here, and leaves on the next connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        rules = RegistryRules("reg", "p", f"http://127.0.0.1:{server.getsockname()[1]}", shape=Shape.BATCH)
        wire = HttpWire(rules, SystemClock())
        upload = wire.open(SESSION)
        await until(upload.room)
        caller, _ = server.accept()
        caller.close()
        with pytest.raises(WireFault) as caught:
            upload.write(lines("a"))
        assert not caught.value.maybe_delivered
        server.setblocking(False)
        caller, _ = await asyncio.get_running_loop().sock_accept(server)
        await until(upload.room)
        upload.write(lines("a"))
        caller.setblocking(True)
        assert b'"key":"a"' in caller.recv(4096)
        upload.abort()
        assert await end_of(upload) == End("aborted", clean=False)
        caller.close()
        await wire.close()


async def test_an_abort_leaves_no_connection_behind() -> None:
    """Nothing is connected ahead for an exchange that is over, and what was connected is closed."""
    async with raw_registrar(answer_all) as raw:
        wire = HttpWire(raw.rules(Shape.BATCH), SystemClock())
        upload = wire.open(SESSION)
        assert isinstance(upload, BatchUpload)
        await until(upload.room)
        upload.abort()
        assert await end_of(upload) == End("aborted")
        await until(lambda: upload._next is None)
        await until(lambda: all(caller.writer.is_closing() for caller in raw.callers))
        assert len(raw.callers) == 1
        await wire.close()


@pytest.mark.parametrize("pauses_s", [(1, 6), (6, 1)])
async def test_of_two_refusals_alike_the_longer_pause_is_told(pauses_s: tuple[int, int]) -> None:
    """Two requests under way are told to slow down, each for another time: whoever heeds the shorter one comes too soon.

    The first that is heard is told at once: the other request may be answered much later.
    """
    asked: list[Caller] = []
    both = asyncio.Event()

    async def refuse(caller: Caller) -> None:
        await caller.request()
        asked.append(caller)
        if len(asked) == 2:
            both.set()
        await both.wait()
        pause_s = pauses_s[asked.index(caller)]
        caller.say(b"HTTP/1.1 503 Busy\r\nRetry-After: %d\r\nContent-Length: 0\r\n\r\n" % pause_s)
        await caller.reader.read()

    async with raw_registrar(refuse) as raw:
        wire = HttpWire(raw.rules(Shape.BATCH), SystemClock())
        upload = wire.open(SESSION)
        warnings: list[End] = []
        said = heard(upload, warnings)
        for first in (0, 3):
            await until(upload.room)
            upload.write(numbered(6)[first : first + 3])
        (end,) = [each async for each in said if isinstance(each, End)]
        assert [warning.code for warning in warnings] == ["unavailable"]
        assert end == End("unavailable", retry_after_ms=6_000, clean=False)
        await wire.close()


@pytest.mark.parametrize(
    "other",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n<html>\n",
        b'HTTP/1.1 403 No\r\nContent-Length: 24\r\n\r\n{"code":"window-closed"}',
    ],
    ids=["unreadable", "window-closed"],
)
async def test_a_word_to_slow_down_is_told_where_another_end_is_the_exchange_s(other: bytes) -> None:
    """The first of two requests ends the exchange otherwise, the last one is told to slow down: the pause binds all the same."""
    asked: list[Caller] = []
    go_on = asyncio.Event()

    async def serve(caller: Caller) -> None:
        await caller.request()
        asked.append(caller)
        if caller is asked[0]:
            await until(lambda: len(asked) == 2)
            caller.say(other)
        else:
            await go_on.wait()
            caller.say(SLOW_DOWN)
        await caller.reader.read()

    async with raw_registrar(serve) as raw:
        wire = HttpWire(raw.rules(Shape.BATCH), SystemClock())
        upload = wire.open(SESSION)
        assert isinstance(upload, BatchUpload)
        warnings: list[End] = []
        said = heard(upload, warnings)
        for first in (0, 3):
            await until(upload.room)
            upload.write(numbered(6)[first : first + 3])
        await until(lambda: upload._ending is not None)
        assert warnings == []
        go_on.set()
        (end,) = [each async for each in said if isinstance(each, End)]
        assert end.code in ("unreadable", "window-closed")
        assert warnings == [End("overloaded", retry_after_ms=6_000, is_last=False)]
        await wire.close()
