"""What a kind of fault is: how it is done, which promise is at stake, and what must be so afterwards."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.gauntlet.field import Field
from tests.gauntlet.traffic import Traffic


class NotInjected(Exception):
    """This fault cannot be done here; the text says why."""


class Broken(Exception):
    """What the fault must not break is broken; the text says what."""


@dataclass(slots=True)
class Scene:
    """Where faults are done: the field, the parties, dice of the run's seed, and what the judges must be told."""

    ground: Field
    traffic: Traffic
    dice: random.Random
    repeated: dict[str, int] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    #: names of kills and when they struck (ms, wall), for the recovery times
    blows: list[tuple[str, int]] = field(default_factory=list)
    #: when the gate's own clock was stepped forward (ms, wall)
    leaps: list[int] = field(default_factory=list)
    is_short: bool = False

    def span_s(self, usual: float, *, short: float | None = None) -> float:
        """Return how long a fault lasts: as drawn round `usual`, or `short` in a quick run."""
        if self.is_short:
            return usual / 3 if short is None else short
        return usual * self.dice.uniform(0.7, 1.3)

    def host(self) -> Any:
        """Draw a host."""
        return self.ground.hosts[self.dice.choice(sorted(self.ground.hosts))]

    async def whole(self) -> None:
        """Wait until every process is ready and the stores answer: what is done alone must strike a gate that is whole."""
        await self.ground.ready()
        await asyncio.to_thread(self.ground.postgres.revive)

    async def until(self, is_so: Callable[[], Awaitable[bool]], within_s: float, else_say: str) -> None:
        """Wait until something is so; raises Broken."""
        try:
            async with asyncio.timeout(within_s):
                while not await is_so():  # noqa: ASYNC110 -- other processes ring no bell
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise Broken(f"{else_say} within {within_s:.0f} s") from None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault."""

    name: str
    how: str
    stake: str
    do: Callable[[Scene], Awaitable[None]]
    #: rows of the fault matrix (reliability.md 2.12) and modes of dramatiq (1.2) that it covers
    covers: str = ""
    #: nothing else is done meanwhile, also no kill
    is_alone: bool = False
