"""One scheduler process: the loop, woken by whoever changes the ledger."""

import asyncio
import contextlib
import os
import socket

from domain.loop import Loop
from pratunam.child import long_running
from pratunam.settings import Settings
from quotas.quotas import RedisQuotas
from scheduler.loop import Scheduler
from workers.broker import RedisDoorbell, heard_wakes


async def run_scheduler(settings: Settings, name: str) -> None:
    """Run until SIGTERM or Ctrl-C."""
    async with long_running(settings, name) as child:
        parts = child.parts
        quotas = RedisQuotas(child.redis_url)
        bell = RedisDoorbell(child.redis_url)
        scheduler = Scheduler(parts.ledger, quotas, bell, parts.clock, parts.emit, _holder(name))
        loop = Loop("scheduler", scheduler.run_once, parts.emit)
        listening = asyncio.create_task(_listen(child.redis_url, loop))
        running = asyncio.create_task(loop.run())
        await child.stopping.wait()
        loop.stop()
        await running
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
        await quotas.close()


async def _listen(redis_url: str, loop: Loop) -> None:
    async for _ in heard_wakes(redis_url):
        loop.wake()


def _holder(name: str) -> str:
    return f"{socket.gethostname()}:{name}:{os.getpid()}"
