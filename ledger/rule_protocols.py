"""What the ledger promises about rules and people: policy, accounts, holds, notices, audit, generations.

Verbs only; SQL is behind them (`rule_verbs`). Each docstring is the contract.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from domain.jobs import By
from domain.policy import PolicyVersion
from ledger.values import (
    AccountRow,
    AuditLine,
    AuditProof,
    HoldRow,
    LedgerCounts,
    NoticeDraft,
    NoticeRow,
    PolicyDraft,
    Restored,
    Standing,
)


class PolicyBook(Protocol):
    """Versions of the registrar's rules."""

    async def policy(self, now: int) -> PolicyVersion | None:
        """Return the version in force at `now` (the newest whose `effective_at` has come), or None for a new home.

        What was applied to be in force at once is in force for every reader, also for one whose clock shows an earlier instant.
        """
        ...

    async def standing(self, now: int) -> Standing:
        """Return how everything stands that a scheduler asks for over and over, all at one instant but what follows from the policy."""
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
