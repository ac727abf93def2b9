"""Sets the stage: the registrar's own configuration and the policy file that says the same, with one window that closes and opens again."""

import datetime as dt
import json
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from pratunam.demo.cast import (
    ACCOUNT_BURST,
    ACCOUNT_RATE,
    PLAYERS,
    REGISTRY,
    REGISTRY_BURST,
    REGISTRY_RATE,
    SESSIONS,
    Player,
)

TIMEZONE = "Asia/Bangkok"


@dataclass(frozen=True, slots=True)
class Intermission:
    """When one party's window closes, and opens again (ms, on whole seconds)."""

    closes_at: int
    opens_at: int


def registrar_toml(intermission: Intermission) -> str:
    """Return the reference registrar's configuration: the same limits, kept by its own buckets, with no allowance."""
    lines = [
        f"[registries.{REGISTRY}]",
        f"rate = {REGISTRY_RATE}",
        f"burst = {REGISTRY_BURST}",
        f"account_rate = {ACCOUNT_RATE}",
        f"account_burst = {ACCOUNT_BURST}",
        f"sessions = {SESSIONS}",
        "service_ms = 10",
        'required = ["operation", "national_id", "member_no"]',
        f"[registries.{REGISTRY}.membership]",
        f"[[registries.{REGISTRY}.rules]]",
        'field = "member_no"',
        'ends_with = "99"',
        'code = "not-found"',
        'message_th = "ไม่พบบุคคลนี้ในทะเบียนราษฎร"',
        'message_en = "No such person in the civil registration."',
    ]
    for player in PLAYERS:
        lines += _registrar_party(player, intermission)
    return "\n".join(lines) + "\n"


def policy_toml(endpoint: str, intermission: Intermission, now: int) -> str:
    """Return the policy file for the gate."""
    lines = [
        "format = 1",
        f"[registry.{REGISTRY}]",
        'profile = "party-members"',
        f'endpoint = "{endpoint}"',
        'shape = "stream"',
        f"rate = {REGISTRY_RATE}",
        f"burst = {REGISTRY_BURST}",
        f"sessions = {SESSIONS}",
        f"account_rate = {ACCOUNT_RATE}",
        f"account_burst = {ACCOUNT_BURST}",
        "answer_timeout_s = 5",
        f'timezone = "{TIMEZONE}"',
        "test_ids = true",
        f"[[registry.{REGISTRY}.window]]",
        'days = "daily"\nfrom = "00:00"\nto = "24:00"',
    ]
    for player in PLAYERS:
        lines += _policy_party(player)
        if player.intermission:
            lines += _policy_windows(player, intermission, now)
    return "\n".join(lines) + "\n"


def environment() -> dict[str, str]:
    """Return the variables in which the accounts' secrets stand."""
    return {
        _variable(player, number): _secret(player, number)
        for player in PLAYERS
        for number in _numbers(player)
    }


def _registrar_party(player: Player, intermission: Intermission) -> list[str]:
    head = f"[registries.{REGISTRY}.parties.{player.party}]"
    accounts = ", ".join(
        f'{{ id = "{player.account(number)}", secret = "{_secret(player, number)}" }}'
        for number in _numbers(player)
    )
    lines = [head, f"accounts = [{accounts}]"]
    if player.intermission:
        lines.append(
            f"windows = [{{ to_at = {intermission.closes_at} }}, {{ from_at = {intermission.opens_at} }}]"
        )
    return lines


def _policy_party(player: Player) -> list[str]:
    lines = [
        f"[party.{player.party}]",
        f"name = {json.dumps(player.name, ensure_ascii=False)}",
        f'name_en = "{player.name_en}"',
    ]
    for number in _numbers(player):
        kind = "base" if number <= player.base else "added"
        lines += [
            f"[[party.{player.party}.account]]",
            f'id = "{player.account(number)}"\nkind = "{kind}"\nsecret = "env:{_variable(player, number)}"',
        ]
    return lines


def _policy_windows(player: Player, intermission: Intermission, now: int) -> list[str]:
    """Write [yesterday … closing) and [opening … the day after tomorrow) as windows of single dates."""
    day_ms = 86_400_000
    spans = _by_day(now - day_ms, intermission.closes_at) + _by_day(intermission.opens_at, now + 2 * day_ms)
    return [
        f'[[party.{player.party}.window]]\ndates = "{date}"\nfrom = "{start}"\nto = "{end}"'
        for date, start, end in spans
    ]


def _by_day(from_at: int, to_at: int) -> list[tuple[str, str, str]]:
    """Cut a stretch at local midnights: a window of single dates cannot end after the next day."""
    zone = ZoneInfo(TIMEZONE)
    start, end = (dt.datetime.fromtimestamp(at // 1000, zone) for at in (from_at, to_at))
    cut: list[tuple[str, str, str]] = []
    while start < end:
        midnight = dt.datetime.combine(start.date() + dt.timedelta(days=1), dt.time(), zone)
        stop = "24:00" if end >= midnight else f"{end:%H:%M:%S}"
        cut.append((f"{start:%Y-%m-%d}", f"{start:%H:%M:%S}", stop))
        start = midnight
    return cut


def _numbers(player: Player) -> range:
    return range(1, player.base + player.added + 1)


def _secret(player: Player, number: int) -> str:
    return f"demo-{player.account(number)}"


def _variable(player: Player, number: int) -> str:
    return f"DEMO_{player.party}_{number:02d}"
