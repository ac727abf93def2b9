"""Addresses in a policy file: the registrar's endpoint, the mail server, the webhook. Looks at their form only, never connects."""

import ipaddress
from urllib.parse import SplitResult, urlsplit

from domain.policy import NoticeRules, RegistryRules
from pratunam.policy.faults import Faults
from pratunam.policy.locate import Path


def is_loopback(endpoint: str) -> bool:
    """Say whether an endpoint is on this machine."""
    parts = _parts(endpoint)
    host = (parts.hostname if parts else None) or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_endpoint(rules: RegistryRules, path: Path, faults: Faults) -> None:
    """Note what is wrong with a registry's endpoint."""
    parts = _parts(rules.endpoint)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        faults.add(
            [*path, "endpoint"],
            "an endpoint begins with https:// and names a host",
            "endpoint ต้องขึ้นต้นด้วย https:// และมีชื่อเครื่อง",
        )
        return
    if parts.username or parts.password or parts.query:
        faults.add(
            [*path, "endpoint"],
            "an endpoint carries no password and no query",
            "endpoint ต้องไม่มีรหัสผ่านหรือพารามิเตอร์",
        )
    if rules.test_ids and not is_loopback(rules.endpoint):
        faults.add(
            [*path, "test_ids"],
            "test IDs are for a registrar on this machine only",
            "รหัสทดสอบใช้ได้เฉพาะเครื่องนี้เท่านั้น",
        )
    if parts.scheme == "http" and not is_loopback(rules.endpoint):
        faults.warn(
            [*path, "endpoint"],
            "members' data would travel unprotected: use https",
            "ข้อมูลสมาชิกจะไม่ถูกเข้ารหัส โปรดใช้ https",
        )


def check_notice(notice: NoticeRules, faults: Faults) -> None:
    """Note what is wrong with the addresses that notices go to."""
    _check_address(notice.smtp, "smtp", ("smtp", "smtps"), faults)
    _check_address(notice.webhook, "webhook", ("https", "http"), faults)


def _check_address(address: str, name: str, schemes: tuple[str, str], faults: Faults) -> None:
    parts = _parts(address)
    if address and (parts is None or parts.scheme not in schemes or not parts.hostname):
        faults.add(
            ["notice", name],
            f"begins with {schemes[0]}:// or {schemes[1]}:// and names a host",
            f"ต้องขึ้นต้นด้วย {schemes[0]}:// หรือ {schemes[1]}:// และมีชื่อเครื่อง",
        )


def _parts(address: str) -> SplitResult | None:
    """Split an address; None for one that is none (brackets, a port that is no number)."""
    try:
        parts = urlsplit(address)
        return parts if parts.port is None or parts.port > 0 else None
    except ValueError:
        return None
