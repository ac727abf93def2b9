"""What a policy would change, before it is applied: differences, open hours of the next 14 days, and finish times.

Nothing is written; the finish times come from the planner, which runs the scheduler's own decision on a virtual clock.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from domain.policy import Policy, RegistryRules
from domain.windows import Span, open_spans
from ledger.protocols import Ledger
from planner.what_if import FinishTimes, WhatIf, finish_times
from planner.world import RowsOf
from pratunam.local_time import duration_en, moment_en, rfc3339, span_text
from pratunam.outlook import about_ms
from pratunam.policy.apply import newest_policy, with_holidays
from pratunam.policy.changes import Change, changes_between
from pratunam.policy.faults import PolicyFault
from pratunam.policy.read import read_policy

HORIZON_DAYS = 14
_HORIZON_MS = HORIZON_DAYS * 86_400_000


@dataclass(frozen=True, slots=True)
class HoursChange:
    """One party's open hours in one registry over the horizon, before and after."""

    registry: str
    party: str
    timezone: str
    before: tuple[Span, ...]
    after: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What `policy plan` shows; `base` is the version that it was compared with (for `apply --base`), 0 where there is none."""

    base: int
    changes: tuple[Change, ...]
    hours: tuple[HoursChange, ...]
    closed_parties: tuple[str, ...]
    what_if: WhatIf
    warnings: tuple[PolicyFault, ...]
    timezones: Mapping[str, str]
    now: int

    def lines(self) -> list[str]:
        """Return the plan as text."""
        told = [f"Compared with version {self.base}." if self.base else "This home has no policy yet."]
        told += [f"  {each.party or 'everyone'} ({each.registry}): {each.text_en}" for each in self.changes]
        if not self.changes:
            told.append("  nothing changes")
        for hours in self.hours:
            told.append(f"Open hours of {hours.party} in the next {HORIZON_DAYS} days ({hours.registry}):")
            told += [f"  before  {span_text(span, hours.timezone)}" for span in hours.before] or [
                "  before  closed"
            ]
            told += [f"  after   {span_text(span, hours.timezone)}" for span in hours.after] or [
                "  after   closed"
            ]
        if self.closed_parties:
            told.append(f"Closed for all of the {HORIZON_DAYS} days: {', '.join(self.closed_parties)}.")
        told += [self._finish_line(each) for each in self.what_if.finish]
        if self.what_if.unchecked_files:
            told.append(
                f"Counted in these times: {self.what_if.unchecked_files:,} files that are still to be checked,"
                f" as if each of their {self.what_if.unchecked_rows:,} rows were sent."
            )
        told += [f"warning: line {each.line}: {each.name}: {each.message_en}" for each in self.warnings]
        told.append(f"Apply exactly this with: --base {self.base}")
        return told

    def as_json(self) -> dict[str, object]:
        """Return the plan as JSON values."""
        return {
            "base": self.base,
            "changes": [
                {
                    "registry": each.registry,
                    "party": each.party,
                    "text_en": each.text_en,
                    "text_th": each.text_th,
                }
                for each in self.changes
            ],
            "hours": [
                {
                    "registry": each.registry,
                    "party": each.party,
                    "before": [_span(span, each.timezone) for span in each.before],
                    "after": [_span(span, each.timezone) for span in each.after],
                }
                for each in self.hours
            ],
            "closed_parties": list(self.closed_parties),
            "finish": [
                {
                    "registry": each.registry,
                    "party": each.party,
                    "before": self._instant(each.before_at, each.registry),
                    "after": self._instant(each.after_at, each.registry),
                }
                for each in self.what_if.finish
            ],
            "unchecked": {"files": self.what_if.unchecked_files, "rows": self.what_if.unchecked_rows},
            "warnings": [asdict(each) for each in self.warnings],
        }

    def _finish_line(self, finish: FinishTimes) -> str:
        timezone = self.timezones.get(finish.registry, "UTC")

        def told(at: int | None) -> str:
            left = duration_en(about_ms(at - self.now)) if at else ""
            return f"{moment_en(at, timezone)} (in about {left})" if at else "not in sight"

        return f"{finish.party} done ({finish.registry}): before {told(finish.before_at)}, after {told(finish.after_at)}"

    def _instant(self, at: int | None, registry: str) -> str | None:
        return rfc3339(at, self.timezones.get(registry, "UTC")) if at else None


async def plan_policy(ledger: Ledger, document: str, rows_of: RowsOf, now: int) -> Plan:
    """Compare a policy file with the newest version; raises BadPolicy with lines."""
    reading = read_policy(document)
    policy = with_holidays(reading.policy, now)
    newest = await newest_policy(ledger)
    old = newest.policy if newest else None
    hours = tuple(_hours_changes(old, policy, now))
    return Plan(
        base=newest.version if newest else 0,
        changes=tuple(changes_between(old, policy)),
        hours=hours,
        closed_parties=tuple(_closed_parties(policy, now)),
        what_if=await finish_times(ledger, old, policy, rows_of, now),
        warnings=reading.warnings,
        timezones={
            name: rules.timezone
            for each in (old, policy)
            if each is not None
            for name, rules in each.registries.items()
        },
        now=now,
    )


def _hours_changes(old: Policy | None, new: Policy, now: int) -> list[HoursChange]:
    changed: list[HoursChange] = []
    registries = {**(old.registries if old else {}), **new.registries}
    parties = list(dict.fromkeys([*new.parties, *(old.parties if old else ())]))
    for name, rules in registries.items():
        for party in parties:
            after = _spans_if_there(new, name, party, now)
            before = () if old is None else _spans_if_there(old, name, party, now)
            if before != after:
                changed.append(HoursChange(name, party, rules.timezone, before, after))
    return changed


def _closed_parties(policy: Policy, now: int) -> list[str]:
    return [
        party
        for party in policy.parties
        if not any(_spans(policy, rules, party, now) for rules in policy.registries.values())
    ]


def _spans_if_there(policy: Policy, registry: str, party: str, now: int) -> tuple[Span, ...]:
    if registry not in policy.registries or party not in policy.parties:
        return ()
    return _spans(policy, policy.registries[registry], party, now)


def _spans(policy: Policy, rules: RegistryRules, party: str, now: int) -> tuple[Span, ...]:
    windows = policy.windows_of(rules.name, party)
    return tuple(open_spans(windows, rules.closed, rules.timezone, now, now + _HORIZON_MS))


def _span(span: Span, timezone: str) -> dict[str, str]:
    return {"from": rfc3339(span.from_at, timezone), "to": rfc3339(span.to_at, timezone)}
