"""The registrar's own clock: one monotonic count, and a wall clock that may be wrong on purpose.

It must not read the machine's wall clock after it has started: a step of that clock is not an arrival's fault.
"""

import time

#: Nanoseconds in a second, in a millisecond, in a microsecond.
NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
NS_PER_US = 1_000


class Clock:
    """Counts nanoseconds since it was made and shows a wall time `offset_s` away from the machine's."""

    def __init__(self, offset_s: float = 0.0) -> None:
        self._mono_zero_ns = time.monotonic_ns()
        self._wall_zero_us = time.time_ns() // NS_PER_US
        self.offset_s = offset_s

    def mono_ns(self) -> int:
        """Nanoseconds since this clock was made."""
        return time.monotonic_ns() - self._mono_zero_ns

    def wall_us(self, mono_ns: int) -> int:
        """The registrar's wall time, in microseconds since the Unix epoch, at a monotonic instant."""
        return self._wall_zero_us + mono_ns // NS_PER_US + round(self.offset_s * 1_000_000)

    def wall_ms(self, mono_ns: int) -> int:
        """The registrar's wall time in milliseconds since the Unix epoch."""
        return self.wall_us(mono_ns) // 1_000
