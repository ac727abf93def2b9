"""Settling: outcomes of all sessions of one process go to the ledger together, a sealed row for each slice that is ripe.

A slice is ripe when its last line is answered, when its outcomes are many, or when the oldest has waited long enough. What a crash
loses is known to the registrar: it is sent again with the same key, or asked about, so the wait is short where that costs a question.
Settling is idempotent and not fenced, so whatever fails is tried again; an answer of an old holder is still a fact. A slice that the
ledger refuses while it takes others is tried by itself from then on, ever more seldom, and holds up nobody.
It must not decide what an answer means.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from domain.clock import Clock
from domain.errors import Busy
from domain.events import Emit, JobMoved, LedgerCommitted, LoopFailed, RecordsSettled
from domain.jobs import Outcome, Settled, Settlement
from domain.loop import Loop
from domain.states import ENDED_JOB_STATES
from ledger.protocols import Ledger

#: between two looks (s), half as long as outcomes wait or less: each settles what came since, in a transaction of its own
EVERY_S = 0.4
#: how long an outcome waits for others of its slice (ms); the shorter one where keys do not protect from a second effect
RIPE_MS = 1_000
RIPE_SOON_MS = 100
#: outcomes of one slice that are settled without waiting for the time
ENOUGH = 100
#: outcomes beyond which sessions stop sending until the ledger has caught up
TOO_MANY = 5_000

#: a slice that was refused is tried again after so long (ms), then twice as long, and so on up to a minute
REFUSED_MS, REFUSED_MOST_MS = 1_000, 60_000

Told = Callable[[Settled], None]


@dataclass(slots=True)
class Waiting:
    """Outcomes of one slice that wait to be settled, since when (monotonic ms), and who hears what the ledger made of them."""

    told: Told
    since: int
    outcomes: list[Outcome] = field(default_factory=list)
    is_whole: bool = False
    #: how often the ledger refused this slice by itself, and when it is tried again (monotonic ms)
    refused: int = 0
    again_at: int = 0

    def is_ripe(self, now: int, ripe_ms: int) -> bool:
        """Say whether these outcomes wait no longer."""
        if self.refused:
            return self.again_at <= now
        return self.is_whole or self.since <= now - ripe_ms or len(self.outcomes) >= ENOUGH

    def take(self, outcomes: Sequence[Outcome]) -> None:
        """Take more; a refused slice is sent again and answered alike, over and over: that is kept once."""
        known = {(one.line, one.state) for one in self.outcomes} if self.refused else frozenset()
        self.outcomes.extend(one for one in outcomes if (one.line, one.state) not in known)


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

    def put(self, slice_id: str, outcomes: Sequence[Outcome], told: Told, *, is_whole: bool = False) -> None:
        """Take outcomes of one slice; `told` hears what the ledger made of them. `is_whole`: no more will come of this slice."""
        held = self._waiting.get(slice_id)
        if held is None:
            held = self._waiting[slice_id] = Waiting(told, self._clock.monotonic())
        held.take(outcomes)
        held.is_whole = held.is_whole or is_whole
        if not held.refused:
            self._count += len(outcomes)

    def is_behind(self) -> bool:
        """Say whether the ledger has so much to catch up that nothing more should be sent."""
        return self._count > TOO_MANY

    async def run_once(self) -> float:
        """Settle what is ripe; returns the seconds until the next look."""
        now = self._clock.monotonic()
        ripe = [name for name, held in self._waiting.items() if held.is_ripe(now, self.ripe_ms)]
        try:
            refused = await self._settle(ripe)
        except Busy as busy:
            return busy.retry_after_ms / 1000
        if refused is not None:
            self._emit(LoopFailed(self._registry, loop="settle", error=type(refused).__name__))
        return min(EVERY_S, 2 * self.ripe_ms / 1000)

    async def flush(self, slice_ids: Sequence[str] | None = None) -> None:
        """Settle what waits of these slices now (default: everything); what fails waits on, and the error is the caller's."""
        refused = await self._settle(list(self._waiting) if slice_ids is None else slice_ids)
        if refused is not None:
            raise refused

    async def _settle(self, slice_ids: Sequence[str]) -> Exception | None:
        """Settle these together, and those by themselves that were refused before; returns what one that was refused met.

        Raises what all met: then it is the ledger that has no time, or is ill.
        """
        async with self._lock:
            # each once: a session may have had the same slice in hand twice, and names it as often
            here = [name for name in dict.fromkeys(slice_ids) if name in self._waiting]
            together = [name for name in here if not self._waiting[name].refused]
            apart = [name for name in here if self._waiting[name].refused]
            refused: Exception | None = None
            try:
                await self._commit(together)
            except Busy:
                raise
            except Exception as error:
                if len(together) < 2:
                    raise
                refused = await self._one_by_one(together, error)
            for name in apart:
                refused = await self._alone(name) or refused
            return refused

    async def _one_by_one(self, names: Sequence[str], error: Exception) -> Exception | None:
        """Find out which of a batch is refused; where none is taken, none of them is to blame, and the batch's error is raised."""
        failed = [name for name in names if await self._fails(name)]
        if len(failed) == len(names):
            raise error
        for name in failed:
            self._refuse(name)
        return error if failed else None

    async def _fails(self, name: str) -> bool:
        try:
            await self._commit([name])
        except Busy:
            raise
        except Exception:  # noqa: BLE001 - what the batch met is told; a slice's own error says no more
            return True
        return False

    async def _alone(self, name: str) -> Exception | None:
        try:
            await self._commit([name])
        except Busy:
            raise
        except Exception as error:  # noqa: BLE001 - it is returned
            self._refuse(name)
            return error
        return None

    def _refuse(self, name: str) -> None:
        held = self._waiting[name]
        pause_ms = min(REFUSED_MS << min(held.refused, 10), REFUSED_MOST_MS)
        held.refused += 1
        held.again_at = self._clock.monotonic() + pause_ms
        self._recount()

    async def _commit(self, names: Sequence[str]) -> None:
        """Settle these in one transaction; put back what was not."""
        batch = {name: self._waiting.pop(name) for name in names}
        if not batch:
            return
        settlements = [Settlement(slice_id, tuple(held.outcomes)) for slice_id, held in batch.items()]
        self._recount()
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
        self._loop.start()

    async def stop(self) -> None:
        """End, and settle what is left."""
        await self._loop.stop()
        await self.flush()

    def _put_back(self, batch: dict[str, Waiting]) -> None:
        for slice_id, held in batch.items():
            later = self._waiting.get(slice_id)
            if later is not None:
                held.take(later.outcomes)
                held.is_whole = held.is_whole or later.is_whole
            self._waiting[slice_id] = held
        self._recount()

    def _recount(self) -> None:
        """Count what is to be caught up with; refused slices hold up nobody."""
        self._count = sum(len(held.outcomes) for held in self._waiting.values() if not held.refused)

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
