"""One scheduler process: the loop, woken by whoever changes the ledger."""

import asyncio
import contextlib
import os
import socket

from domain.loop import Loop
from ledger.orphans import Orphans
from pratunam.child import long_running
from pratunam.settings import Settings
from quotas.quotas import RedisQuotas
from scheduler.ledger_look import LedgerLook
from scheduler.loop import SOONEST_S, Scheduler
from workers.broker import RedisDoorbell, listen_for_wakes


async def run_scheduler(settings: Settings, name: str) -> None:
    """Run until SIGTERM or Ctrl-C."""
    async with long_running(settings, name) as child:
        parts = child.parts
        quotas = RedisQuotas(child.redis_url)
        bell = RedisDoorbell(child.redis_url)
        scheduler = Scheduler(
            parts.ledger, quotas, bell, parts.clock, parts.emit, _holder(name), parts.spool.delete
        )
        loop = Loop("scheduler", scheduler.run_once, parts.emit, SOONEST_S)
        listening = asyncio.create_task(listen_for_wakes(child.redis_url, lambda _: loop.wake()))
        looks = Loop("ledger_look", LedgerLook(parts.ledger, parts.clock, parts.emit).run_once, parts.emit)
        orphans = Orphans(parts.ledger, parts.keys, parts.spool, parts.clock)
        sweeps = Loop("sweep", orphans.run_once, parts.emit)
        for each in (loop, looks, sweeps):
            each.start()
        child.note_ready()
        await child.stopping.wait()
        await asyncio.gather(loop.stop(), looks.stop(), sweeps.stop())
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
        bell.close()
        await quotas.close()


def _holder(name: str) -> str:
    return f"{socket.gethostname()}:{name}:{os.getpid()}"
