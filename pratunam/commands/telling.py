"""`pratunam notices` and `audit`: what was told to whom and whether it arrived; who did what, and the proof of it."""

import click
from rich.console import Console

from ledger.values import AuditLine, NoticeRow
from pratunam.commands.endings import FAILED
from pratunam.commands.frame import Frame, at_home
from pratunam.commands.stopping import unknown_party
from pratunam.commands.tables import show_table
from pratunam.local_time import rfc3339
from pratunam.parts import Parts


@click.command("notices")
@click.option("--party", default=None, help="Only this party's.")
@at_home
async def notices(frame: Frame, parts: Parts, party: str | None) -> None:
    """Show what was told to whom, and whether it arrived."""
    rows = list(await parts.ledger.notices(party))
    if not rows and party is not None and party not in (policy := await parts.policy()).parties:
        raise unknown_party(party, policy)
    frame.tell([_notice(row) for row in rows], lambda console: _render_notices(console, rows))


@click.command("audit")
@click.argument("action", required=False, type=click.Choice(["verify"]))
@click.option("--subject", default=None, help="Only lines about this job, party, account or registry.")
@at_home
async def audit(frame: Frame, parts: Parts, action: str | None, subject: str | None) -> int | None:
    """Show who did what and why. `audit verify` proves the chain and ends with 1 when it is broken."""
    if action == "verify":
        return await _verify(frame, parts)
    lines = list(await parts.ledger.audit(subject=subject))
    frame.tell([_line(line) for line in lines], lambda console: _render_audit(console, lines))
    return None


async def _verify(frame: Frame, parts: Parts) -> int | None:
    proof = await parts.ledger.verify_audit()
    told = {
        "lines": proof.lines,
        "head": proof.head,
        "broken_at": proof.broken_at,
        "ok": proof.broken_at is None,
    }
    if proof.broken_at is None:
        frame.tell(told, f"The chain of {proof.lines} lines is whole. Head: {proof.head}")
        return None
    frame.tell(
        told,
        f"The chain is broken at line {proof.broken_at}: it, or a line before it, was changed or removed.",
    )
    return FAILED


def _notice(row: NoticeRow) -> dict[str, object]:
    return {
        "notice": row.notice,
        "party": row.party,
        "kind": row.kind,
        "created_at": rfc3339(row.created_at),
        "title_en": row.title_en,
        "title_th": row.title_th,
        "body_en": row.body_en,
        "body_th": row.body_th,
        "version": row.version,
        "deliveries": [
            {
                "channel": each.channel,
                "state": each.state,
                "attempts": each.attempts,
                "error": each.last_error,
            }
            for each in row.deliveries
        ],
    }


def _line(line: AuditLine) -> dict[str, object]:
    return {
        "line": line.line,
        "at": rfc3339(line.at),
        "who": line.who,
        "through": line.through,
        "action": line.action,
        "subject": line.subject,
        "detail": dict(line.detail),
        "digest": line.digest,
    }


def _render_notices(console: Console, rows: list[NoticeRow]) -> None:
    told = [
        (
            row.notice,
            row.party,
            rfc3339(row.created_at),
            row.title_en,
            ", ".join(f"{each.channel} {each.state}" for each in row.deliveries),
        )
        for row in rows
    ]
    show_table(console, ("notice", "party", "when", "title", "delivered"), told)


def _render_audit(console: Console, lines: list[AuditLine]) -> None:
    told = [
        (str(line.line), rfc3339(line.at), line.who, line.through, line.action, line.subject, _why(line))
        for line in lines
    ]
    show_table(console, ("line", "when", "who", "through", "what", "about", "why"), told)


def _why(line: AuditLine) -> str:
    """Return the words that stand beside a line: the party that it is about, and the reason that was given."""
    return ": ".join(str(line.detail[name]) for name in ("party", "reason") if line.detail.get(name))
