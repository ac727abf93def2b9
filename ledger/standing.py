"""How things stand, for the scheduler that asks several times a second: one look on one snapshot, where each part would cost as much."""

from collections.abc import Sequence

from sqlalchemy import Connection

from ledger.checks import unchecked_jobs
from ledger.holds import read_holds
from ledger.notices import due_notices
from ledger.policy_book import which_is_in_force
from ledger.values import HoldRow

#: the version in force and whether it is enacted, standing holds, files to check, notices to send
Look = tuple[tuple[int, bool] | None, Sequence[HoldRow], Sequence[str], Sequence[str]]


def look(connection: Connection, now: int) -> Look:
    """Return what `Standing` is made of."""
    return (
        which_is_in_force(connection, now),
        read_holds(connection),
        unchecked_jobs(connection, now),
        due_notices(connection, now),
    )
