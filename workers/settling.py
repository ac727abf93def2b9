"""Settling: outcomes of all sessions of one process go to the ledger together, a sealed row for each slice that is ripe.

A slice is ripe when its last line is answered, when its outcomes are many, or when the oldest has waited long enough. What a crash
loses is known to the registrar: it is sent again with the same key, or asked about, so the wait is short where that costs a question.
Settling is idempotent and not fenced, so whatever fails is tried again; an answer of an old holder is still a fact.
It must not decide what an answer means.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from domain.clock import Clock
from domain.errors import Busy
from domain.events import Emit, JobMoved, LedgerCommitted, RecordsSettled
from domain.jobs import Outcome, Settled, Settlement
from domain.loop import Loop
from domain.states import ENDED_JOB_STATES
from ledger.protocols import Ledger

#: between two looks (s)
EVERY_S = 0.2
#: how long an outcome waits for others of its slice (ms); the shorter one where keys do not protect from a second effect
RIPE_MS = 1_000
RIPE_SOON_MS = 100
#: outcomes of one slice that are settled without waiting for the time
ENOUGH = 100
#: outcomes beyond which sessions stop sending until the ledger has caught up
TOO_MANY = 5_000

Told = Callable[[Settled], None]


@dataclass(slots=True)
class Waiting:
    """Outcomes of one slice that wait to be settled, since when (monotonic ms), and who hears what the ledger made of them."""

    told: Told
    since: int
    outcomes: list[Outcome] = field(default_factory=list)
    is_whole: bool = False


class Settler:
    """One per process and registry."""

    def __init__(
        self, registry: str, ledger: Ledger, clock: Clock, emit: Emit, ripe_ms: int = RIPE_MS
    ) -> None:
        """Nothing runs until `start`."""
        self.ripe_ms = ripe_ms
        self._registry = registry
        self._ledger = ledger
        self._clock = clock
        self._emit = emit
        self._waiting: dict[str, Waiting] = {}
        self._count = 0
        self._lock = asyncio.Lock()
        self._loop = Loop("settler", self.run_once, emit)
        self._task: asyncio.Task[None] | None = None

    def put(self, slice_id: str, outcomes: Sequence[Outcome], told: Told, *, is_whole: bool = False) -> None:
        """Take outcomes of one slice; `told` hears what the ledger made of them. `is_whole`: no more will come of this slice."""
        held = self._waiting.get(slice_id)
        if held is None:
            held = self._waiting[slice_id] = Waiting(told, self._clock.monotonic())
        held.outcomes.extend(outcomes)
        held.is_whole = held.is_whole or is_whole
        self._count += len(outcomes)

    def is_behind(self) -> bool:
        """Say whether the ledger has so much to catch up that nothing more should be sent."""
        return self._count > TOO_MANY

    async def run_once(self) -> float:
        """Settle what is ripe; returns the seconds until the next look."""
        due = self._clock.monotonic() - self.ripe_ms
        ripe = [
            slice_id
            for slice_id, held in self._waiting.items()
            if held.is_whole or held.since <= due or len(held.outcomes) >= ENOUGH
        ]
        try:
            await self.flush(ripe)
        except Busy as busy:
            return busy.retry_after_ms / 1000
        return EVERY_S

    async def flush(self, slice_ids: Sequence[str] | None = None) -> None:
        """Settle what waits of these slices now (default: everything); what fails waits on, and the error is the caller's."""
        async with self._lock:
            names = list(self._waiting) if slice_ids is None else slice_ids
            batch = {name: self._waiting.pop(name) for name in names if name in self._waiting}
            if not batch:
                return
            settlements = [Settlement(slice_id, tuple(held.outcomes)) for slice_id, held in batch.items()]
            self._count -= sum(len(held.outcomes) for held in batch.values())
            began = perf_counter()
            try:
                results = await self._ledger.settle(settlements, self._clock.now())
            except BaseException:
                self._put_back(batch)
                raise
        took_ms = (perf_counter() - began) * 1000
        count = sum(settled.moved for settled in results)
        self._emit(LedgerCommitted(self._registry, count=count, took_ms=took_ms))
        for (slice_id, held), settled in zip(batch.items(), results, strict=True):
            self._tell(slice_id, held.outcomes, settled)
            held.told(settled)

    def start(self) -> None:
        """Run beside the sessions."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(
                self._loop.run(), name=f"settler-{self._registry}"
            )

    async def stop(self) -> None:
        """End, and settle what is left."""
        self._loop.stop()
        if self._task is not None:
            await self._task
        await self.flush()

    def _put_back(self, batch: dict[str, Waiting]) -> None:
        for slice_id, held in batch.items():
            later = self._waiting.get(slice_id)
            if later is not None:
                held.outcomes.extend(later.outcomes)
                held.is_whole = held.is_whole or later.is_whole
            self._waiting[slice_id] = held
        self._count = sum(len(held.outcomes) for held in self._waiting.values())

    def _tell(self, slice_id: str, outcomes: Sequence[Outcome], settled: Settled) -> None:
        if settled.moved:
            by_state: dict[str, int] = {}
            for outcome in outcomes:
                by_state[outcome.state.name.lower()] = by_state.get(outcome.state.name.lower(), 0) + 1
            for name, count in by_state.items():
                self._emit(RecordsSettled(self._registry, outcome=name, count=count))
        if settled.moved and settled.job_state in ENDED_JOB_STATES:
            self._emit(
                JobMoved(self._registry, job=slice_id.rpartition(".")[0], state=settled.job_state.value)
            )
