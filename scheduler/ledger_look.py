"""Counts in the ledger what no event tells: jobs by state, records that people must decide, notices that have not arrived.

A loop of its own, beside the rounds: a slow count must not hold up a decision. The newest jobs and notices are counted, no more.
"""

from collections import Counter
from time import perf_counter

from domain.clock import Clock
from domain.events import Emit, LedgerLooked
from ledger.protocols import Ledger

#: between two counts, in s
EVERY_S = 15.0
#: so many jobs and notices are looked at, the newest first
NEWEST = 1_000


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
        jobs = await self._ledger.jobs(limit=NEWEST)
        notices = await self._ledger.notices(limit=NEWEST)
        took_ms = (perf_counter() - began) * 1000
        doubtful: Counter[tuple[str, str]] = Counter()
        for job in jobs:
            if job.records.doubtful:
                doubtful[job.registry, job.party] += job.records.doubtful
        self._emit(
            LedgerLooked(
                looked_at=self._clock.now(),
                jobs=Counter((job.registry, job.state.value) for job in jobs),
                doubtful=doubtful,
                notices=Counter(
                    (delivery.channel, delivery.state)
                    for notice in notices
                    for delivery in notice.deliveries
                    if delivery.state != "delivered"
                ),
                took_ms=took_ms,
            )
        )
        return EVERY_S
