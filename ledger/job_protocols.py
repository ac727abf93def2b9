"""What the ledger promises about jobs: taking in, checking, claiming, settling, results.

Verbs only; SQL is behind them (`job_verbs`). Each docstring is the contract.
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
from domain.quota import Lease
from domain.states import JobState
from ledger.values import (
    CheckResult,
    CheckTicket,
    IndexPart,
    StoredOutcomes,
    StoredSlice,
    UnsettledRecord,
)


class Jobs(Protocol):
    """Jobs from receipt to end."""

    async def receive(self, job: NewJob, by: By, now: int, *, most_open: int | None = None) -> Job:
        """Take a job in; the same digest of the same party, while that job is open or finished, is that job.

        Raises Busy where the party has `most_open` open jobs already; nothing is taken in then.
        """
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

    async def stuck_jobs(self, registry: str) -> frozenset[str]:
        """Return the jobs that wait, however far, for one that goes on only when people act: paused, or with doubtful records."""
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
