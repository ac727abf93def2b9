"""Verbs of the registrar's rules and of what people are told: each names the function that does it, and whether it writes or looks."""

from collections.abc import Mapping, Sequence

from domain.jobs import By
from domain.policy import PolicyVersion
from ledger import accounts, audit, counts, generations, holds, meta, notices, policy_book, restored, standing
from ledger.engine import OnEngine
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


class RuleVerbs(OnEngine):
    """`PolicyBook`, `Accounts`, `Holds`, `Notices`, `Audit` and `Generations` of `ledger.protocols`."""

    # --- policy -----------------------------------------------------------------------------------

    async def policy(self, now: int) -> PolicyVersion | None:
        return await self._in_force_now(await self._read(policy_book.which_is_in_force, now), now)

    async def standing(self, now: int) -> Standing:
        which, held, unchecked, due = await self._read(standing.look, now)
        return Standing(await self._in_force_now(which, now), held, unchecked, due)

    async def _in_force_now(self, which: tuple[int, bool] | None, now: int) -> PolicyVersion | None:
        if which is None:
            return None
        version, is_enacted = which
        if not is_enacted:
            await self._write(policy_book.enact_due, now)
        # a version never changes, so it is read and decoded once
        if self._in_force is None or self._in_force.version != version:
            self._in_force = await self._read(policy_book.policy_in_force, now)
        return self._in_force

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

    # --- notices, audit, generations --------------------------------------------------------------

    async def notices(self, party: str | None = None, limit: int = 1000) -> Sequence[NoticeRow]:
        return await self._read(notices.read_notices, party, limit)

    async def notice(self, notice: str) -> NoticeRow:
        return await self._read(notices.read_notice, notice)

    async def add_notices(self, notices: Sequence[NoticeDraft], by: By, now: int) -> Sequence[str]:
        return await self._write(_add_notices, notices, by, now)

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

    async def counts(self) -> LedgerCounts:
        return await self._read(counts.counts)

    async def restored(self) -> Restored | None:
        return await self._read(restored.restored)

    async def ask_about_restored(self, by: By, now: int) -> None:
        place: restored.Place | None = (0, -1)
        while place is not None:
            place = await self._write(restored.doubt_some, place, now)
        await self._write(restored.begin_asking, by, now)

    async def forget_restored(self, by: By, now: int) -> None:
        """Leave *ask first* mode, once what may have been sent since the copy has been asked about."""
        await self._write(restored.forget, by, now)


# the verbs' own parameters bear the names of these modules
_add_notices = notices.add_notices
_rest = accounts.rest_accounts
