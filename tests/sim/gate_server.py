"""The gate's server in the simulator: slow reference models, held to the real scripts by `tests/quotas/test_model.py`, behind a network.

It can be lost with all it knew, or paused; a call can be lost on its way there or back, and then costs a second and GateLost.
A call that was under way when its caller gave up, or died, is done all the same.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from domain.errors import GateLost
from tests.sim.gate_model import GatedModel
from tests.sim.virtual_loop import VirtualLoop

T = TypeVar("T")
TIMEOUT_S = 1.0


@dataclass(slots=True)
class Leader:
    """The leader's lease: who, for how long (µs), its epoch, and when that was last looked at (machine's µs)."""

    holder: str = ""
    left: int = 0
    epoch: int = 0
    seen: int = 0


class Fate(Enum):
    """What becomes of one call."""

    DONE = "done and heard"
    LOST = "never arrives"
    UNHEARD = "done, and its answer lost"


class GateServer:
    """One Redis, as far as the gate goes, on a machine of its own clock."""

    def __init__(self, loop: VirtualLoop, clock_us: Callable[[], int], rng: random.Random) -> None:
        """Know nothing."""
        self.loop = loop
        self.rng = rng
        self.clock_us = clock_us
        self.models: dict[str, GatedModel] = {}
        self.paused_until = 0.0
        self.lost_at: list[float] = []
        self.lossy_until = 0.0
        #: asked for the fate of every call
        self.fate: Callable[[], Fate] = self._drawn
        self._leader = Leader()

    def flush(self) -> None:
        """Lose everything."""
        self.lost_at.append(self.loop.time())
        self.models.clear()
        self._leader = Leader(seen=self.clock_us())

    def lead(self, holder: str, ttl_ms: int, known: int) -> int:
        """Take or keep the leader's lease, as `lead.lua` does."""
        now, led = self.clock_us(), self._leader
        led.left -= max(0, now - led.seen)
        led.seen = now
        if led.holder != holder and led.left > 0:
            return 0
        if led.holder != holder or led.left <= 0 or led.epoch < known:
            led.epoch = max(led.epoch + 1, known + 1, now // 1000)
        led.holder, led.left = holder, ttl_ms * 1000
        return led.epoch

    async def ask(self, work: Callable[[], T]) -> T:
        """Have one call done: there, in one step, and back."""
        loop, rng = self.loop, self.rng
        answer: asyncio.Future[T] = loop.create_future()
        fate = self.fate()
        if fate is not Fate.LOST:
            loop.call_outside(rng.uniform(0.0002, 0.003), self._do, work, answer, fate is Fate.UNHEARD)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await answer
        except TimeoutError:
            raise GateLost from None

    def _drawn(self) -> Fate:
        chance = self.rng.random() if self.loop.time() < self.lossy_until else 1.0
        return Fate.LOST if chance < 0.2 else Fate.UNHEARD if chance < 0.4 else Fate.DONE

    def _do(self, work: Callable[[], T], answer: "asyncio.Future[T]", is_lost: bool) -> None:
        wait_s = self.paused_until - self.loop.time()
        if wait_s > 0:
            self.loop.call_outside(wait_s, self._do, work, answer, is_lost)
            return
        try:
            result = work()
        except GateLost as lost:
            self.loop.call_outside(self.rng.uniform(0.0002, 0.003), _fail, answer, lost)
            return
        if not is_lost:
            self.loop.call_outside(self.rng.uniform(0.0002, 0.003), _tell, answer, result)


def _tell(answer: "asyncio.Future[Any]", result: object) -> None:
    if not answer.done():
        answer.set_result(result)


def _fail(answer: "asyncio.Future[Any]", error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
