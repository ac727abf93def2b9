"""Verbs of jobs, slices and outcomes: each names the function that does it, and whether it writes or looks."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from domain.jobs import (
    By,
    ClaimedSlice,
    InvalidDraft,
    Job,
    JobBacklog,
    NewJob,
    Outcome,
    PartyBacklog,
    Settled,
    Settlement,
    SliceDraft,
)
from domain.quota import Lease
from domain.states import JobState
from ledger import backlog, checks, drafts, jobs, reading, retention, settle, work
from ledger.engine import OnEngine
from ledger.values import CheckResult, CheckTicket, IndexPart, StoredOutcomes, StoredSlice, UnsettledRecord

T = TypeVar("T")
K = TypeVar("K")


class JobVerbs(OnEngine):
    """`Jobs` and `Work` of `ledger.protocols`."""

    # --- jobs -------------------------------------------------------------------------------------

    async def receive(self, job: NewJob, by: By, now: int, *, most_open: int | None = None) -> Job:
        return await self._write(jobs.receive, job, by, now, most_open=most_open)

    async def job(self, job: str) -> Job:
        return await self._read(jobs.read_job, job)

    async def jobs(
        self, party: str | None = None, states: frozenset[JobState] | None = None, limit: int = 1000
    ) -> Sequence[Job]:
        return await self._read(jobs.read_jobs, party, states, limit)

    async def begin_check(
        self, job: str, now: int, *, attempts: int = 3, lock_ms: int = 60_000
    ) -> CheckTicket | None:
        while await self._write(checks.drop_crashed, job, now):
            pass
        return await self._write(checks.begin_check, job, now, attempts=attempts, lock_ms=lock_ms)

    async def keep_check(self, ticket: CheckTicket, now: int, *, lock_ms: int = 60_000) -> bool:
        return await self._write(checks.keep_check, ticket, now, lock_ms=lock_ms)

    async def begin_index(
        self, party: str, registry: str, job: str, now: int, *, lock_ms: int = 60_000
    ) -> bool:
        return await self._write(checks.begin_index, party, registry, job, now, lock_ms=lock_ms)

    async def yield_check(self, ticket: CheckTicket, now: int) -> None:
        del now  # whoever comes next may begin at once
        await self._write(checks.yield_check, ticket)

    async def accept(
        self,
        job: str,
        slices: Sequence[SliceDraft],
        invalid: Sequence[InvalidDraft],
        now: int,
        *,
        ticket: CheckTicket | None = None,
    ) -> None:
        del now  # nothing that a check stores carries an instant
        await self._write(drafts.accept, job, slices, invalid, ticket)

    async def finish_check(self, ticket: CheckTicket, result: CheckResult, by: By, now: int) -> Job:
        return await self._write(checks.finish_check, ticket, result, by, now)

    async def refuse(self, job: str, fault_en: str, fault_th: str, by: By, now: int) -> Job:
        while await self._write(checks.drop_cancelled, job):
            pass
        return await self._write(checks.refuse, job, fault_en, fault_th, by, now)

    async def pause(self, job: str, reason: str, by: By, now: int) -> Job:
        return await self._write(jobs.pause, job, reason, by, now)

    async def resume(self, job: str, by: By, now: int) -> Job:
        return await self._write(jobs.resume, job, by, now)

    async def cancel(self, job: str, by: By, now: int) -> Job:
        while await self._write(checks.drop_cancelled, job):
            pass
        if await self._write(checks.cancel_check, job, by, now):
            return await self.job(job)
        return await self._write(jobs.cancel, job, by, now)

    async def erase(self, job: str, by: By, now: int) -> Job:
        """Also what a crash cut short; the caller then deletes the job's blob from the spool."""
        await self._write(retention.mark_erased, job, by, now)
        self._keys.destroy(job)
        while await self._write(retention.wipe_some, job):
            pass
        await self.engine.wipe()
        await self._write(retention.mark_shredded, job)
        return await self.job(job)

    async def due_for_erasure(self, now: int) -> Sequence[str]:
        return await self._read(retention.due_for_erasure, now)

    async def known_jobs(self, names: Sequence[str]) -> frozenset[str]:
        return await self._read(retention.known_jobs, names)

    async def named_blobs(self, blobs: Sequence[str]) -> frozenset[str]:
        return await self._read(retention.named_blobs, blobs)

    # --- work -------------------------------------------------------------------------------------

    async def backlog(self, registry: str, now: int) -> Sequence[PartyBacklog]:
        return await self._read(backlog.backlog, registry, now)

    async def open_jobs(self, registry: str, now: int) -> Sequence[JobBacklog]:
        return [job for party in await self.backlog(registry, now) for job in party.jobs]

    async def blockers(self, job: str) -> Mapping[str, Sequence[str]]:
        return await self._read(backlog.blockers, job)

    async def stuck_jobs(self, registry: str) -> frozenset[str]:
        return await self._read(backlog.stuck_jobs, registry)

    async def claim(self, lease: Lease, now: int) -> ClaimedSlice | None:
        return await self._write(work.claim, lease, now)

    async def mark_sent(self, slice_id: str, token: int, upto: int, now: int) -> bool:
        del now  # the watermark carries no instant
        return await self._write(work.mark_sent, slice_id, token, upto)

    async def settle(self, settlements: Sequence[Settlement], now: int) -> Sequence[Settled]:
        return await self._write(settle.settle, settlements, self._keys, now)

    async def give_back(
        self, slice_id: str, token: int, unknown: Sequence[int], now: int, *, not_before: int | None = None
    ) -> None:
        await self._write(work.give_back, slice_id, token, unknown, now, not_before=not_before)

    async def rescue(self, registry: str, live_tokens: frozenset[int], now: int, *, idempotent: bool) -> int:
        # asked once a second, and most often nobody is lost: then no transaction is begun that must wait its turn and be synced
        if not await self._read(work.is_any_lost, registry, live_tokens):
            return 0
        return await self._write(work.rescue, registry, live_tokens, now, idempotent=idempotent)

    async def has_claims(self, registry: str) -> bool:
        return await self._read(work.has_claims, registry)

    async def resolve(
        self,
        job: str,
        slice_id: str,
        line: int,
        outcome: Outcome | None,
        by: By,
        now: int,
        *,
        reason: str = "",
    ) -> Job:
        await self._write(settle.resolve, job, slice_id, line, outcome, reason, self._keys, by, now)
        return await self.job(job)

    async def unsettled(self, job: str, state: str) -> Sequence[UnsettledRecord]:
        return await self._read(reading.unsettled, job, state)

    async def slices(self, job: str) -> AsyncIterator[StoredSlice]:
        async for one in _parts(-1, lambda after: self._read(reading.slices_after, job, after)):
            yield one

    async def outcomes(self, job: str) -> AsyncIterator[StoredOutcomes]:
        async for one in _parts(0, lambda after: self._read(reading.outcomes_after, job, after)):
            yield one

    async def invalid(self, job: str) -> AsyncIterator[InvalidDraft]:
        async for one in _parts(-1, lambda after: self._read(reading.invalid_after, job, after)):
            yield one

    async def index_parts(self, registry: str, party: str, except_job: str) -> AsyncIterator[IndexPart]:
        async for one in _parts(
            (0, -1), lambda after: self._read(reading.index_after, registry, party, except_job, after)
        ):
            yield one


async def _parts(after: K, read: Callable[[K], Awaitable[Sequence[tuple[K, T]]]]) -> AsyncIterator[T]:
    part = await read(after)
    while part:
        for _, one in part:
            yield one
        part = await read(part[-1][0])
