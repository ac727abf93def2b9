"""The audit chain: each line's digest covers the line and the digest before it, written in the transaction of the change."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Row, insert, select

from domain.jobs import By
from ledger.locks import lock_chain
from ledger.meta import read_meta, write_meta
from ledger.tables import audit
from ledger.values import AuditLine, AuditProof

#: what stands before the first line
ROOT = "0" * 64
#: who ends jobs and enacts what was scheduled
GATE = By("gate", "ledger")


def note(
    connection: Connection, action: str, subject: str, detail: Mapping[str, object], by: By, now: int
) -> None:
    """Add one line; `detail` holds ids and numbers, never personal data."""
    lock_chain(connection)
    line = int(read_meta(connection, "audit_lines") or 0) + 1
    before = read_meta(connection, "audit_head") or ROOT
    text = _canonical(detail)
    digest = _digest(line, now, by.who, by.through, action, subject, text, before)
    connection.execute(
        insert(audit).values(
            line=line, at=now, who=by.who, through=by.through, action=action, subject=subject, detail=text,
            before=before, digest=digest,
        )
    )  # fmt: skip
    write_meta(connection, "audit_lines", str(line))
    write_meta(connection, "audit_head", digest)


def read_audit(connection: Connection, limit: int, subject: str | None) -> Sequence[AuditLine]:
    """Return lines, newest first."""
    query = select(audit).order_by(audit.c.line.desc()).limit(limit)
    if subject is not None:
        query = query.where(audit.c.subject == subject)
    return [_line(row) for row in connection.execute(query)]


def verify(connection: Connection) -> AuditProof:
    """Walk the whole chain: a changed, missing, moved or cut-off line shows as `broken_at`. Keep `head` elsewhere to prove more."""
    lines, head = 0, ROOT
    for row in connection.execute(select(audit).order_by(audit.c.line)):
        digest = _digest(
            row.line, row.at, row.who, row.through, row.action, row.subject, row.detail, row.before
        )
        if row.line != lines + 1 or row.before != head or row.digest != digest:
            return AuditProof(lines, head, broken_at=lines + 1)
        lines, head = row.line, row.digest
    is_whole = lines == int(read_meta(connection, "audit_lines") or 0) and head == (
        read_meta(connection, "audit_head") or ROOT
    )
    return AuditProof(lines, head, broken_at=None if is_whole else lines + 1)


def _digest(*parts: str | int) -> str:
    return hashlib.sha256(_canonical(parts).encode()).hexdigest()


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _line(row: Row[tuple[object, ...]]) -> AuditLine:
    return AuditLine(
        row.line,
        row.at,
        row.who,
        row.through,
        row.action,
        row.subject,
        json.loads(row.detail),
        row.before,
        row.digest,
    )
