"""Settling: outcomes of all sessions of one process go to the ledger together, every few dozen ms, a sealed row for each slice.

Settling is idempotent and not fenced, so whatever fails is tried again; an answer of an old holder is still a fact.
It must not decide what an answer means.
"""

import asyncio
from collections.abc import Callable, Sequence

from domain.clock import Clock
from domain.errors import Busy
from domain.events import Emit, JobMoved, RecordsSettled
from domain.jobs import Outcome, Settled, Settlement
from domain.loop import Loop
from domain.states import ENDED_JOB_STATES
from ledger.protocols import Ledger

#: between two settlements while answers come (s)
EVERY_S = 0.1
#: outcomes that are settled without waiting for the time
ENOUGH = 400
#: outcomes beyond which sessions stop sending until the ledger has caught up
TOO_MANY = 5_000

Told = Callable[[Settled], None]


class Settler:
    """One per process and registry."""

    def __init__(self, registry: str, ledger: Ledger, clock: Clock, emit: Emit) -> None:
        """Nothing runs until `start`."""
        self._registry = registry
        self._ledger = ledger
        self._clock = clock
        self._emit = emit
        self._waiting: dict[str, tuple[list[Outcome], Told]] = {}
        self._count = 0
        self._lock = asyncio.Lock()
        self._loop = Loop("settler", self.run_once, emit)
        self._task: asyncio.Task[None] | None = None

    def put(self, slice_id: str, outcomes: Sequence[Outcome], told: Told) -> None:
        """Take outcomes of one slice; `told` hears what the ledger made of them."""
        held = self._waiting.get(slice_id)
        if held is None:
            self._waiting[slice_id] = (list(outcomes), told)
        else:
            held[0].extend(outcomes)
        before = self._count
        self._count += len(outcomes)
        if before < ENOUGH <= self._count:
            self._loop.wake()

    def is_behind(self) -> bool:
        """Say whether the ledger has so much to catch up that nothing more should be sent."""
        return self._count > TOO_MANY

    async def run_once(self) -> float:
        """Settle what waits; returns the seconds until the next time."""
        try:
            await self.flush()
        except Busy as busy:
            return busy.retry_after_ms / 1000
        return EVERY_S

    async def flush(self) -> None:
        """Settle everything that waits now; what fails waits on, and the error is the caller's."""
        async with self._lock:
            batch, self._waiting = self._waiting, {}
            count, self._count = self._count, 0
            if not batch:
                return
            settlements = [Settlement(slice_id, tuple(outcomes)) for slice_id, (outcomes, _) in batch.items()]
            try:
                results = await self._ledger.settle(settlements, self._clock.now())
            except BaseException:
                self._put_back(batch, count)
                raise
        for (outcomes, told), settled in zip(batch.values(), results, strict=True):
            self._tell(outcomes, settled)
            told(settled)

    def start(self) -> None:
        """Run beside the sessions."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._loop.run(), name=f"settler-{self._registry}")

    async def stop(self) -> None:
        """End, and settle what is left."""
        self._loop.stop()
        if self._task is not None:
            await self._task
        await self.flush()

    def _put_back(self, batch: dict[str, tuple[list[Outcome], Told]], count: int) -> None:
        for slice_id, (outcomes, told) in batch.items():
            held = self._waiting.get(slice_id)
            self._waiting[slice_id] = (outcomes + (held[0] if held else []), held[1] if held else told)
        self._count += count

    def _tell(self, outcomes: Sequence[Outcome], settled: Settled) -> None:
        if settled.moved:
            by_state: dict[str, int] = {}
            for outcome in outcomes:
                by_state[outcome.state.name.lower()] = by_state.get(outcome.state.name.lower(), 0) + 1
            for name, count in by_state.items():
                self._emit(RecordsSettled(self._registry, outcome=name, count=count))
        if settled.job_state in ENDED_JOB_STATES:
            self._emit(JobMoved(self._registry, state=settled.job_state.value))
