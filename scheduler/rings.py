"""Rings the doorbell, and rings again: a ring may be lost, so whatever still waits after a while is rung once more.

A doubled ring finds nothing to do; still, nobody is rung faster than it could come. Instants are ms of the monotonic clock.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from domain.ports import Doorbell

#: a session that was rung for has so long to take its lease, in ms
SESSION_COMES_MS = 1_000
#: a job or notice is rung again after so long, and then after twice as long each time up to the last, in ms
FIRST_AGAIN_MS, LAST_AGAIN_MS = 2_000, 30_000
#: rings of one round: thousands of files that wait would hold up the round of every registry
MOST_RINGS = 64


@dataclass(frozen=True, slots=True)
class _Rung:
    at: int
    expected: int


class SessionRings:
    """Sessions rung for in one registry and not seen yet."""

    def __init__(self, registry: str, doorbell: Doorbell) -> None:
        """Nothing has been rung."""
        self._registry = registry
        self._doorbell = doorbell
        self._rung: dict[str, _Rung] = {}

    def ring(self, serve: Mapping[str, int], live: Mapping[str, int], now: int) -> int:
        """Ring for each party as many more as it should open, less those that are on their way; returns how many rings."""
        rings: list[str] = []
        for party, more in serve.items():
            wanted = live.get(party, 0) + more
            rung = self._rung.get(party)
            on_the_way = rung is not None and now - rung.at < SESSION_COMES_MS
            missing = wanted - rung.expected if rung is not None and on_the_way else more
            if missing > 0:
                self._rung[party] = _Rung(now, wanted)
                rings += [party] * missing
        if rings:
            self._doorbell.run_sessions(self._registry, rings)
        for party in [p for p, rung in self._rung.items() if now - rung.at >= SESSION_COMES_MS]:
            del self._rung[party]
        return len(rings)


class PatientRings:
    """Jobs to check or notices to send, each rung at once and then again at growing distances."""

    def __init__(self, ring: Callable[[str], None]) -> None:
        """Nothing has been rung; `ring` takes an id."""
        self._ring = ring
        self._next: dict[str, tuple[int, int]] = {}

    def ring(self, due: Iterable[str], now: int) -> None:
        """Ring for each that is due and was not rung lately, as far as a round's rings go; what is no longer due is forgotten."""
        following = {}
        rings = 0
        for name in due:
            next_at, wait_ms = self._next.get(name, (now, FIRST_AGAIN_MS))
            if now >= next_at and rings < MOST_RINGS:
                rings += 1
                self._ring(name)
                next_at, wait_ms = now + wait_ms, min(2 * wait_ms, LAST_AGAIN_MS)
            following[name] = (next_at, wait_ms)
        self._next = following
