"""Writes the notices of a change: one for every party, in both languages: what changes, from when, old and new hours."""

from collections.abc import Sequence

from domain.policy import Policy
from ledger.values import NoticeDraft
from pratunam.local_time import moment_en, moment_th
from pratunam.policy.changes import Change


def notices_of(
    changes: Sequence[Change], policy: Policy, old: Policy | None, reason: str, effective_at: int
) -> tuple[NoticeDraft, ...]:
    """Return one notice for every party (also those taken out) when anything touches windows or accounts, else none."""
    announced = [change for change in changes if change.announced]
    if not announced:
        return ()
    parties = list(dict.fromkeys([*policy.parties, *(old.parties if old else ())]))
    timezone = next((rules.timezone for rules in policy.registries.values()), "Asia/Bangkok")
    return tuple(_notice(party, announced, reason, effective_at, timezone) for party in parties)


def hold_notices(
    policy: Policy, registry: str, party: str | None, reason: str, *, on: bool, now: int
) -> tuple[NoticeDraft, ...]:
    """Return the notices of a hold (or its end): everyone for a registry, and everyone too for one party's, as the law has it."""
    whom_en = f"party {party}" if party else "everyone"
    whom_th = f"พรรค {party}" if party else "ทุกพรรค"
    verb_en, verb_th = ("held", "ระงับ") if on else ("released", "ปล่อย")
    change = Change(
        registry,
        None,
        f"use of {registry} is {verb_en} for {whom_en}",
        f"{verb_th}การเข้าใช้งาน {registry} สำหรับ{whom_th}",
        announced=True,
    )
    timezone = policy.registries[registry].timezone
    return tuple(_notice(each, [change], reason, now, timezone) for each in policy.parties)


def _notice(
    party: str, changes: Sequence[Change], reason: str, effective_at: int, timezone: str
) -> NoticeDraft:
    mine = [change for change in changes if change.party == party]
    common = [change for change in changes if change.party is None]
    others = {change.party for change in changes} - {party, None}
    body_en, body_th = _lines(mine, common, len(others))
    return NoticeDraft(
        party,
        "policy",
        "Change of access to the registry",
        "แจ้งการเปลี่ยนแปลงการเข้าใช้งานระบบทะเบียน",
        f"From {moment_en(effective_at, timezone)} ({timezone}).\nReason: {reason}\n\n{body_en}\n",
        f"ตั้งแต่{moment_th(effective_at, timezone)}\nเหตุผล: {reason}\n\n{body_th}\n",
    )


def _lines(mine: Sequence[Change], common: Sequence[Change], others: int) -> tuple[str, str]:
    english = [f"- {change.registry}: {change.text_en}" for change in [*mine, *common]]
    thai = [f"- {change.registry}: {change.text_th}" for change in [*mine, *common]]
    if not mine:
        english.append("- Your own accounts and hours stay as they are, except as said above.")
        thai.append("- รหัสผู้ใช้งานและช่วงเวลาของพรรคท่านไม่เปลี่ยนแปลง นอกจากที่แจ้งข้างต้น")
    if others:
        english.append(f"- Accounts or hours of {others} other parties change too.")
        thai.append(f"- มีการเปลี่ยนแปลงรหัสหรือช่วงเวลาของพรรคอื่นอีก {others} พรรค")
    return "\n".join(english), "\n".join(thai)
