"""A TCP proxy that spoils links: delay, throttle, stall-then-flush, half-open, cut, late delivery, and the same bytes delivered twice.

It carries bytes and knows no protocol. A door listens; it picks the link by the caller's own address, so that hosts that know the
same address have each a link that can be spoilt apart. What a caller sent before it went away is still delivered, as a network would.
"""

import asyncio
import random
import socket
import struct
from collections import deque
from collections.abc import Mapping
from contextlib import suppress

Address = tuple[str, int]
_AT_ONCE = 1 << 16
#: more is not kept of a connection for delivering it twice (bytes)
_MOST_KEPT = 1 << 20
#: the answers to what is delivered twice are read into the void for so long (s)
_VOID_S = 2.0
UP, DOWN = "up", "down"


class Link:
    """The way from one host to one server, and what is wrong with it now; `up` is from the host to the server."""

    def __init__(self, name: str, target: Address) -> None:
        """Nothing is wrong, nobody is connected."""
        self.name = name
        self.target = target
        self.delay_s = 0.0
        self.jitter_s = 0.0
        self.bytes_per_s = 0.0
        self.keeps = False
        self.carried = 0
        self._is_cut = False
        self._swallows: frozenset[str] = frozenset()
        self._flowing = {UP: asyncio.Event(), DOWN: asyncio.Event()}
        self._pairs: set[_Pair] = set()
        self._kept: deque[bytes] = deque(maxlen=64)
        for way in self._flowing.values():
            way.set()

    @property
    def connections(self) -> int:
        """Return how many connections it carries now."""
        return len(self._pairs)

    def cut(self) -> None:
        """Reset every connection; new ones are reset until it heals."""
        self._is_cut = True
        self.reset()

    def reset(self) -> None:
        """Reset every connection once; new ones are carried."""
        for pair in list(self._pairs):
            pair.reset()

    def stall(self, *ways: str) -> None:
        """Hold all bytes of these ways (both when none is named) until it heals; then they come at once."""
        for way in ways or (UP, DOWN):
            self._flowing[way].clear()

    def swallow(self, *ways: str) -> None:
        """Have bytes and ends vanish in these ways (both when none is named): a half-open connection, nobody is told."""
        self._swallows = frozenset(ways or (UP, DOWN))

    def heal(self) -> None:
        """Nothing is wrong any more; what was stalled flows, connections from which bytes are missing are reset."""
        self.delay_s = self.jitter_s = self.bytes_per_s = 0.0
        self.keeps = self._is_cut = False
        self._swallows = frozenset()
        self._kept.clear()
        for way in self._flowing.values():
            way.set()
        for pair in list(self._pairs):
            if pair.is_torn:
                pair.reset()

    async def deliver_again(self) -> list[bytes]:
        """Deliver what was kept of each connection once more, on connections of the proxy's own; returns what was delivered."""
        again = [*self._kept, *(pair.let_go() for pair in self._pairs if pair.kept)]
        self._kept.clear()
        await asyncio.gather(*(self._once_more(each) for each in again))
        return again

    async def _once_more(self, sent: bytes) -> None:
        with suppress(OSError, TimeoutError):
            reader, writer = await asyncio.open_connection(*self.target)
            writer.write(sent)
            try:
                async with asyncio.timeout(_VOID_S):
                    while await reader.read(_AT_ONCE):
                        pass
            finally:
                writer.close()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection to its end."""
        if self._is_cut:
            _reset(writer)
            return
        try:
            onward = await asyncio.open_connection(*self.target)
        except OSError:
            _reset(writer)
            return
        pair = _Pair(self, writer, onward[1])
        self._pairs.add(pair)
        try:
            await asyncio.gather(
                pair.carry(UP, reader, onward[1], writer), pair.carry(DOWN, onward[0], writer, onward[1])
            )
        finally:
            self._pairs.discard(pair)
            if pair.kept:
                self._kept.append(pair.let_go())
            for each in (writer, onward[1]):
                each.close()

    async def due(self, way: str, size: int, taken_at: float) -> None:
        """Wait until bytes that were taken at `taken_at` (loop time) may be delivered."""
        loop = asyncio.get_running_loop()
        if self.delay_s or self.jitter_s:
            late_s = self.delay_s + random.uniform(0, self.jitter_s)
            await asyncio.sleep(max(0.0, taken_at + late_s - loop.time()))
        if self.bytes_per_s:
            await asyncio.sleep(size / self.bytes_per_s)
        await self._flowing[way].wait()

    def swallows(self, way: str) -> bool:
        """Say whether bytes of this way vanish now."""
        return way in self._swallows


class _Pair:
    """One connection: two ways, each with a queue of its own."""

    def __init__(self, link: Link, *writers: asyncio.StreamWriter) -> None:
        self._link = link
        self._writers = writers
        self._keeps = link.keeps  # only what is whole from its beginning can be delivered again
        self.kept = bytearray()
        self.is_torn = False

    def let_go(self) -> bytes:
        """Return what was kept, and keep no more."""
        kept, self.kept, self._keeps = bytes(self.kept), bytearray(), False
        return kept

    def reset(self) -> None:
        for writer in self._writers:
            _reset(writer)

    async def carry(
        self, way: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        """Carry one way to its end; a reset becomes a reset, once what came before it is delivered."""
        queue: asyncio.Queue[tuple[float, bytes | None]] = asyncio.Queue()
        taking = asyncio.create_task(self._take(way, reader, queue))
        chunk: bytes | None = None
        try:
            while True:
                taken_at, chunk = await queue.get()
                await self._link.due(way, len(chunk or b""), taken_at)
                if self._link.swallows(way):
                    self.is_torn = True
                elif chunk is None:
                    _reset(writer)
                    return
                elif chunk:
                    writer.write(chunk)
                    await writer.drain()
                    self._link.carried += len(chunk)
                elif writer.can_write_eof():
                    writer.write_eof()
                if not chunk:
                    return
        except OSError:
            # a server that is gone is told to the caller; what a caller left behind is still delivered
            if way == UP:
                _reset(back)
            while chunk and way == DOWN:
                _, chunk = await queue.get()
        finally:
            taking.cancel()

    async def _take(
        self, way: str, reader: asyncio.StreamReader, queue: "asyncio.Queue[tuple[float, bytes | None]]"
    ) -> None:
        loop = asyncio.get_running_loop()
        chunk: bytes | None = b"-"
        while chunk:
            try:
                chunk = await reader.read(_AT_ONCE)
            except OSError:
                chunk = None
            if chunk and way == UP and self._keeps and len(self.kept) < _MOST_KEPT:
                self.kept += chunk
            queue.put_nowait((loop.time(), chunk))


class Door:
    """Listens at one address and carries each connection over the link of who calls."""

    def __init__(self, links: Mapping[str, Link], otherwise: Link) -> None:
        """`links` by the caller's address; whoever has none there takes `otherwise`."""
        self._links = links
        self._otherwise = otherwise
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()

    async def open(self, host: str = "127.0.0.1") -> Address:
        """Listen at a free port; returns the address."""
        self._server = await asyncio.start_server(self._called, host, 0, backlog=512)
        name = self._server.sockets[0].getsockname()
        return str(name[0]), int(name[1])

    async def close(self) -> None:
        """Stop listening and end what is carried."""
        assert self._server is not None
        self._server.close()
        for task in list(self._carrying):
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)
        caller = writer.get_extra_info("peername")[0]
        with suppress(asyncio.CancelledError, OSError):
            await self._links.get(caller, self._otherwise).carry(reader, writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
