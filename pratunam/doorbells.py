"""Rings what runs on a home after a command has changed the ledger. A ring may be lost: the scheduler looks by itself too."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from pratunam.running import redis_address
from pratunam.settings import Settings

if TYPE_CHECKING:
    from workers.broker import RedisDoorbell


async def wake_scheduler(settings: Settings) -> bool:
    """Have the scheduler look at the ledger now; False when nothing runs on this home, or its Redis does not answer."""
    return _ring(settings, lambda bell: bell.wake())


async def ring_check(settings: Settings, job: str) -> bool:
    """Have a job's file checked now; False when nothing runs (the ledger keeps it until something does)."""
    return _ring(settings, lambda bell: bell.check_job(job))


def _ring(settings: Settings, ring: "Callable[[RedisDoorbell], None]") -> bool:
    address = redis_address(settings)
    if address is None:
        return False
    from workers.broker import RedisDoorbell  # dramatiq takes its time to load

    bell = RedisDoorbell(address)
    ring(bell)
    was_heard = not bell.is_silent
    bell.close()
    return was_heard
