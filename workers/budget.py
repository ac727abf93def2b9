"""The retry budget of one registry, and the totals that it tells the brake: both per process."""

from domain.clock import Clock
from domain.quota import Signals

#: retries that may be saved up
MOST = 100.0
#: what one success is worth
PER_SUCCESS = 0.1
#: one retry for so many ms, also when nothing succeeds
ONE_EVERY_MS = 3_000


class RetryBudget:
    """How many records may be sent again because the registrar said `retry`."""

    def __init__(self, clock: Clock) -> None:
        """Begin with all that can be saved up."""
        self._clock = clock
        self._left = MOST
        self._at = clock.monotonic()

    def succeed(self, count: int) -> None:
        """Earn by successes."""
        self._left = min(MOST, self._left + PER_SUCCESS * count)

    def take(self) -> bool:
        """Spend one, if there is one."""
        now = self._clock.monotonic()
        self._left = min(MOST, self._left + (now - self._at) / ONE_EVERY_MS)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class SignalBook:
    """Totals since this process began: answers, errors, pushbacks, latency, and what the registrar says of itself."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.answers = 0
        self.errors = 0
        self.pushbacks = 0
        self.latency_ms = 0
        self.load_state = ""

    def totals(self, offset_ms: int | None, error_ms: int | None) -> Signals:
        """Return the totals, with the clock offset as it was last measured."""
        return Signals(
            answers=self.answers,
            errors=self.errors,
            pushbacks=self.pushbacks,
            latency_ms_sum=self.latency_ms,
            load_state=self.load_state,
            clock_offset_ms=offset_ms,
            clock_error_ms=error_ms,
        )
