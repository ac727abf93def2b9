"""Looks at a running gate's quotas from a command: usage when something runs, None when nothing does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from domain.errors import GateLost
from domain.quota import Usage
from pratunam.running import redis_address
from pratunam.settings import Settings

if TYPE_CHECKING:
    from quotas.quotas import RedisQuotas


@asynccontextmanager
async def open_quotas(settings: Settings) -> AsyncIterator["RedisQuotas | None"]:
    """Open the running gate's quotas, or yield None when nothing runs on this home."""
    address = redis_address(settings)
    if address is None:
        yield None
        return
    from quotas.quotas import RedisQuotas  # a client of Redis takes its time to load

    quotas = RedisQuotas(address)
    try:
        yield quotas
    finally:
        await quotas.close()


async def usage_of(settings: Settings, registry: str) -> Usage | None:
    """Return a registry's use, or None when nothing runs or the gate is just beginning."""
    async with open_quotas(settings) as quotas:
        if quotas is None:
            return None
        try:
            usage = await quotas.usage(registry)
        except GateLost:
            return None
        return None if usage.is_new else usage
