"""Clocks as arguments: the machine's own for production, a hand-moved one for tests and the simulator.

Instants are int milliseconds since the Unix epoch (UTC); monotonic readings are int milliseconds of no fixed origin.
"""

import time
from typing import Protocol


class Clock(Protocol):
    """Where a loop reads its time; wall for what is written down, monotonic for what is measured."""

    def now(self) -> int:
        """Return the wall clock, in ms since the Unix epoch."""
        ...

    def monotonic(self) -> int:
        """Return a reading that never steps back, in ms."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> int:
        """Return the wall clock, in ms since the Unix epoch."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> int:
        """Return the monotonic clock, in ms."""
        return time.monotonic_ns() // 1_000_000


class ManualClock:
    """A clock that moves only when told to."""

    def __init__(self, now: int = 1_767_225_600_000) -> None:
        """Start at `now` (ms; by default 2026-01-01T00:00Z)."""
        self._now = now
        self._monotonic = 0

    def now(self) -> int:
        """Return the wall clock, in ms since the Unix epoch."""
        return self._now

    def monotonic(self) -> int:
        """Return the monotonic clock, in ms."""
        return self._monotonic

    def advance(self, ms: int) -> None:
        """Move both clocks forward by `ms`."""
        self._now += ms
        self._monotonic += ms

    def step(self, ms: int) -> None:
        """Step the wall clock alone, as a time server or a hand would."""
        self._now += ms
