"""The registrar's own buckets: exact, without allowance, refilled by its own monotonic clock.

It must know nothing of what the gate believes; the history of each limit stays for the judge.
"""

from registrar.judge import RECORD_UNITS, LimitStep, burst_units, micro_rate


class Limit:
    """One limit (of an account, a party or a registry): its bucket now and its steps so far."""

    __slots__ = ("_allowed", "_filled_ns", "_level", "_micro_rate", "burst", "rate", "steps")

    def __init__(self, rate: float | None, burst: float | None, burst_s: float = 1.0, at_ns: int = 0) -> None:
        self.steps: list[LimitStep] = []
        self._level = 0
        self._filled_ns = at_ns
        self.change(rate, burst, burst_s, at_ns)

    def change(self, rate: float | None, burst: float | None, burst_s: float, at_ns: int) -> None:
        """Another limit from now on; what stands in the bucket stays, refilled at the old rate until now."""
        if self.steps:
            self._refill(at_ns)
        self.rate = rate
        self.burst = 0.0 if rate is None else (rate * burst_s if burst is None else burst)
        self._micro_rate = micro_rate(rate or 0.0)
        self._allowed = burst_units(rate or 0.0, self.burst)
        self.steps.append(LimitStep(at_ns if self.steps else 0, rate, self.burst))

    def forget_before(self, at_ns: int) -> None:
        """Keep only the limit of today: the log was reset."""
        self.steps = [LimitStep(0, self.rate, self.burst)]
        self._level, self._filled_ns = 0, at_ns

    def wait_ns(self, count: int, at_ns: int) -> int:
        """Nanoseconds until `count` more records fit; 0 means now. A closed limit answers one second."""
        if self.rate is None:
            return 0
        self._refill(at_ns)
        over = self._level + count * RECORD_UNITS - self._allowed
        if over <= 0:
            return 0
        return -(-over // self._micro_rate) if self._micro_rate else 1_000_000_000

    def _refill(self, at_ns: int) -> None:
        drained = self._micro_rate * (at_ns - self._filled_ns)
        self._level = 0 if self.rate is None else max(0, self._level - drained)
        self._filled_ns = at_ns

    def spend(self, count: int) -> None:
        """Take `count` records; only straight after `wait_ns` answered 0."""
        if self.rate is not None:
            self._level += count * RECORD_UNITS
