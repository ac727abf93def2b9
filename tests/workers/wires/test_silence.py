"""One timer watches all requests of a wire for silence."""

import asyncio

from domain.clock import SystemClock
from workers.wires.silence import SilenceWatch

SOON_MS = 20


class Request:
    """Waits from a given instant, or for nothing."""

    def __init__(self, at: int | None) -> None:
        """Wait until `at` (monotonic ms)."""
        self.at = at
        self.gave_up = asyncio.Event()

    def silent_at(self) -> int | None:
        """When it waited too long."""
        return self.at

    def give_up(self) -> None:
        """Wait no more."""
        self.at = None
        self.gave_up.set()


async def test_each_request_is_told_when_its_own_time_is_up() -> None:
    """The timer is set for the first, and then for whoever is next; who waits for nothing, or has left, is not told."""
    clock = SystemClock()
    watch, now = SilenceWatch(clock), clock.monotonic()
    first, second = Request(now + SOON_MS), Request(now + 3 * SOON_MS)
    idle, gone = Request(None), Request(now + 2 * SOON_MS)
    for request in (idle, first, second, gone):
        watch.watch(request)
    watch.leave(gone)
    await asyncio.wait_for(first.gave_up.wait(), 5)
    assert clock.monotonic() >= now + SOON_MS
    assert not second.gave_up.is_set()
    await asyncio.wait_for(second.gave_up.wait(), 5)
    assert clock.monotonic() >= now + 3 * SOON_MS
    assert not idle.gave_up.is_set()
    assert not gone.gave_up.is_set()


async def test_a_request_that_begins_to_wait_later_is_heard() -> None:
    """It says so again; until then no timer runs for it, and a closed watch has none."""
    clock = SystemClock()
    watch, request = SilenceWatch(clock), Request(None)
    watch.watch(request)
    assert watch._timer is None
    request.at = clock.monotonic() + SOON_MS
    watch.watch(request)
    await asyncio.wait_for(request.gave_up.wait(), 5)
    request.at = clock.monotonic() + SOON_MS
    watch.watch(request)
    watch.close()
    assert watch._timer is None
