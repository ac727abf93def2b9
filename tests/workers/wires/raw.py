"""A registrar that is nothing but sockets: it keeps what arrives on each connection, and writes the bytes that a test gives it."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from domain.policy import RegistryRules
from domain.states import Shape
from domain.wire import OpenSession
from tests.workers.wires.scripted import accept
from workers.wires.connecting import Connections

SESSION = OpenSession("s-1", "A1", "P1", 900)
#: to a whole request, of which nothing was recorded: everybody waits for six seconds
SLOW_DOWN = b'HTTP/1.1 503 Busy\r\nRetry-After: 6\r\nContent-Length: 21\r\n\r\n{"code":"overloaded"}'


@dataclass
class Caller:
    """One connection, as the server sees it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    arrived: bytes = b""

    async def request(self) -> tuple[bytes, list[str]]:
        """Read one whole request; returns its head and its keys. Raises IncompleteReadError when the caller leaves."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        self.arrived += head
        body = b""
        while size := int(await self.reader.readline(), 16):
            body += await self.reader.readexactly(size)
            await self.reader.readexactly(2)
        await self.reader.readexactly(2)
        self.arrived += body
        return head, re.findall(r'"key":"([^"]+)"', body.decode())

    def say(self, data: bytes) -> None:
        """Write bytes as they are."""
        self.writer.write(data)


@dataclass
class Raw:
    """Who has called, in order."""

    port: int = 0
    callers: list[Caller] = field(default_factory=list)

    def rules(self, shape: Shape, answer_timeout_s: float = 5.0) -> RegistryRules:
        """Return the rules of a registry that lives here."""
        endpoint = f"http://127.0.0.1:{self.port}"
        return RegistryRules("reg", "p", endpoint, shape=shape, batch=3, answer_timeout_s=answer_timeout_s)

    def connections(self, origin: str = "", timeout_s: float = 5.0) -> Connections:
        """Return a client's connections to this place."""
        return Connections(origin or f"http://127.0.0.1:{self.port}", ssl.create_default_context, timeout_s)


def answer(*keys: str, headers: str = "", interim: bytes = b"") -> bytes:
    """Return a whole answer that accepts these keys, one chunk a line."""
    lines = [f'{{"key":"{key}","status":"accepted","receipt":"{accept(key)["receipt"]}"}}\n' for key in keys]
    chunks = "".join(f"{len(line):x}\r\n{line}\r\n" for line in lines)
    return (
        interim + f"HTTP/1.1 200 OK\r\n{headers}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n".encode()
    )


@asynccontextmanager
async def raw_registrar(serve: Callable[[Caller], Awaitable[None]]) -> AsyncIterator[Raw]:
    """Run one on a free loopback port; `serve` is run for each connection, which is closed after it."""
    raw = Raw()

    async def called(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        caller = Caller(reader, writer)
        raw.callers.append(caller)
        with suppress(OSError, asyncio.IncompleteReadError):
            await serve(caller)
        writer.close()

    server = await asyncio.start_server(called, "127.0.0.1", 0)
    raw.port = server.sockets[0].getsockname()[1]
    try:
        yield raw
    finally:
        server.close()
        for caller in raw.callers:
            caller.writer.transport.abort()
