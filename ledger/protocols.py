"""The ledger's verbs, one small protocol a subject; `Ledger` is all of them. One verb per state change; SQL stays behind them.

Every changing verb takes `by` (who, through what) and `now` (ms) last. All are idempotent where a crash could repeat them.
`ledger/sqlite.py` (and later PostgreSQL) keep the promises; `tests/ledger/` holds every engine to them.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

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
from ledger.values import (
    AccountRow,
    AuditLine,
    AuditProof,
    CheckResult,
    CheckTicket,
    HoldRow,
    IndexPart,
    LedgerCounts,
    NoticeDraft,
    NoticeRow,
    PolicyDraft,
    Restored,
    StoredOutcomes,
    StoredSlice,
    UnsettledRecord,
)


class PolicyBook(Protocol):
    """Versions of the registrar's rules."""

    async def policy(self, now: int) -> PolicyVersion | None:
        """Return the version in force at `now` (the newest whose `effective_at` has come), or None for a new home."""
        ...

    async def policy_version(self, version: int) -> PolicyVersion:
        """Return one version; raises NotFound."""
        ...

    async def policy_history(self) -> Sequence[PolicyVersion]:
        """Return all versions, newest first."""
        ...

    async def apply_policy(self, draft: PolicyDraft, by: By, now: int) -> PolicyVersion:
        """Write version, accounts, sealed secrets, audit line and one notice a party in one transaction.

        Raises Conflict when `base` is not the newest, when a party or account with open jobs goes without being in `removed`,
        or when an endpoint or profile changes while records of that registry are unknown.
        """
        ...


class Accounts(Protocol):
    """Accounts as events have left them."""

    async def accounts(self, registry: str | None = None, party: str | None = None) -> Sequence[AccountRow]:
        """Return accounts with their states (withdrawn ones last)."""
        ...

    async def secret(self, registry: str, account: str) -> str:
        """Return an account's secret in clear, for log-in only; raises NotFound."""
        ...

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
        """Take an account out of use until people act (audit line, notices to its party); False when it already was."""
        ...

    async def rest_accounts(
        self, registry: str, accounts: Sequence[str], reason: str, by: By, now: int
    ) -> None:
        """Rest *added* accounts because of load; raises Conflict for a base one."""
        ...

    async def restore_account(self, registry: str, account: str, by: By, now: int) -> None:
        """Bring an account back into use."""
        ...

    async def rekey_account(self, registry: str, account: str, secret: str, by: By, now: int) -> None:
        """Seal a new secret and bring the account back into use."""
        ...


class Holds(Protocol):
    """The registrar's stop button."""

    async def hold(
        self, registry: str, party: str | None, reason: str, notices: Sequence[NoticeDraft], by: By, now: int
    ) -> None:
        """Stop a registry or one party; standing holds stay as they are."""
        ...

    async def release(
        self, registry: str, party: str | None, reason: str, notices: Sequence[NoticeDraft], by: By, now: int
    ) -> None:
        """Let go; nothing happens where nothing is held."""
        ...

    async def holds(self) -> Sequence[HoldRow]:
        """Return the standing holds."""
        ...


