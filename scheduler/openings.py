"""When each party may draw: the policy's windows, the registrar's clock and the guard put together. Computes; reads no clock.

Thousands of parties share a handful of rules, so states are kept per set of rules, and until they change.
"""

from dataclasses import dataclass

from domain.policy import Policy
from domain.quota import Signals
from domain.windows import WindowRule, WindowState, open_spans, window_state

#: how far off the registrar's clock may be while it was never measured, in ms
UNMEASURED_MS = 1_000
#: no edge within sight: as good as for ever, in ms
FOR_EVER_MS = 10**12
#: an end of an open stretch is looked for so far ahead, and a state without one stands for half as long, in ms
_AHEAD_MS = 30 * 86_400_000
#: how long a count of open hours stands, in ms
_COUNT_FOR_MS = 60_000


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """The registrar's clock minus ours, and how far that may be wrong, in ms."""

    offset_ms: int = 0
    error_ms: int = UNMEASURED_MS

    @classmethod
    def measured(cls, signals: Signals, before: "ClockOffset") -> "ClockOffset":
        """Return what the signals say; a new generation that has not measured yet leaves what was known before."""
        if signals.clock_offset_ms is None:
            return before
        return cls(signals.clock_offset_ms, signals.clock_error_ms or 0)


class Openings:
    """One registry's windows under one version of the policy."""

    def __init__(self, policy: Policy, registry: str) -> None:
        """Read the rules; each party's are looked up once."""
        self._policy = policy
        self._registry = registry
        self._rules = policy.registries[registry]
        self._of_party: dict[str, tuple[WindowRule, ...]] = {}
        self._groups: dict[tuple[WindowRule, ...], tuple[WindowRule, ...]] = {}
        self._states: dict[int, tuple[int, WindowState]] = {}
        self._counts: dict[int, tuple[int, int]] = {}

    def state(self, party: str, at: int) -> WindowState:
        """Return whether the registry is open to the party at `at` of the registrar's clock, and until when."""
        rules = self._rules_of(party)
        known = self._states.get(id(rules))
        if known is not None:
            since, state = known
            if since <= at < (since + _AHEAD_MS // 2 if state.until_at is None else state.until_at):
                return state
        state = window_state(rules, self._rules.closed, self._rules.timezone, at, _AHEAD_MS)
        if not state.is_open and state.until_at is None:
            state = window_state(rules, self._rules.closed, self._rules.timezone, at)
        self._states[id(rules)] = (at, state)
        return state

    def open_ms(self, party: str, clock: ClockOffset, now: int) -> int:
        """Return how long from now the party may draw: 0 when closed, or when either clock may be past the end less the guard."""
        at = now + clock.offset_ms
        state = self.state(party, at - clock.error_ms)
        if not state.is_open:
            return 0
        if state.until_at is None:
            return FOR_EVER_MS
        return max(0, state.until_at - round(self._rules.guard_s * 1000) - at - clock.error_ms)

    def opens_in_ms(self, party: str, clock: ClockOffset, now: int) -> int | None:
        """Return in how many ms the party's next window opens; None when it is open, or none is in sight."""
        at = now + clock.offset_ms - clock.error_ms
        state = self.state(party, at)
        return None if state.is_open or state.until_at is None else max(0, state.until_at - at)

    def edge_in_ms(self, party: str, clock: ClockOffset, now: int) -> int | None:
        """Return in how many ms it changes whether the party may draw; None when nothing is in sight."""
        open_ms = self.open_ms(party, clock, now)
        if open_ms > 0:
            return open_ms if open_ms < FOR_EVER_MS else None
        at = now + clock.offset_ms - clock.error_ms
        state = self.state(party, at)
        return None if state.until_at is None else max(1, state.until_at - at)

    def open_ms_before(self, party: str, deadline_at: int | None, now: int) -> int:
        """Return how many ms the party's windows are open from now to the deadline (0 without one)."""
        if deadline_at is None or deadline_at <= now:
            return 0
        rules = self._rules_of(party)
        counted_at, open_ms = self._counts.get(id(rules), (-_COUNT_FOR_MS, 0))
        if not counted_at <= now < counted_at + _COUNT_FOR_MS:
            spans = open_spans(rules, self._rules.closed, self._rules.timezone, now, deadline_at)
            open_ms = sum(span.to_at - span.from_at for span in spans)
            self._counts[id(rules)] = (now, open_ms)
        return open_ms

    def _rules_of(self, party: str) -> tuple[WindowRule, ...]:
        rules = self._of_party.get(party)
        if rules is None:
            rules = self._policy.windows_of(self._registry, party) if party in self._policy.parties else ()
            rules = self._groups.setdefault(rules, rules)
            self._of_party[party] = rules
        return rules
