"""One forecast serves all who ask, until it is some seconds old."""

import asyncio
from collections.abc import Sequence
from typing import cast

from domain.clock import ManualClock
from domain.jobs import Job, JobBacklog
from domain.quota import Usage
from domain.states import JobState
from ledger.protocols import Ledger
from planner.kept import KEEP_MS, KeptForecasts, brake_level
from tests.scheduler.fakes import REGISTRY, FakeLedger, policy


class Book(FakeLedger):
    """A ledger with one job for each of three parties; C's waits for people."""

    asked = 0

    async def open_jobs(self, registry: str, now: int) -> Sequence[JobBacklog]:
        """Counts how often it is read."""
        self.asked += 1
        return [JobBacklog(f"J-{party}", party, 0, now, None, 1200, 0, 1200) for party in "ABC"]

    async def jobs(
        self, party: str | None = None, states: frozenset[JobState] | None = None, limit: int = 1000
    ) -> Sequence[Job]:
        """No file waits to be checked."""
        return []

    async def stuck_jobs(self, registry: str) -> frozenset[str]:
        """One."""
        return frozenset({"J-C", "J-of-another-registry"})


def kept(clock: ManualClock, takes_ms: int = 0) -> tuple[Book, KeptForecasts]:
    """Forecasts of a book; each look at the gate takes so long."""
    book = Book([(0, policy({"A": 2, "B": 1, "C": 1}))])

    async def usage(registry: str) -> Usage | None:
        del registry
        clock.advance(takes_ms)
        return Usage(1, 0, 0.0, 0, 0, rate=5.0)

    return book, KeptForecasts(cast("Ledger", book), clock, usage)


async def test_a_crowd_shares_one_forecast_and_a_late_comer_gets_a_new_one() -> None:
    """A hundred ask at once: the ledger is read once; after some seconds once more."""
    clock = ManualClock()
    book, forecasts = kept(clock)
    crowd = await asyncio.gather(*(forecasts.of(REGISTRY) for _ in range(100)))
    assert book.asked == 1
    assert all(one is crowd[0] for one in crowd)
    clock.advance(KEEP_MS - 1)
    await forecasts.of(REGISTRY)
    assert book.asked == 1
    clock.advance(1)
    assert await forecasts.of(REGISTRY) is not crowd[0]
    assert book.asked == 2


async def test_a_forecast_that_takes_long_stands_longer() -> None:
    """So that foreseeing is never most of what a process does."""
    clock = ManualClock()
    book, forecasts = kept(clock, takes_ms=2_000)
    await forecasts.of(REGISTRY)
    clock.advance(19_999)
    await forecasts.of(REGISTRY)
    assert book.asked == 1
    clock.advance(1)
    await forecasts.of(REGISTRY)
    assert book.asked == 2


async def test_of_what_waits_for_people_no_end_is_told() -> None:
    """Neither of the job nor of its party; the others have theirs."""
    _, forecasts = kept(ManualClock())
    found = await forecasts.of(REGISTRY)
    assert found is not None
    assert found.forecast.jobs["J-C"] is None
    assert found.forecast.parties["C"] is None
    assert found.forecast.parties["A"] is not None
    assert set(found.forecast.jobs) == {"J-A", "J-B", "J-C"}
    assert await forecasts.of("unheard-of") is None


def test_the_brake_is_what_the_gate_gives_of_the_rate() -> None:
    """Nothing known, or a closed registry: released."""
    rules = policy({"A": 1}).registries[REGISTRY]
    half = Usage(1, 0, 0.0, 0, 0, rate=rules.rate / 2)
    assert brake_level(rules, half) == 0.5
    assert brake_level(rules, None) == brake_level(rules, Usage(1, 0, 0.0, 0, 0)) == 1.0
