"""Notices and how each fares on each channel. Delivering them is the workers' work."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from domain.errors import NotFound
from domain.jobs import By
from domain.policy import Policy
from ledger.audit import note
from ledger.driver import HotStatement, chunked
from ledger.locks import lock_chain
from ledger.policy_code import newest_policy
from ledger.tables import deliveries, notices
from ledger.values import DeliveryRow, NoticeDraft, NoticeRow

WAITING, DELIVERED, FAILING = "waiting", "delivered", "failing"


def write_notices(
    connection: Connection,
    drafts: Sequence[NoticeDraft],
    now: int,
    *,
    version: int | None = None,
    policies: Sequence[Policy] = (),
) -> Sequence[str]:
    """Write notices and what they must be delivered by.

    Always by the folder, by the others where one of `policies` (default: the newest) sets them; by mail only to a party with a contact.
    """
    if not drafts:
        return []
    lock_chain(connection)  # notices are numbered one after another
    known = policies or tuple(found for found in (newest_policy(connection),) if found)
    first = (connection.execute(select(func.max(notices.c.number))).scalar() or 0) + 1
    ids, rows, ways = [], [], []
    for number, draft in enumerate(drafts, first):
        ids.append(f"N{number:06d}")
        rows.append(
            {
                "number": number, "notice": ids[-1], "party": draft.party, "kind": draft.kind, "created_at": now,
                "version": version, "title_en": draft.title_en, "title_th": draft.title_th, "body_en": draft.body_en,
                "body_th": draft.body_th,
            }
        )  # fmt: skip
        for channel in _channels(draft.party, known):
            ways.append({"notice": ids[-1], "channel": channel, "state": WAITING, "next_at": now})
    connection.execute(insert(notices), rows)
    connection.execute(insert(deliveries), ways)
    return ids


def add_notices(connection: Connection, drafts: Sequence[NoticeDraft], by: By, now: int) -> Sequence[str]:
    """Write notices of their own, with an audit line."""
    ids = write_notices(connection, drafts, now)
    for notice, draft in zip(ids, drafts, strict=True):
        note(connection, "notice", notice, {"party": draft.party, "kind": draft.kind}, by, now)
    return ids


def read_notices(connection: Connection, party: str | None, limit: int) -> Sequence[NoticeRow]:
    """Return notices, newest first."""
    query = select(notices).order_by(notices.c.number.desc()).limit(limit)
    if party is not None:
        query = query.where(notices.c.party == party)
    return _with_deliveries(connection, connection.execute(query).all())


def read_notice(connection: Connection, notice: str) -> NoticeRow:
    """Return one notice; raises NotFound."""
    found = connection.execute(select(notices).where(notices.c.notice == notice)).all()
    if not found:
        raise NotFound(
            f"There is no notice {notice}.",
            message_th=f"ไม่พบประกาศ {notice}",
            remedy_en="List them: pratunam notices",
            remedy_th="ดูรายการ: pratunam notices",
        )
    return _with_deliveries(connection, found)[0]


# asked for twice a second
_DUE = HotStatement(
    select(deliveries.c.notice)
    .where(deliveries.c.next_at <= bindparam("at"))
    .distinct()
    .order_by(deliveries.c.notice)
)


def due_notices(connection: Connection, now: int) -> Sequence[str]:
    """Return notices with a channel that is due, oldest first."""
    return [notice for (notice,) in _DUE.rows(connection, at=now)]


def delivered(connection: Connection, notice: str, channel: str, now: int) -> None:
    """Note that a channel has taken it; safe to repeat."""
    connection.execute(
        update(deliveries)
        .where(
            deliveries.c.notice == notice, deliveries.c.channel == channel, deliveries.c.state != DELIVERED
        )
        .values(
            state=DELIVERED, attempts=deliveries.c.attempts + 1, next_at=None, delivered_at=now, last_error=""
        )
    )


def undelivered(connection: Connection, notice: str, channel: str, error: str, next_at: int) -> None:
    """Note a failed try and when the next is due; a delivery that was taken stays taken."""
    connection.execute(
        update(deliveries)
        .where(
            deliveries.c.notice == notice, deliveries.c.channel == channel, deliveries.c.state != DELIVERED
        )
        .values(state=FAILING, attempts=deliveries.c.attempts + 1, next_at=next_at, last_error=error)
    )


def _channels(party: str, policies: Sequence[Policy]) -> Sequence[str]:
    channels = ["folder"]
    if any(policy.notice.smtp for policy in policies) and any(
        party in policy.parties and policy.parties[party].contact for policy in policies
    ):
        channels.append("smtp")
    if any(policy.notice.webhook for policy in policies):
        channels.append("webhook")
    return channels


def _with_deliveries(connection: Connection, rows: Sequence[Row[Any]]) -> Sequence[NoticeRow]:
    ways: dict[str, list[DeliveryRow]] = defaultdict(list)
    for part in chunked([row.notice for row in rows]):
        query = select(deliveries).where(deliveries.c.notice.in_(part)).order_by(deliveries.c.channel)
        for way in connection.execute(query):
            ways[way.notice].append(
                DeliveryRow(
                    way.channel, way.state, way.attempts, way.next_at, way.delivered_at, way.last_error
                )
            )
    return [
        NoticeRow(
            row.notice, row.party, row.kind, row.created_at, row.title_en, row.title_th, row.body_en, row.body_th,
            row.version, tuple(ways[row.notice]),
        )
        for row in rows
    ]  # fmt: skip
