"""Where the registrar stands, and the connections to it: made, kept while nobody needs them, handed out again.

No proxies, no cookies. It must not write anything of its own, and hands out no connection whose last answer is not whole.
"""

import asyncio
import ipaddress
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from workers.wires.connection import Connection

#: a connection that nobody needed for so long is closed (s): servers close theirs at some time too
KEPT_S = 15.0
#: how long one address is tried before the next is tried beside it (s; RFC 8305)
NEXT_ADDRESS_S = 0.25
#: how long closed connections are waited for at the end (s)
GONE_WITHIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Door:
    """Scheme, host and port of an endpoint, and the path that stands before every other."""

    host: str
    port: int
    is_tls: bool
    prefix: str

    @property
    def authority(self) -> str:
        """Return what the Host header says: no port where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_tls else 80) else f"{host}:{self.port}"

    def head(self, method: str, path: str, headers: dict[str, str]) -> bytes:
        """Return a request's head; raises ValueError where a value would not stay within its line."""
        lines = [f"{method} {self.prefix}{path} HTTP/1.1", f"Host: {self.authority}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if not all(line.isascii() and line.isprintable() for line in lines):
            raise ValueError("a header that is not printable ASCII")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def door_of(origin: str) -> Door:
    """Read an endpoint's address; raises ValueError."""
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an endpoint that is no HTTP address")
    is_tls = parts.scheme == "https"
    host = parts.hostname if ":" in parts.hostname else parts.hostname.encode("idna").decode()
    prefix = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")
    return Door(host, parts.port or (443 if is_tls else 80), is_tls, prefix)


class Connections:
    """All connections for uploads to one endpoint."""

    def __init__(self, origin: str, trust: Callable[[], ssl.SSLContext], timeout_s: float) -> None:
        """Make none yet; `trust` is asked when the first is made over TLS, `timeout_s` bounds the making of each."""
        self.door = door_of(origin)
        self._trust = trust
        self._context: ssl.SSLContext | None = None
        self._timeout_s = timeout_s
        self._all: set[Connection] = set()
        self._kept: list[tuple[Connection, float]] = []
        self._sweeper: asyncio.TimerHandle | None = None
        self._none_left = asyncio.Event()
        self._over = asyncio.Event()

    def kept(self) -> Connection | None:
        """Return the connection that was given back last, if one still stands."""
        while self._kept:
            connection, _ = self._kept.pop()
            if connection.is_open():
                return connection
        return None

    async def make(self) -> Connection:
        """Connect, over TLS with the host's name checked; raises OSError, TimeoutError (also ssl.SSLError)."""
        if self._over.is_set():
            raise ConnectionAbortedError
        loop, door = asyncio.get_running_loop(), self.door
        async with asyncio.timeout(self._timeout_s):
            _, connection = await loop.create_connection(
                lambda: Connection(self._gone),
                door.host,
                door.port,
                happy_eyeballs_delay=None if _is_address(door.host) else NEXT_ADDRESS_S,
                ssl=self._tls() if door.is_tls else None,
                server_hostname=door.host if door.is_tls else None,
            )
        if self._over.is_set() or not connection.is_open():
            connection.close()
            raise ConnectionResetError
        self._all.add(connection)
        return connection

    def keep(self, connection: Connection) -> None:
        """Take a connection back whose request and answer are whole."""
        connection.serve(None)
        if self._over.is_set():
            connection.close()
            return
        loop = asyncio.get_running_loop()
        self._kept.append((connection, loop.time()))
        if self._sweeper is None:
            self._sweeper = loop.call_later(KEPT_S, self._sweep)

    async def close(self) -> None:
        """Drop all of them, and wait until their sockets are closed."""
        self._over.set()
        if self._sweeper is not None:
            self._sweeper.cancel()
        self._kept.clear()
        for connection in list(self._all):
            connection.drop()
        if self._all:
            self._none_left.clear()
            try:
                async with asyncio.timeout(GONE_WITHIN_S):
                    await self._none_left.wait()
            except TimeoutError:
                self._all.clear()

    def _gone(self, connection: Connection) -> None:
        self._all.discard(connection)
        if not self._all:
            self._none_left.set()

    def _sweep(self) -> None:
        """Close what was not needed for long; the oldest stand first."""
        loop = asyncio.get_running_loop()
        self._sweeper = None
        while self._kept and (loop.time() - self._kept[0][1] >= KEPT_S or not self._kept[0][0].is_open()):
            self._kept.pop(0)[0].close()
        if self._kept:
            self._sweeper = loop.call_at(self._kept[0][1] + KEPT_S, self._sweep)

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = self._trust()
        return self._context


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
