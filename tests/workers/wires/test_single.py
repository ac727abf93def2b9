"""Requests of one record each: what one of them is told binds at once, whatever the others wait for."""

import asyncio
from functools import partial

from domain.clock import SystemClock
from domain.states import Shape
from domain.wire import End
from tests.workers.waiting import until
from tests.workers.wires.heard import heard
from tests.workers.wires.raw import SESSION, SLOW_DOWN, Caller, raw_registrar
from tests.workers.wires.test_contract import lines
from workers.wires.http import HttpWire
from workers.wires.single import SingleUpload


async def test_one_record_that_is_told_to_slow_down_does_not_wait_for_another_that_is_slow() -> None:
    """The pause is told while the other's answer is still to come, and the end after it."""
    asked: list[Caller] = []
    both, go_on = asyncio.Event(), asyncio.Event()

    async def serve(caller: Caller) -> None:
        await caller.reader.readuntil(b"\r\n\r\n")
        asked.append(caller)
        if len(asked) == 2:
            both.set()
        await both.wait()
        if caller is asked[0]:
            await go_on.wait()
        caller.say(b"HTTP/1.1 503 Busy\r\nRetry-After: 6\r\nContent-Length: 0\r\n\r\n")
        await caller.reader.read()

    async with raw_registrar(serve) as raw:
        wire = HttpWire(raw.rules(Shape.SINGLE), SystemClock())
        warnings: list[End] = []
        upload = wire.open(SESSION)
        said = heard(upload, warnings)
        upload.write(lines("a", "b"))
        await until(partial(bool, warnings))
        assert [warning.retry_after_ms for warning in warnings] == [6_000]
        go_on.set()
        (end,) = [each async for each in said if isinstance(each, End)]
        assert end.retry_after_ms == 6_000
        await wire.close()


async def test_a_word_to_slow_down_is_told_where_another_end_is_the_exchange_s() -> None:
    """One record's answer cannot be read, and is the exchange's end; the last one's word to slow down binds all the same."""
    asked: list[Caller] = []
    go_on = asyncio.Event()

    async def serve(caller: Caller) -> None:
        await caller.reader.readuntil(b"\r\n\r\n")
        asked.append(caller)
        await until(lambda: len(asked) == 2)
        if caller is asked[0]:
            caller.say(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n<html>\n")
        else:
            await go_on.wait()
            caller.say(SLOW_DOWN)
        await caller.reader.read()

    async with raw_registrar(serve) as raw:
        wire = HttpWire(raw.rules(Shape.SINGLE), SystemClock())
        warnings: list[End] = []
        upload = wire.open(SESSION)
        assert isinstance(upload, SingleUpload)
        said = heard(upload, warnings)
        upload.write(lines("a", "b"))
        await until(lambda: upload._ending is not None)
        go_on.set()
        (end,) = [each async for each in said if isinstance(each, End)]
        assert end == End("unreadable", clean=False)
        assert warnings == [End("overloaded", retry_after_ms=6_000, is_last=False)]
        await wire.close()
