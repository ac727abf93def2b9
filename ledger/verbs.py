"""All verbs of `ledger.protocols` on one engine: each names the function that does it, and whether it writes or looks."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection

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
from domain.policy import PolicyVersion
from domain.quota import Lease
from domain.states import JobState
from ledger import (
    accounts,
    audit,
    backlog,
    checks,
    generations,
    holds,
    jobs,
    meta,
    notices,
    policy_book,
    reading,
    retention,
    settle,
    work,
)
from ledger.keystore import KeyStore
from ledger.values import (
    AccountRow,
    AuditLine,
    AuditProof,
    CheckResult,
    CheckTicket,
    HoldRow,
    IndexPart,
    NoticeDraft,
    NoticeRow,
    PolicyDraft,
    StoredOutcomes,
    StoredSlice,
    UnsettledRecord,
)

P = ParamSpec("P")
T = TypeVar("T")
K = TypeVar("K")


class LedgerEngine(Protocol):
    """What runs verbs: SQLite here, PostgreSQL later by `run_sync`."""

    async def write(
        self, verb: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a changing verb; committed when this returns."""
        ...

    async def read(
        self, verb: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a looking verb on one snapshot."""
        ...

    async def wipe(self) -> None:
        """Make sure that deleted bytes are gone from the engine's logs."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class SqlLedger:
    """`ledger.protocols.Ledger` over SQL."""

    def __init__(self, engine: LedgerEngine, keys: KeyStore) -> None:
        """Run verbs on `engine`; seal with `keys`, which stay the caller's to close."""
        self.engine = engine
        self._keys = keys
        self._write = engine.write
        self._read = engine.read

    async def close(self) -> None:
        await self.engine.close()

    # --- policy -----------------------------------------------------------------------------------

    async def policy(self, now: int) -> PolicyVersion | None:
        if not await self._read(policy_book.is_enacted, now):
            await self._write(policy_book.enact_due, now)
        return await self._read(policy_book.policy_in_force, now)

    async def policy_version(self, version: int) -> PolicyVersion:
        return await self._read(policy_book.policy_version, version)

    async def policy_history(self) -> Sequence[PolicyVersion]:
        return await self._read(policy_book.policy_history)

    async def apply_policy(self, draft: PolicyDraft, by: By, now: int) -> PolicyVersion:
        return await self._write(policy_book.apply_policy, draft, self._keys, by, now)

    # --- accounts ---------------------------------------------------------------------------------

    async def accounts(self, registry: str | None = None, party: str | None = None) -> Sequence[AccountRow]:
        return await self._read(accounts.read_accounts, registry, party)

    async def secret(self, registry: str, account: str) -> str:
        return await self._read(accounts.read_secret, registry, account, self._keys)

    async def set_aside(
        self,
        registry: str,
        account: str,
        reason: str,
        notices: Sequence[NoticeDraft],
        by: By,
        now: int,
        *,
        suspended: bool = False,
    ) -> bool:
        return await self._write(
            accounts.set_aside, registry, account, reason, notices, by, now, suspended=suspended
        )

    async def rest_accounts(
        self, registry: str, accounts: Sequence[str], reason: str, by: By, now: int
    ) -> None:
        await self._write(_rest, registry, accounts, reason, by, now)

    async def restore_account(self, registry: str, account: str, by: By, now: int) -> None:
        await self._write(accounts.restore_account, registry, account, by, now)

    async def rekey_account(self, registry: str, account: str, secret: str, by: By, now: int) -> None:
        await self._write(accounts.rekey_account, registry, account, secret, self._keys, by, now)

    # --- holds ------------------------------------------------------------------------------------

    async def hold(
        self, registry: str, party: str | None, reason: str, notices: Sequence[NoticeDraft], by: By, now: int
    ) -> None:
        await self._write(holds.hold, registry, party, reason, notices, by, now)

    async def release(
        self, registry: str, party: str | None, reason: str, notices: Sequence[NoticeDraft], by: By, now: int
    ) -> None:
        await self._write(holds.release, registry, party, reason, notices, by, now)

    async def holds(self) -> Sequence[HoldRow]:
        return await self._read(holds.read_holds)

    # --- jobs -------------------------------------------------------------------------------------

    async def receive(self, job: NewJob, by: By, now: int) -> Job:
        return await self._write(jobs.receive, job, by, now)

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

    async def accept(
        self, job: str, slices: Sequence[SliceDraft], invalid: Sequence[InvalidDraft], now: int
    ) -> None:
        del now  # nothing that a check stores carries an instant
        await self._write(checks.accept, job, slices, invalid)

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

    async def unchecked_jobs(self, now: int) -> Sequence[str]:
        return await self._read(checks.unchecked_jobs, now)

    # --- work -------------------------------------------------------------------------------------

    async def backlog(self, registry: str, now: int) -> Sequence[PartyBacklog]:
        return await self._read(backlog.backlog, registry, now)

    async def open_jobs(self, registry: str, now: int) -> Sequence[JobBacklog]:
        return [job for party in await self.backlog(registry, now) for job in party.jobs]

    async def blockers(self, job: str) -> Mapping[str, Sequence[str]]:
        return await self._read(backlog.blockers, job)

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
        return await self._write(work.rescue, registry, live_tokens, now, idempotent=idempotent)

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

    # --- notices, audit, generations --------------------------------------------------------------

    async def notices(self, party: str | None = None, limit: int = 1000) -> Sequence[NoticeRow]:
        return await self._read(notices.read_notices, party, limit)

    async def notice(self, notice: str) -> NoticeRow:
        return await self._read(notices.read_notice, notice)

    async def add_notices(self, notices: Sequence[NoticeDraft], by: By, now: int) -> Sequence[str]:
        return await self._write(_add_notices, notices, by, now)

    async def due_notices(self, now: int) -> Sequence[str]:
        return await self._read(notices.due_notices, now)

    async def delivered(self, notice: str, channel: str, now: int) -> None:
        await self._write(notices.delivered, notice, channel, now)

    async def undelivered(self, notice: str, channel: str, error: str, next_at: int, now: int) -> None:
        del now  # the next try is what counts
        await self._write(notices.undelivered, notice, channel, error, next_at)

    async def audit(self, limit: int = 1000, subject: str | None = None) -> Sequence[AuditLine]:
        return await self._read(audit.read_audit, limit, subject)

    async def verify_audit(self) -> AuditProof:
        return await self._read(audit.verify)

    async def note(self, action: str, subject: str, detail: Mapping[str, object], by: By, now: int) -> None:
        await self._write(audit.note, action, subject, detail, by, now)

    async def begin_generation(self, registry: str, reason: str, by: By, now: int) -> int:
        return await self._write(generations.begin_generation, registry, reason, by, now)

    async def generation(self, registry: str) -> int:
        return await self._read(generations.present_generation, registry)

    async def restored_from_copy(self) -> bool:
        """Say whether this ledger is behind its commit counter: it was put back from a copy, so ask before sending again."""
        return await self._read(meta.is_restored)

    async def forget_restored(self, by: By, now: int) -> None:
        """Leave *ask first* mode, once what may have been sent since the copy has been asked about."""
        await self._write(_forget_restored, by, now)


_add_notices = notices.add_notices
_rest = accounts.rest_accounts


def _forget_restored(connection: Connection, by: By, now: int) -> None:
    meta.forget_restored(connection)
    audit.note(connection, "ledger.restored-settled", "ledger", {}, by, now)


async def _parts(after: K, read: Callable[[K], Awaitable[Sequence[tuple[K, T]]]]) -> AsyncIterator[T]:
    part = await read(after)
    while part:
        for _, one in part:
            yield one
        part = await read(part[-1][0])
