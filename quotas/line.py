"""A connection for callers that ask often and one call at a time: it need not be handed out, and a call is one write and one read.

The library's own way of a command (pool, retries, events, a packer in Python) costs as much as the script that it runs, many times a
second. What connects, authenticates, reads and breaks is the library's connection all the same.
"""

import asyncio
from typing import Any

import hiredis
from redis.asyncio.connection import AbstractConnection, ConnectionPool


class Line:
    """Calls in turn on one connection, which is made when first needed, and again after it broke."""

    def __init__(self, pool: ConnectionPool) -> None:
        """Connect to where `pool` connects; it does not count this one among its own."""
        self._connection: AbstractConnection = pool.connection_class(**pool.connection_kwargs)
        self._turn = asyncio.Lock()

    async def evalsha(self, sha: str, keys: int, *words: str | int | bytes) -> Any:
        """Run a script that the server knows; raises RedisError, OSError."""
        return await self._call("EVALSHA", sha, keys, *words)

    async def eval(self, text: str, keys: int, *words: str | int | bytes) -> Any:
        """Run a script by its text; raises RedisError, OSError."""
        return await self._call("EVAL", text, keys, *words)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._connection.disconnect()

    async def _call(self, *words: str | int | bytes) -> Any:
        """Write one command and read its answer; a call that is cut short leaves no connection, so that no answer goes astray."""
        async with self._turn:
            connection = self._connection
            if not connection.is_connected:
                await connection.connect()  # type: ignore[no-untyped-call]  # the library's method has no types
            packed = hiredis.pack_command(words)  # type: ignore[arg-type]  # its own types take a tuple of one word
            await connection.send_packed_command(packed, check_health=False)
            return await connection.read_response()
