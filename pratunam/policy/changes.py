"""What differs between two policies, party by party, in words: the heart of `plan` and of every notice."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from domain.policy import PartyRules, Policy, RegistryRules
from domain.states import AccountKind
from domain.windows import ClosedRule, WindowRule
from pratunam.local_time import hours_text

#: settings of a registry that a person reads as one number or word
_PLAIN = frozenset({"name", "windows", "closed", "brake", "holidays", "deadline_at"})


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `party` None concerns everyone; `announced` ones touch windows or accounts: every party is told."""

    registry: str
    party: str | None
    text_en: str
    text_th: str
    announced: bool


def changes_between(old: Policy | None, new: Policy) -> list[Change]:
    """Return every difference, registries first, then parties in the file's order."""
    before = old or Policy({}, {})
    found: list[Change] = []
    for name in [*new.registries, *(gone for gone in before.registries if gone not in new.registries)]:
        found.extend(_registry_changes(name, before.registries.get(name), new.registries.get(name)))
    for name in [*new.parties, *(gone for gone in before.parties if gone not in new.parties)]:
        found.extend(_party_changes(name, before, new))
    return found


def _registry_changes(name: str, old: RegistryRules | None, new: RegistryRules | None) -> Iterator[Change]:
    if new is None:
        yield Change(name, None, f"registry {name} is taken out", f"ยกเลิกระบบทะเบียน {name}", announced=True)
        return
    if old is None:
        yield Change(name, None, f"registry {name} is added", f"เพิ่มระบบทะเบียน {name}", announced=True)
    else:
        for field in fields(RegistryRules):
            was, now = getattr(old, field.name), getattr(new, field.name)
            if field.name not in _PLAIN and was != now:
                yield Change(
                    name,
                    None,
                    f"{field.name}: {was} → {now}",
                    f"{field.name}: {was} → {now}",
                    announced=False,
                )
    old_windows = old.windows if old else ()
    if old_windows != new.windows:
        yield _hours_change(name, None, old_windows, new.windows)
    if (old.closed if old else ()) != new.closed:
        was, now = _closed_text(old.closed if old else ()), _closed_text(new.closed)
        yield Change(name, None, f"closed dates: {was} → {now}", f"วันปิดระบบ: {was} → {now}", announced=True)


def _party_changes(name: str, before: Policy, after: Policy) -> Iterator[Change]:
    old, new = before.parties.get(name), after.parties.get(name)
    for registry in sorted({*before.registries, *after.registries}):
        if new is None:
            yield Change(registry, name, f"party {name} is taken out", f"ยกเลิกพรรค {name}", announced=True)
            continue
        yield from _account_changes(registry, name, old, new)
        was, now = (old.limits_of(registry) if old else None), new.limits_of(registry)
        if was is not None and was != now:
            yield Change(
                registry,
                name,
                f"limits: {_limits(was)} → {_limits(now)}",
                f"อัตรา: {_limits(was)} → {_limits(now)}",
                announced=False,
            )
        old_windows = old.windows.get(registry, ()) if old else ()
        if old_windows != new.windows.get(registry, ()):
            yield _hours_change(registry, name, old_windows, new.windows.get(registry, ()))


def _account_changes(registry: str, party: str, old: PartyRules | None, new: PartyRules) -> Iterator[Change]:
    was = {account.id: account.kind for account in old.accounts_of(registry)} if old else {}
    now = {account.id: account.kind for account in new.accounts_of(registry)}
    for account in [*now, *(gone for gone in was if gone not in now)]:
        if account not in was:
            yield Change(
                registry,
                party,
                f"account {account} ({now[account].value}) is added",
                f"เพิ่มรหัสผู้ใช้งาน {account}{_kind_th(now[account])}",
                announced=True,
            )
        elif account not in now:
            yield Change(
                registry,
                party,
                f"account {account} ({was[account].value}) is withdrawn",
                f"ปรับลดรหัสผู้ใช้งาน {account}{_kind_th(was[account])}",
                announced=True,
            )
        elif was[account] is not now[account]:
            yield Change(
                registry,
                party,
                f"account {account}: {was[account].value} → {now[account].value}",
                f"รหัสผู้ใช้งาน {account} เปลี่ยนประเภท",
                announced=True,
            )


def _kind_th(kind: AccountKind) -> str:
    return " (พื้นฐาน)" if kind is AccountKind.BASE else " (ส่วนที่เพิ่มขึ้น)"


def _hours_change(
    registry: str, party: str | None, old: tuple[WindowRule, ...], new: tuple[WindowRule, ...]
) -> Change:
    none_en, none_th = ("as everyone", "ตามช่วงเวลาทั่วไป") if party else ("closed", "ปิด")
    was_en, now_en = (_hours(rules, none_en, thai=False) for rules in (old, new))
    was_th, now_th = (_hours(rules, none_th, thai=True) for rules in (old, new))
    return Change(
        registry,
        party,
        f"hours: {was_en} → {now_en}",
        f"ช่วงเวลาเข้าใช้งาน: {was_th} → {now_th}",
        announced=True,
    )


def _hours(rules: tuple[WindowRule, ...], none: str, *, thai: bool) -> str:
    def told(rule: WindowRule) -> str:
        whom = f" ({', '.join(rule.parties)})" if rule.parties else ""
        return hours_text(rule, thai=thai) + whom

    return "; ".join(told(rule) for rule in rules) or none


def _closed_text(rules: tuple[ClosedRule, ...]) -> str:
    def told(rule: ClosedRule) -> str:
        days = (
            f"{rule.first_date}"
            if rule.first_date == rule.last_date
            else f"{rule.first_date}–{rule.last_date}"
        )
        return f"{days} ({rule.reason})" if rule.reason else days

    return ", ".join(told(rule) for rule in rules) or "–"


def _limits(limits: object) -> str:
    told = ((name, getattr(limits, name)) for name in ("weight", "floor", "rate", "burst"))
    return ", ".join(f"{name} {value:g}" for name, value in told if value is not None)
