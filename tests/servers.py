"""Real servers for tests: one embedded Valkey for the whole run of tests, emptied before each test that asks for it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from pratunam.embedded import EmbeddedServer


def client_of(url: str) -> aioredis.Redis:
    """Return a client that never repeats a command by itself."""
    return aioredis.from_url(url, retry=Retry(NoBackoff(), 0))


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[EmbeddedServer]:
    """One embedded server on a unix socket in a folder of its own, for all tests of this process."""
    with tempfile.TemporaryDirectory(prefix="ptn-v-", ignore_cleanup_errors=True) as folder:
        server = EmbeddedServer(Path(folder))
        asyncio.run(server.start())
        yield server
        asyncio.run(server.stop())


@pytest.fixture
async def valkey(valkey_server: EmbeddedServer) -> AsyncIterator[aioredis.Redis]:
    """A client of the server, which is empty."""
    client = client_of(valkey_server.url)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def redis_url(valkey_server: EmbeddedServer, valkey: aioredis.Redis) -> str:
    """The URL of the server, which is empty."""
    return valkey_server.url
