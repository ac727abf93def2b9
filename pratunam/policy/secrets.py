"""Fetches the accounts' secrets when a policy is applied, and keeps plain ones out of what is stored and shown."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from domain.errors import BadPolicy
from domain.policy import AccountRules, Policy

#: stands in a stored document where a plain secret stood: "the sealed one stays"
REDACTED = "plain:***"
_PLAIN = re.compile(r""""plain:(?:\\.|[^"\\\n])*"|'plain:[^'\n]*'""")


def redacted(document: str) -> str:
    """Return the document with every plain secret taken out, for the ledger and for `policy show`.

    Raises BadPolicy for a secret that is written so that it would not be found: nothing half hidden is ever kept.
    """
    text = _PLAIN.sub(f'"{REDACTED}"', document)
    try:
        hidden = not _has_plain(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        hidden = False
    if not hidden:
        raise BadPolicy(
            "A plain secret is written with escapes or over several lines.",
            message_th="รหัสผ่านแบบ plain เขียนด้วยอักขระหลีกหรือหลายบรรทัด",
            remedy_en='Write it on one line, "plain:TEXT", or better use env: or file:; nothing was changed.',
            remedy_th="โปรดเขียนในบรรทัดเดียว หรือใช้ env: หรือ file: ยังไม่มีการเปลี่ยนแปลงใด ๆ",
        )
    return text


def _has_plain(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(_has_plain(each) for each in value.values())
    if isinstance(value, list):
        return any(_has_plain(each) for each in value)
    return isinstance(value, str) and value.startswith("plain:") and value != REDACTED


def fetch_secrets(
    policy: Policy,
    environment: Mapping[str, str] = os.environ,
    *,
    known: frozenset[tuple[str, str]] = frozenset(),
) -> dict[tuple[str, str], str]:
    """Return (registry, account) → secret; an account in `known` may keep its sealed one when its source is away.

    Raises BadPolicy naming each account whose secret is nowhere, never the secret.
    """
    secrets: dict[tuple[str, str], str] = {}
    missing: list[tuple[str, str]] = []
    for party in policy.parties.values():
        for account in party.accounts:
            secret = _fetch(account, environment)
            if secret is not None:
                secrets[account.registry, account.id] = secret
            elif (account.registry, account.id) not in known:
                missing.append(_named(account))
    if missing:
        raise BadPolicy(
            f"No secret for account {', '.join(english for english, _ in missing)}.",
            message_th=f"ไม่พบรหัสผ่านของรหัสผู้ใช้งาน {', '.join(thai for _, thai in missing)}",
            remedy_en="Set the variable, or write the file, and apply again; nothing was changed.",
            remedy_th="โปรดตั้งค่าตัวแปรหรือสร้างไฟล์ แล้วสั่งใหม่ ยังไม่มีการเปลี่ยนแปลงใด ๆ",
        )
    return secrets


def _fetch(account: AccountRules, environment: Mapping[str, str]) -> str | None:
    kind, _, rest = account.secret_ref.partition(":")
    if account.secret_ref == REDACTED:
        return None
    if kind == "env":
        return environment.get(rest)
    if kind == "file":
        path = Path(rest).expanduser()
        try:
            return path.read_text("utf-8").strip() if path.is_file() else None
        except UnicodeDecodeError:
            return None  # whatever that file is, it holds no password that could be sent
    return rest


def _named(account: AccountRules) -> tuple[str, str]:
    """Name an account and where its secret should have been, in English and in Thai."""
    if account.secret_ref.startswith("plain:"):
        return f"{account.id} (its plain text was not kept)", f"{account.id} (ไม่ได้เก็บข้อความ plain ไว้)"
    return (f"{account.id} ({account.secret_ref})",) * 2
