"""Makes a policy the one in force: reads it, fetches secrets, writes version, audit line and notices in one transaction."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from os import environ
from zoneinfo import ZoneInfo

import holidays

from domain.errors import Conflict, NotFound
from domain.jobs import By
from domain.policy import Policy, PolicyVersion, RegistryRules
from domain.windows import ClosedRule
from ledger.protocols import Ledger
from ledger.values import PolicyDraft
from pratunam.policy.announce import notices_of
from pratunam.policy.changes import Change, changes_between
from pratunam.policy.faults import PolicyFault
from pratunam.policy.read import read_policy
from pratunam.policy.secrets import fetch_secrets, redacted


@dataclass(frozen=True, slots=True)
class ApplyRequest:
    """What a person asks for. `at` is when it takes effect (None: now); `base` the version that they looked at."""

    document: str
    reason: str
    author: str
    at: int | None = None
    base: int | None = None
    removed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Applied:
    """The version, what it changed, and what `policy check` warns of."""

    version: PolicyVersion
    changes: tuple[Change, ...]
    warnings: tuple[PolicyFault, ...]


async def newest_policy(ledger: Ledger) -> PolicyVersion | None:
    """Return the newest version, whether in force or still to come."""
    history = await ledger.policy_history()
    return history[0] if history else None


async def apply_policy(
    ledger: Ledger, request: ApplyRequest, by: By, now: int, environment: Mapping[str, str] = environ
) -> Applied:
    """Apply a policy; raises BadPolicy (with lines) or Conflict, and then nothing was changed."""
    if not request.reason.strip():
        raise Conflict(
            "A change needs a reason.",
            message_th="ต้องระบุเหตุผล",
            remedy_en="Add --reason TEXT.",
            remedy_th="ระบุ --reason ข้อความ",
        )
    reading = read_policy(request.document)
    effective_at = now if request.at is None else max(request.at, now)
    policy = with_holidays(reading.policy, effective_at)
    old = await newest_policy(ledger)
    before = old.policy if old else None
    changes = changes_between(before, policy)
    known = frozenset((row.registry, row.account) for row in await ledger.accounts())
    draft = PolicyDraft(
        document=redacted(request.document),
        policy=without_plain(policy),
        author=request.author,
        reason=request.reason,
        effective_at=effective_at,
        base=request.base,
        removed=request.removed,
        secrets=fetch_secrets(policy, environment, known=known),
        notices=notices_of(changes, policy, before, request.reason, effective_at),
    )
    return Applied(await ledger.apply_policy(draft, by, now), tuple(changes), reading.warnings)


async def roll_back(
    ledger: Ledger, version: int, reason: str, by: By, now: int, *, removed: frozenset[str] = frozenset()
) -> Applied:
    """Apply an earlier version's document again, as a new version; `removed` may go though it has open jobs."""
    earlier = await ledger.policy_version(version)
    newest = await newest_policy(ledger)
    if newest is None:
        raise NotFound(
            f"There is no version {version}.",
            message_th=f"ไม่มีนโยบายฉบับที่ {version}",
            remedy_en="`pratunam policy history` lists them.",
            remedy_th="ดูรายการด้วย `pratunam policy history`",
        )
    request = ApplyRequest(earlier.document, reason, by.who, base=newest.version, removed=removed)
    return await apply_policy(ledger, request, by, now)


def with_holidays(policy: Policy, now: int) -> Policy:
    """Return the policy with public holidays of this year and the next written out as closed dates."""
    return replace(
        policy, registries={name: _holidays_of(rules, now) for name, rules in policy.registries.items()}
    )


def without_plain(policy: Policy) -> Policy:
    """Return the policy with plain secrets taken out of it."""
    parties = {
        name: replace(
            party,
            accounts=tuple(
                replace(account, secret_ref="plain:***")  # noqa: S106 -- it stands for a secret that is not here
                if account.secret_ref.startswith("plain:")
                else account
                for account in party.accounts
            ),
        )
        for name, party in policy.parties.items()
    }
    return replace(policy, parties=parties)


def _holidays_of(rules: RegistryRules, now: int) -> RegistryRules:
    if not rules.holidays:
        return rules
    return replace(rules, closed=(*rules.closed, *_closed_holidays(rules, now)))


def _closed_holidays(rules: RegistryRules, now: int) -> Iterator[ClosedRule]:
    year = dt.datetime.fromtimestamp(now / 1000, ZoneInfo(rules.timezone)).year
    days = holidays.country_holidays(rules.holidays, years=[year, year + 1])
    taken = {closed.first_date for closed in rules.closed if closed.first_date == closed.last_date}
    for day in sorted(days):
        if day not in taken:
            yield ClosedRule(day, day, reason=str(days[day]))
