"""A TCP link that a test can cut: everything that one host says to one server goes through it."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

Address = tuple[str, int]


class Link:
    """The way from one host to one server."""

    def __init__(self, name: str, target: Address) -> None:
        """Nothing is wrong, nobody is connected."""
        self.name = name
        self.target = target
        self._is_cut = False
        self._carried: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()

    def cut(self) -> None:
        """Reset every connection; new ones are reset until it heals."""
        self._is_cut = True
        for writer in list(self._carried):
            writer.transport.abort()

    def stall(self) -> None:
        """Hold all bytes until it heals; then they come at once, late."""
        self._flows.clear()

    def heal(self) -> None:
        """Nothing is wrong any more."""
        self._is_cut = False
        self._flows.set()

    async def carry(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Carry one connection to its end."""
        if self._is_cut:
            back.transport.abort()
            return
        try:
            far, forth = await asyncio.open_connection(*self.target)
        except OSError:
            back.transport.abort()
            return
        self._carried |= {back, forth}
        try:
            await asyncio.gather(self._one_way(near, forth), self._one_way(far, back))
        finally:
            self._carried -= {back, forth}
            for writer in (back, forth):
                writer.transport.abort()

    async def _one_way(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(1 << 16):
                await self._flows.wait()
                sink.write(data)
                await sink.drain()
        with suppress(OSError, RuntimeError):
            sink.write_eof()


class Door:
    """Listens at one address and carries each connection over a link."""

    def __init__(self, links: Mapping[str, Link], otherwise: Link) -> None:
        """`links` by the caller's address; whoever has none there takes `otherwise`."""
        self._links = links
        self._otherwise = otherwise
        self._server: asyncio.Server | None = None

    async def open(self, host: str = "127.0.0.1") -> Address:
        """Listen at a free port; returns the address."""
        self._server = await asyncio.start_server(self._called, host, 0)
        name = self._server.sockets[0].getsockname()
        return str(name[0]), int(name[1])

    async def close(self) -> None:
        """Stop listening and end what is carried."""
        assert self._server is not None
        self._server.close()
        for link in (self._otherwise, *self._links.values()):
            link.cut()

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        caller = writer.get_extra_info("peername")[0]
        await self._links.get(caller, self._otherwise).carry(reader, writer)
