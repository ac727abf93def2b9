"""How busy the registrar is: its pace over the last second, how long an answer takes, what it tells about load.

It must not refuse anything.
"""

from collections import deque

from registrar.clock import NS_PER_MS, NS_PER_S
from registrar.config import Registry


class Pace:
    """Counts the records of the last second and says how long one takes now."""

    def __init__(self, rules: Registry) -> None:
        self._rules = rules
        self._recent: deque[tuple[int, int]] = deque()
        self._in_second = 0
        self._latencies_ms: deque[float] = deque(maxlen=500)

    def count(self, records: int, now_ns: int) -> None:
        """So many records have just arrived."""
        self._recent.append((now_ns, records))
        self._in_second += records
        self._forget(now_ns)

    def _forget(self, now_ns: int) -> None:
        while self._recent and self._recent[0][0] <= now_ns - NS_PER_S:
            self._in_second -= self._recent.popleft()[1]

    def records_per_second(self, now_ns: int) -> float:
        """Records of the last second."""
        self._forget(now_ns)
        return float(self._in_second)

    def delay_ns(self, factor: float) -> int:
        """How long the next answer takes: service time, more above the knee, times a fault's factor."""
        service_ms = self._rules.service_ms
        knee = self._rules.knee_rate
        if knee and self._in_second > knee:
            service_ms *= 1 + self._rules.knee_slope * (self._in_second / knee - 1)
        service_ms *= factor
        self._latencies_ms.append(service_ms)
        return round(service_ms * NS_PER_MS)

    def p95_ms(self) -> float:
        """95th percentile of the last 500 handfuls' service times, in milliseconds."""
        ordered = sorted(self._latencies_ms)
        return ordered[int(len(ordered) * 0.95)] if ordered else 0.0

    def is_busy(self, now_ns: int) -> bool:
        """Whether the pace is above the knee."""
        knee = self._rules.knee_rate
        return bool(knee) and self.records_per_second(now_ns) > float(knee or 0)
