"""The look at a server that the gate is to stand on: what would lose limits silently is refused."""

from pathlib import Path

import pytest
import redis.asyncio as aioredis

from domain.errors import BadSetting
from pratunam import given_server
from pratunam.given_server import check_server
from tests.servers import client_of


async def test_a_server_that_evicts_keys_is_refused(valkey: aioredis.Redis) -> None:
    """The boot check names the wrong eviction policy and what to set."""
    await valkey.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(BadSetting, match="noeviction"):
            await check_server(valkey)
    finally:
        await valkey.config_set("maxmemory-policy", "noeviction")
    await check_server(valkey)


async def test_a_server_that_is_too_old_or_away_is_refused(
    valkey: aioredis.Redis, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    """The boot check wants 6.2 or later, and an answer."""
    monkeypatch.setattr(given_server, "OLDEST_REDIS", (99, 0))
    with pytest.raises(BadSetting, match=r"6\.2 or later"):
        await check_server(valkey)
    nobody = client_of(f"unix://{home / 'nobody.sock'}")
    with pytest.raises(BadSetting, match="does not answer"):
        await check_server(nobody)
    await nobody.aclose()
