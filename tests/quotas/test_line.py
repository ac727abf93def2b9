"""A connection for calls in turn: made again after it broke, and no answer ever goes to another call."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis.asyncio as aioredis
from redis.exceptions import NoScriptError, RedisError

from quotas.line import Line
from quotas.quotas import connect

ECHO = "return ARGV[1]"
#: long enough that a call can be cut short before its answer is there
SLOW_ECHO = "for i = 1, 5000000 do end return ARGV[1]"


@pytest.fixture
async def line(redis_url: str) -> AsyncIterator[Line]:
    """One to the tests' server, with the time-outs that the gate works with."""
    made = Line(connect(redis_url).connection_pool)
    yield made
    await made.aclose()


async def test_calls_take_turns_and_each_has_its_own_answer(line: Line) -> None:
    """Whatever kind the words are of."""
    words: list[str | int | bytes] = ["ก", 7, b"\x00\xff"]
    assert await asyncio.gather(*(line.eval(ECHO, 0, word) for word in words)) == [
        "ก".encode(),
        b"7",
        b"\x00\xff",
    ]


async def test_a_call_that_was_cut_short_leaves_its_answer_to_nobody(line: Line) -> None:
    """The connection goes with it: the next call would else read what was meant for this one."""
    assert await line.eval(ECHO, 0, "first") == b"first"
    cut = asyncio.ensure_future(line.eval(SLOW_ECHO, 0, "cut"))
    await asyncio.sleep(0)  # it is written, and waits
    cut.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cut
    assert await line.eval(ECHO, 0, "next") == b"next"


async def test_a_connection_that_the_server_closed_is_made_again(line: Line, valkey: aioredis.Redis) -> None:
    """The call that meets it fails, and only that one."""
    own = await line._call("CLIENT", "ID")
    await valkey.client_kill_filter(_id=own)
    with pytest.raises((RedisError, OSError)):
        await line.eval(ECHO, 0, "lost")
    assert await line.eval(ECHO, 0, "back") == b"back"


async def test_a_script_that_the_server_does_not_know_is_said_so(line: Line) -> None:
    """An answer that is an error leaves the connection as it is."""
    own = await line._call("CLIENT", "ID")
    with pytest.raises(NoScriptError):
        await line.evalsha("0" * 40, 0)
    assert await line._call("CLIENT", "ID") == own


async def test_a_greeting_that_was_cut_short_leaves_no_connection(tmp_path: Path) -> None:
    """The answers to it would be read as those of the calls that follow."""
    greeted, left = asyncio.Event(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        greeted.set()
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    async with await asyncio.start_unix_server(silent, tmp_path / "redis.sock"):
        line = Line(connect(f"unix://{tmp_path}/redis.sock").connection_pool)
        calling = asyncio.ensure_future(line.eval(ECHO, 0, "first"))
        await greeted.wait()
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        assert not line._connection.is_connected
        await left.wait()