class Jobs(Protocol):
    """Jobs from receipt to end."""

    async def receive(self, job: NewJob, by: By, now: int) -> Job:
        """Take a job in; the same digest of the same party, while that job is open or finished, is that job."""
        ...

    async def job(self, job: str) -> Job:
        """Return one job; raises NotFound."""
        ...

    async def jobs(
        self, party: str | None = None, states: frozenset[JobState] | None = None, limit: int = 1000
    ) -> Sequence[Job]:
        """Return jobs, newest first."""
        ...

    async def begin_check(
        self, job: str, now: int, *, attempts: int = 3, lock_ms: int = 60_000
    ) -> CheckTicket | None:
        """Take the right to check a file, drop what a crashed try left, count the attempt; None when it is not due or taken.

        After `attempts` crashed tries the job is refused with a message and None is returned.
        """
        ...

    async def keep_check(self, ticket: CheckTicket, now: int, *, lock_ms: int = 60_000) -> bool:
        """Keep that right alive; False when it is gone (another took over: stop)."""
        ...

    async def begin_index(
        self, party: str, registry: str, job: str, now: int, *, lock_ms: int = 60_000
    ) -> bool:
        """Take the party's index step (one job at a time, in order of taking in); False while another has it."""
        ...

    async def yield_check(self, ticket: CheckTicket, now: int) -> None:
        """Give that right and the attempt back: the checker was asked to stop. Nothing happens when the right is gone."""
        ...

    async def accept(
        self,
        job: str,
        slices: Sequence[SliceDraft],
        invalid: Sequence[InvalidDraft],
        now: int,
        *,
        ticket: CheckTicket | None = None,
    ) -> None:
        """Store some tens of sealed slices and invalid batches; repeating a `seq` replaces it while the job is being checked.

        Raises Conflict when the right of `ticket` is gone.
        """
        ...

    async def finish_check(self, ticket: CheckTicket, result: CheckResult, by: By, now: int) -> Job:
        """End the check: `queued`, `paused` (more invalid rows than allowed), or `finished` (nothing to send)."""
        ...

    async def refuse(self, job: str, fault_en: str, fault_th: str, by: By, now: int) -> Job:
        """Refuse the file as a whole."""
        ...

    async def pause(self, job: str, reason: str, by: By, now: int) -> Job:
        """Stop sending; claimed slices end with their answers."""
        ...

    async def resume(self, job: str, by: By, now: int) -> Job:
        """Go on."""
        ...

    async def cancel(self, job: str, by: By, now: int) -> Job:
        """Pending records of unclaimed slices become unprocessed at once; of claimed ones unknown until their session tells."""
        ...

    async def erase(self, job: str, by: By, now: int) -> Job:
        """Destroy the job's key and contents; raises Conflict while records are pending or unknown."""
        ...

    async def due_for_erasure(self, now: int) -> Sequence[str]:
        """Return jobs whose retention (policy `results_days`) is over."""
        ...

    async def known_jobs(self, names: Sequence[str]) -> frozenset[str]:
        """Return those of these that are jobs here."""
        ...

    async def named_blobs(self, blobs: Sequence[str]) -> frozenset[str]:
        """Return those of these blobs that belong to a job whose contents still stand."""
        ...

    async def unchecked_jobs(self, now: int) -> Sequence[str]:
        """Return jobs received or left by a crashed check: the scheduler rings them again."""
        ...


class Work(Protocol):
    """Slices and outcomes: what sessions do."""

    async def backlog(self, registry: str, now: int) -> Sequence[PartyBacklog]:
        """Return every party that has unsettled records in queued, running or cancelling jobs."""
        ...

    async def claim(self, lease: Lease, now: int) -> ClaimedSlice | None:
        """Claim the party's next slice by `domain.turns.order_jobs`; committed before it returns.

        Fenced by token: a lower one than a slice has seen does not get it. A slice whose blockers (`waits_for`) are unsettled is not
        given. None as well under a hold, for an account out of use, and for a lease of an older generation.
        """
        ...

    async def mark_sent(self, slice_id: str, token: int, upto: int, now: int) -> bool:
        """Commit the watermark "sent up to line `upto` (exclusive)" before a handful goes out; False when the claim is gone."""
        ...

    async def settle(self, settlements: Sequence[Settlement], now: int) -> Sequence[Settled]:
        """Commit outcomes: idempotent, monotone, not fenced; one sealed row a settlement; jobs finish here."""
        ...

    async def give_back(
        self, slice_id: str, token: int, unknown: Sequence[int], now: int, *, not_before: int | None = None
    ) -> None:
        """End a claim: these lines are unknown, every other unsettled one is pending (unprocessed where the job is cancelling)."""
        ...

    async def rescue(self, registry: str, live_tokens: frozenset[int], now: int, *, idempotent: bool) -> int:
        """End claims of leases that are no more: lines that may have been sent become unknown.

        Those are all unsettled ones, or those below the watermark where not idempotent. Returns how many slices came back.
        """
        ...

    async def has_claims(self, registry: str) -> bool:
        """Say whether any slice is in hand, whatever its job's state."""
        ...

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
        """People's answer for an unknown or doubtful record: an outcome, or None = send it again with the same key.

        A finished job whose doubtful record is sent again is queued anew. Raises NotFound, and Conflict for another state.
        """
        ...

    async def unsettled(self, job: str, state: str) -> Sequence[UnsettledRecord]:
        """List records in one state (`unknown`, `doubtful`) of a job."""
        ...

    async def open_jobs(self, registry: str, now: int) -> Sequence[JobBacklog]:
        """Return all open jobs with their backlog, for the forecast."""
        ...

    async def blockers(self, job: str) -> Mapping[str, Sequence[str]]:
        """Return which slices of the job wait, and for which jobs."""
        ...

    def slices(self, job: str) -> AsyncIterator[StoredSlice]:
        """Yield the job's slices in order."""
        ...

    def outcomes(self, job: str) -> AsyncIterator[StoredOutcomes]:
        """Yield settled batches in order of settling."""
        ...

    def invalid(self, job: str) -> AsyncIterator[InvalidDraft]:
        """Yield the batches of invalid rows in order."""
        ...

    def index_parts(self, registry: str, party: str, except_job: str) -> AsyncIterator[IndexPart]:
        """Yield the blind index of the party's slices that have unsettled records, in order of taking in."""
        ...


