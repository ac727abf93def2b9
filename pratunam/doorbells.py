"""Rings what runs on a home after a command has changed the ledger. A ring may be lost: the scheduler looks by itself too."""

from contextlib import suppress

from redis.exceptions import RedisError

from pratunam.running import what_runs
from pratunam.settings import Settings
from workers.broker import RedisDoorbell


async def wake_scheduler(settings: Settings) -> bool:
    """Have the scheduler look at the ledger now; False when nothing runs on this home."""
    bell = _bell(settings)
    if bell is None:
        return False
    with suppress(RedisError):
        bell.wake()
        return True
    return False


async def ring_check(settings: Settings, job: str) -> bool:
    """Have a job's file checked now; False when nothing runs (the ledger keeps it until something does)."""
    bell = _bell(settings)
    if bell is None:
        return False
    with suppress(RedisError):
        bell.check_job(job)
        return True
    return False


def _bell(settings: Settings) -> RedisDoorbell | None:
    running = what_runs(settings)
    return None if running is None else RedisDoorbell(running.redis_url)
