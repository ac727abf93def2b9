"""The registrar's clock against ours, from its `Date` headers.

A header `d` (whole seconds) of an answer sent at `s` and read at `r` says: registrar − ours lies in [d − r, d + 1 s − s]. The intervals of
the last samples, widened by their age, are intersected; an empty intersection means that a clock was stepped: begin anew.
Source: reliability.md 2.5.
"""

from collections import deque

from domain.wire import ClockSample

#: samples kept
KEPT = 64
#: how far two clocks may drift apart (parts per million)
DRIFT_PPM = 50
#: what a header cannot tell: scheduling, rounding (ms)
SLACK_MS = 250


class OffsetMeter:
    """Takes samples, tells the offset."""

    def __init__(self) -> None:
        """Begin with no samples."""
        self._samples: deque[ClockSample] = deque(maxlen=KEPT)

    def take(self, sample: ClockSample) -> bool:
        """Add a sample; one that contradicts all before it begins a new measurement, as the first does: says whether it did."""
        self._samples.append(sample)
        if self._interval(sample.read_at) is None:
            self._samples.clear()
            self._samples.append(sample)
        return len(self._samples) == 1

    def offset(self, now: int) -> tuple[int, int] | None:
        """Return (registrar − ours, half width) in ms; None when nothing was measured."""
        interval = self._interval(now)
        if interval is None:
            return None
        low, high = interval
        return round((low + high) / 2), round((high - low) / 2) + SLACK_MS

    def _interval(self, now: int) -> tuple[float, float] | None:
        low, high = float("-inf"), float("inf")
        for sample in self._samples:
            drift = abs(now - sample.read_at) * DRIFT_PPM / 1_000_000
            low = max(low, sample.date_at - sample.read_at - drift)
            high = min(high, sample.date_at + 1000 - sample.sent_at + drift)
        return (low, high) if low <= high and self._samples else None