class Notices(Protocol):
    """What every party was told, and whether it arrived."""

    async def notices(self, party: str | None = None, limit: int = 1000) -> Sequence[NoticeRow]:
        """Return notices, newest first."""
        ...

    async def notice(self, notice: str) -> NoticeRow:
        """Return one; raises NotFound."""
        ...

    async def add_notices(self, notices: Sequence[NoticeDraft], by: By, now: int) -> Sequence[str]:
        """Write notices of their own (a finished job, a set-aside account); returns their ids."""
        ...

    async def due_notices(self, now: int) -> Sequence[str]:
        """Return notices with a channel that is due."""
        ...

    async def delivered(self, notice: str, channel: str, now: int) -> None:
        """Note that a channel has taken it."""
        ...

    async def undelivered(self, notice: str, channel: str, error: str, next_at: int, now: int) -> None:
        """Note a failed try and when the next is due; `error` is a class of failure, never a text from outside."""
        ...


class Audit(Protocol):
    """The chain of who did what and why."""

    async def audit(self, limit: int = 1000, subject: str | None = None) -> Sequence[AuditLine]:
        """Return lines, newest first."""
        ...

    async def verify_audit(self) -> AuditProof:
        """Check the whole chain."""
        ...

    async def note(self, action: str, subject: str, detail: Mapping[str, object], by: By, now: int) -> None:
        """Write a line for something that changes nothing else here."""
        ...


class Generations(Protocol):
    """The gate's generations and the ledger's own commit counter."""

    async def begin_generation(self, registry: str, reason: str, by: By, now: int) -> int:
        """Begin the next generation of a registry's gate."""
        ...

    async def generation(self, registry: str) -> int:
        """Return the present one (0 before the first)."""
        ...

    async def restored_from_copy(self) -> bool:
        """Say whether the ledger is behind its commit counter: it was put back from a copy, so ask before sending again."""
        ...

    async def counts(self) -> LedgerCounts:
        """Count what no event tells, for the boards."""
        ...

    async def restored(self) -> Restored | None:
        """Return what is asked about of a copy that was put back; None where there is nothing of the kind."""
        ...

    async def ask_about_restored(self, by: By, now: int) -> None:
        """See to a ledger that was put back: every unsettled line becomes unknown and new generations begin.

        Until it has ended no slice is given out. Nothing happens where that was done or is not needed; a crash repeats it.
        """
        ...

    async def forget_restored(self, by: By, now: int) -> None:
        """Leave *ask first* mode, once what may have been sent since the copy has been asked about."""
        ...


class Ledger(PolicyBook, Accounts, Holds, Jobs, Work, Notices, Audit, Generations, Protocol):
    """All of it."""

    async def close(self) -> None:
        """Let go of connections; everything promised is already on disk."""
        ...
