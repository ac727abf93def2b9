"""Counts in the ledger what no event tells: jobs by state, records that people must decide, notices that have not arrived.

A loop of its own, beside the rounds: a slow count must not hold up a decision.
"""

from time import perf_counter

from domain.clock import Clock
from domain.events import Emit, LedgerLooked
from ledger.protocols import Ledger

#: between two counts, in s
EVERY_S = 15.0


class LedgerLook:
    """Counts for the boards; `run_once` is run by `domain.loop.Loop`."""

    def __init__(self, ledger: Ledger, clock: Clock, emit: Emit) -> None:
        """Look at `ledger`, and tell `emit`."""
        self._ledger = ledger
        self._clock = clock
        self._emit = emit

    async def run_once(self) -> float:
        """Count once; returns the seconds until the next time."""
        began = perf_counter()
        counted = await self._ledger.counts()
        took_ms = (perf_counter() - began) * 1000
        self._emit(
            LedgerLooked(
                looked_at=self._clock.now(),
                jobs=counted.jobs,
                doubtful=counted.doubtful,
                notices=counted.notices,
                took_ms=took_ms,
            )
        )
        return EVERY_S
