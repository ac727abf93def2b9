"""The proxy spoils what it is told to spoil, and nothing else; a proxy that does not would let every fault of a link pass."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.gauntlet.proxy import DOWN, UP, Address, Door, Link

#: what must come, comes within this (s); what must not, is not waited for much longer than the loop needs
SOON_S, SILENT_S = 5.0, 0.05


class Echo:
    """A server that answers every byte with itself, and keeps what each connection brought."""

    def __init__(self) -> None:
        """Nobody has called."""
        self.brought: list[bytearray] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.ended = asyncio.Queue[bytes]()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until the caller ends."""
        mine = bytearray()
        self.brought.append(mine)
        self.writers.append(writer)
        try:
            while chunk := await reader.read(1024):
                mine += chunk
                writer.write(chunk)
                await writer.drain()
        except OSError:
            mine += b"!"
        self.ended.put_nowait(bytes(mine))
        writer.close()


@asynccontextmanager
async def carried() -> AsyncIterator[tuple[Echo, Link, Address]]:
    """An echo behind a link behind a door."""
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    link = Link("to echo", server.sockets[0].getsockname())
    door = Door({}, link)
    yield echo, link, await door.open()
    await door.close()
    await over(server, echo)


async def over(server: asyncio.Server, echo: Echo) -> None:
    """End the echo and whatever it holds."""
    server.close()
    for writer in echo.writers:
        writer.transport.abort()
    await asyncio.sleep(0)


async def said(reader: asyncio.StreamReader, count: int) -> bytes:
    """Read so many bytes."""
    async with asyncio.timeout(SOON_S):
        return await reader.readexactly(count)


async def is_silent(reader: asyncio.StreamReader) -> bool:
    """Say whether nothing comes for a while."""
    try:
        async with asyncio.timeout(SILENT_S):
            await reader.read(1)
    except TimeoutError:
        return True
    return False


async def test_bytes_and_ends_go_both_ways_untouched() -> None:
    """A link with which nothing is wrong carries what is sent, its answer, and the end."""
    async with carried() as (echo, link, address):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"x" * 100_000)
        writer.write_eof()
        async with asyncio.timeout(SOON_S):
            assert await reader.read() == b"x" * 100_000
        assert (await echo.ended.get(), link.carried) == (b"x" * 100_000, 200_000)
        writer.close()


@pytest.mark.parametrize(("delay_s", "bytes_per_s"), [(0.1, 0), (0, 10_000)])
async def test_a_delay_or_a_throttle_holds_bytes_for_so_long(delay_s: float, bytes_per_s: float) -> None:
    """A thousand bytes take a tenth of a second each way, by the loop's own clock: delayed, or at ten thousand a second."""
    async with carried() as (_, link, address):
        link.delay_s, link.bytes_per_s = delay_s, bytes_per_s
        reader, writer = await asyncio.open_connection(*address)
        began = asyncio.get_running_loop().time()
        writer.write(b"x" * 1000)
        assert await said(reader, 1000) == b"x" * 1000
        assert asyncio.get_running_loop().time() - began >= 0.2
        writer.close()


async def test_what_was_stalled_comes_at_once_when_it_heals() -> None:
    """Nothing comes while it stalls; all comes afterwards, in order."""
    async with carried() as (_, link, address):
        reader, writer = await asyncio.open_connection(*address)
        link.stall()
        for part in (b"one", b"two"):
            writer.write(part)
            assert await is_silent(reader)
        link.heal()
        assert await said(reader, 6) == b"onetwo"
        writer.close()


async def test_what_a_caller_left_behind_is_delivered_late() -> None:
    """The caller gives up and goes while its bytes are held; the server gets them all the same."""
    async with carried() as (echo, link, address):
        _, writer = await asyncio.open_connection(*address)
        link.stall(UP)
        writer.write(b"late")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        link.heal()
        async with asyncio.timeout(SOON_S):
            assert await echo.ended.get() == b"late"


async def test_a_half_open_connection_swallows_and_is_reset_when_it_heals() -> None:
    """Bytes vanish without a word; afterwards the torn connection ends, and a new one works."""
    async with carried() as (echo, link, address):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"a")
        assert await said(reader, 1) == b"a"
        link.swallow()
        writer.write(b"b")
        assert await is_silent(reader)
        link.heal()
        with pytest.raises(ConnectionError):
            await said(reader, 1)
        assert bytes(echo.brought[0]).rstrip(b"!") == b"a"
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"c")
        assert await said(reader, 1) == b"c"
        writer.close()


async def test_one_way_alone_can_be_swallowed() -> None:
    """What is sent arrives, its answer does not."""
    async with carried() as (echo, link, address):
        link.swallow(DOWN)
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"sent")
        assert await is_silent(reader)
        assert bytes(echo.brought[0]) == b"sent"
        writer.close()


async def test_a_cut_resets_what_is_open_and_what_comes() -> None:
    """Both ends are told at once; new connections are reset until it heals."""
    async with carried() as (echo, link, address):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"a")
        await said(reader, 1)
        link.cut()
        with pytest.raises(ConnectionError):
            await said(reader, 1)
        assert await echo.ended.get() == b"a!"
        reader, writer = await asyncio.open_connection(*address)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await said(reader, 1)
        link.heal()
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"b")
        assert await said(reader, 1) == b"b"
        writer.close()


async def test_bytes_can_be_delivered_twice() -> None:
    """What connections brought, living or ended, is brought once more by connections of their own; nothing is brought a third time."""
    async with carried() as (echo, link, address):
        link.keeps = True
        for word in (b"ended", b"last"):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(word)
            await said(reader, len(word))
            writer.close()
            await echo.ended.get()
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"lives")
        await said(reader, 5)
        assert sorted(await link.deliver_again()) == [b"ended", b"last", b"lives"]
        assert sorted(bytes(each) for each in echo.brought) == sorted([b"ended", b"last", b"lives"] * 2)
        assert await link.deliver_again() == []
        writer.close()


async def test_callers_have_links_by_their_own_address() -> None:
    """Two hosts that know one address can be cut off apart."""
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    north, south = (Link(name, server.sockets[0].getsockname()) for name in ("north", "south"))
    door = Door({"127.0.0.21": north}, south)
    address = await door.open()
    north.cut()
    for caller, works in (("127.0.0.21", False), ("127.0.0.22", True)):
        reader, writer = await asyncio.open_connection(*address, local_addr=(caller, 0))
        try:
            writer.write(b"a")
            heard = await said(reader, 1) == b"a"
        except (ConnectionError, asyncio.IncompleteReadError):
            heard = False
        assert heard == works
        writer.close()
    await door.close()
    await over(server, echo)
