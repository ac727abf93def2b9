"""The registrar's stop button. A held party's slices are not claimed; the gate itself is closed by the scheduler and the quotas."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from domain.jobs import By
from ledger.audit import note
from ledger.driver import HotStatement
from ledger.locks import lock_chain
from ledger.notices import write_notices
from ledger.tables import holds
from ledger.values import HoldRow, NoticeDraft

#: the party of a hold that concerns all
EVERYONE = ""


def hold(
    connection: Connection,
    registry: str,
    party: str | None,
    reason: str,
    notices: Sequence[NoticeDraft],
    by: By,
    now: int,
) -> None:
    """Stop a registry or one party; a standing hold stays as it is."""
    lock_chain(connection)
    who = party or EVERYONE
    if connection.execute(select(holds).where(holds.c.registry == registry, holds.c.party == who)).first():
        return
    connection.execute(
        insert(holds).values(registry=registry, party=who, reason=reason, who=by.who, since_at=now)
    )
    note(connection, "hold", registry, {"party": party, "reason": reason}, by, now)
    write_notices(connection, notices, now)


def release(
    connection: Connection,
    registry: str,
    party: str | None,
    reason: str,
    notices: Sequence[NoticeDraft],
    by: By,
    now: int,
) -> None:
    """Let go; nothing happens where nothing is held."""
    lock_chain(connection)
    standing = (holds.c.registry == registry, holds.c.party == (party or EVERYONE))
    if connection.execute(delete(holds).where(*standing)).rowcount == 0:
        return
    note(connection, "release", registry, {"party": party, "reason": reason}, by, now)
    write_notices(connection, notices, now)


_STANDING = HotStatement(
    select(holds.c.registry, holds.c.party, holds.c.reason, holds.c.who, holds.c.since_at).order_by(
        holds.c.registry, holds.c.party
    )
)


def read_holds(connection: Connection) -> Sequence[HoldRow]:
    """Return the standing holds."""
    return [
        HoldRow(registry, party or None, reason, who, since_at)
        for registry, party, reason, who, since_at in _STANDING.rows(connection)
    ]
