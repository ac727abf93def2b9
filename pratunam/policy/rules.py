"""What must hold between the lines of a policy file: floors within the rate, names that exist, accounts that are one's own."""

import re
from collections import Counter
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from domain.errors import NotFound
from domain.policy import Policy, RegistryRules
from domain.states import AccountKind
from pratunam.policy.addresses import check_endpoint, check_notice
from pratunam.policy.faults import Faults
from pratunam.policy.locate import Path
from profiles.codes import codes_of

#: letters of an account's id: it is a key of the gate's Redis, a label of metrics, a word of commands
_LONGEST = 64
_TOO_SMALL = (
    "a bucket of less than one record lets nothing through",
    "burst ที่น้อยกว่าหนึ่งรายการส่งอะไรไม่ได้เลย ต้องไม่น้อยกว่า 1",
)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def check_rules(policy: Policy, faults: Faults) -> None:
    """Note every fault and warning that no single line shows."""
    for registry in policy.registries.values():
        _check_registry(policy, registry, faults)
    _check_parties(policy, faults)
    check_notice(policy.notice, faults)
    if not policy.registries and not faults.faults:
        faults.add(["registry"], "name at least one registry", "ต้องมีระบบทะเบียนอย่างน้อยหนึ่งระบบ")


def _check_registry(policy: Policy, rules: RegistryRules, faults: Faults) -> None:
    path: Path = ["registry", rules.name]
    _check_names(rules, path, faults)
    check_endpoint(rules, path, faults)
    _check_rates(policy, rules, path, faults)
    for index, window in enumerate(rules.windows):
        for party in window.parties:
            if party not in policy.parties:
                faults.warn(
                    [*path, "window", index],
                    f"no party `{party}` in this file: this window opens nothing for it",
                    f"ไม่มีพรรค `{party}` ในไฟล์นี้ ช่วงเวลานี้จึงไม่มีผล",
                )
    if not rules.windows and not any(party.windows.get(rules.name) for party in policy.parties.values()):
        faults.warn(
            path,
            "no window at all means closed: nothing will be sent",
            "ไม่มีช่วงเวลาเลย หมายถึงปิด จะไม่ส่งข้อมูลใด ๆ",
        )


def _check_names(rules: RegistryRules, path: Path, faults: Faults) -> None:
    if _ID.fullmatch(rules.name) is None:
        faults.add(
            path, "a registry's name is letters, digits, - and _", "ชื่อระบบทะเบียนใช้ตัวอักษร ตัวเลข - และ _"
        )
    try:
        codes_of(rules.profile)
    except NotFound as error:
        faults.add([*path, "profile"], error.message_en, error.message_th)
    try:
        ZoneInfo(rules.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        faults.add(
            [*path, "timezone"],
            f"no time zone `{rules.timezone}`; for Thailand: Asia/Bangkok",
            f"ไม่รู้จักเขตเวลา `{rules.timezone}` สำหรับประเทศไทยใช้ Asia/Bangkok",
        )
    if rules.holidays and rules.holidays not in holidays.list_supported_countries():
        faults.add(
            [*path, "holidays"],
            f"no calendar `{rules.holidays}`; for Thailand: TH",
            f"ไม่รู้จักปฏิทินวันหยุด `{rules.holidays}` สำหรับประเทศไทยใช้ TH",
        )


def _check_rates(policy: Policy, rules: RegistryRules, path: Path, faults: Faults) -> None:
    floors = sum(party.limits_of(rules.name).floor for party in policy.parties.values())
    if floors > rules.rate > 0:
        faults.add(
            [*path, "rate"],
            f"all floors together ({floors:g}/s) are above the registry's rate ({rules.rate:g}/s)",
            f"อัตราขั้นต่ำรวม ({floors:g}/วินาที) สูงกว่าอัตราของระบบ ({rules.rate:g}/วินาที)",
        )
    for name, rate, burst in (
        ("burst", rules.rate, rules.burst),
        ("account_burst", rules.account_rate, rules.account_burst),
    ):
        if rate > 0 and burst < 1:
            faults.add(
                [*path, name],
                *_TOO_SMALL,
            )
    if rules.shape == "batch" and rules.batch > max(1, rules.burst // 2):
        faults.warn(
            [*path, "batch"],
            f"a batch of {rules.batch} would wait for more than half a burst; requests go out smaller",
            f"ชุดละ {rules.batch} รายการใหญ่กว่าครึ่งหนึ่งของ burst ระบบจะส่งเป็นชุดเล็กลง",
        )


def _check_parties(policy: Policy, faults: Faults) -> None:
    seen = Counter(
        (account.registry, account.id) for party in policy.parties.values() for account in party.accounts
    )
    for party in policy.parties.values():
        path: Path = ["party", party.id]
        if _ID.fullmatch(party.id) is None:
            faults.add(path, "a party's id is letters, digits, - and _", "รหัสพรรคใช้ตัวอักษร ตัวเลข - และ _")
        for index, account in enumerate(party.accounts):
            at: Path = [*path, "account", index]
            if not 0 < len(account.id) <= _LONGEST or not account.id.isprintable() or " " in account.id:
                faults.add(
                    [*at, "id"],
                    f"an account's id is 1 to {_LONGEST} letters, digits and signs, without blanks",
                    f"รหัสผู้ใช้งานต้องยาว 1 ถึง {_LONGEST} ตัวอักษร และไม่มีช่องว่าง",
                )
            if seen[account.registry, account.id] > 1:
                faults.add(
                    [*at, "id"], f"account `{account.id}` stands here twice", f"รหัสผู้ใช้งาน `{account.id}` ซ้ำ"
                )
            _check_secret(account.secret_ref, [*at, "secret"], faults)
        if not any(account.kind is AccountKind.BASE for account in party.accounts):
            faults.warn(
                path, "this party has no base account: its jobs will wait", "พรรคนี้ไม่มีรหัสผู้ใช้งานพื้นฐาน งานจะรอ"
            )
        for registry, limits in party.limits.items():
            if limits.rate is not None and limits.floor > limits.rate:
                faults.add(
                    [*path, "floor"], "the floor is above the party's own rate", "อัตราขั้นต่ำสูงกว่าอัตราของพรรค"
                )
            if (
                registry in policy.registries
                and limits.rate is not None
                and limits.burst == 0
                and limits.rate > 0
            ):
                faults.add(
                    [*path, "burst"],
                    *_TOO_SMALL,
                )


def _check_secret(ref: str, path: Path, faults: Faults) -> None:
    kind, _, rest = ref.partition(":")
    if kind not in {"env", "file", "plain"} or not rest:
        faults.add(
            path,
            "a secret is env:NAME, file:PATH or plain:TEXT",
            "รหัสผ่านต้องเป็น env:NAME, file:PATH หรือ plain:TEXT",
        )
    elif kind == "plain":
        faults.warn(
            path,
            "the secret stands in the file in clear; use env: or file:",
            "รหัสผ่านอยู่ในไฟล์โดยไม่ได้เข้ารหัส โปรดใช้ env: หรือ file:",
        )
