"""One forecast a registry for everybody who asks, made anew once it has stood for some seconds: thousands of jobs cost one.

Reads the ledger and, through a port, the gate; changes nothing.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from domain.clock import Clock
from domain.policy import Policy, RegistryRules
from domain.quota import Usage
from ledger.protocols import Ledger
from planner.forecast import Forecast, forecast
from planner.world import RowsOf, read_world

#: a forecast stands for so long, in ms, and for so many times what it took to make
KEEP_MS, KEEP_TIMES = 5_000, 10


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What was foreseen of one registry, by which policy, and what the gate said then (None: it could not be asked)."""

    policy: Policy
    forecast: Forecast
    usage: Usage | None


class KeptForecasts:
    """Forecasts by registry; whoever asks while one is being made waits for it."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        usage_of: Callable[[str], Awaitable[Usage | None]],
        rows_of: RowsOf | None = None,
    ) -> None:
        """`usage_of` asks the gate; `rows_of` tells the rows of files that are still to be checked."""
        self._ledger, self._clock, self._usage_of, self._rows_of = ledger, clock, usage_of, rows_of
        self._kept: dict[str, tuple[int, Foreseen | None]] = {}
        self._making: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def of(self, registry: str) -> Foreseen | None:
        """Return what is foreseen of a registry; None when no policy in force has it."""
        async with self._making[registry]:
            began = self._clock.monotonic()
            if registry in self._kept and began < self._kept[registry][0]:
                return self._kept[registry][1]
            found = await self._make(registry)
            took = self._clock.monotonic() - began
            self._kept[registry] = (began + took + max(KEEP_MS, KEEP_TIMES * took), found)
            return found

    async def _make(self, registry: str) -> Foreseen | None:
        now = self._clock.now()
        version = await self._ledger.policy(now)
        if version is None or registry not in version.policy.registries:
            return None
        usage = await self._usage_of(registry)
        level = brake_level(version.policy.registries[registry], usage)
        world = await read_world(
            self._ledger, registry, now, usage=usage, brake_level=level, rows_of=self._rows_of
        )
        if world is None:
            return None
        stuck = await self._ledger.stuck_jobs(registry)
        made = await asyncio.to_thread(forecast, world, now)  # thousands of parties take a while
        return Foreseen(
            world.policy, _without(made, {job.job: job.party for job in world.jobs}, stuck), usage
        )


def brake_level(rules: RegistryRules, usage: Usage | None) -> float:
    """Return how far the gate's brake is released; wholly where nothing is known of it."""
    if usage is None or rules.rate == 0 or usage.rate == 0:
        return 1.0
    return min(1.0, usage.rate / rules.rate)


def _without(made: Forecast, party_of: dict[str, str], stuck: frozenset[str]) -> Forecast:
    """Of what waits for people nobody knows when it will be done, nor of its party."""
    jobs = [job for job in party_of if job in stuck]
    return replace(
        made,
        jobs={**made.jobs, **dict.fromkeys(jobs)},
        parties={**made.parties, **dict.fromkeys(party_of[job] for job in jobs)},
    )
