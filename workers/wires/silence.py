"""The watch for silence: one timer for all requests of a wire, since a stall raises nothing by itself.

Requests come and go many times a second, and nearly all are answered long before their time is up; so the timer is set by whoever
waits first, and looks at the others when it has run out. It must not know what a request carries.
"""

import asyncio
from typing import Protocol

from domain.clock import Clock


class Waiting(Protocol):
    """A request that may wait for an answer."""

    def silent_at(self) -> int | None:
        """Return when it will have waited too long (monotonic ms); None while it waits for nothing."""
        ...

    def give_up(self) -> None:
        """Take that no answer came in time."""
        ...


class SilenceWatch:
    """Tells each request that waited too long, within a millisecond or so."""

    def __init__(self, clock: Clock) -> None:
        """Watch nobody yet."""
        self._clock = clock
        self._watched: set[Waiting] = set()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, request: Waiting) -> None:
        """Look after this request from now on, and hear that it waits for something."""
        self._watched.add(request)
        if self._timer is None:
            self._set()

    def leave(self, request: Waiting) -> None:
        """Look after it no longer."""
        self._watched.discard(request)

    def close(self) -> None:
        """Look after nobody."""
        self._watched.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self) -> None:
        """Wake when the first would have waited too long: whoever comes later waits longer."""
        first = min((at for each in self._watched if (at := each.silent_at()) is not None), default=None)
        if first is not None:
            left_s = max(1, first - self._clock.monotonic()) / 1000
            self._timer = asyncio.get_running_loop().call_later(left_s, self._look)

    def _look(self) -> None:
        self._timer = None
        now = self._clock.monotonic()
        for request in list(self._watched):
            at = request.silent_at()
            if at is not None and at <= now:
                request.give_up()
        self._set()
