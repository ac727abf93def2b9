"""Locks for an engine with several writers. SQLite's one writer is alone, so there none of them is taken.

A changing verb locks what it is about to change, then looks. The order is the same everywhere, so that hardly anybody waits in a circle:
slices by id, jobs by name, the audit chain, last the commit counter. All end with the transaction. It changes nothing itself.
"""

from collections.abc import Collection

from sqlalchemy import ARRAY, Connection, Text, any_, bindparam, func, select

from ledger.driver import HotStatement
from ledger.tables import jobs, slices

#: advisory locks of the ledger's database: any numbers that nobody else takes there
CHAIN, OPENING, KEYS = 0x70744101, 0x70744102, 0x70744103
#: shared by every process that has the keys open, alone by who wraps them anew
KEY_USERS = 0x70744104

_NAMED = any_(bindparam("names", type_=ARRAY(Text)))
_SLICES = select(slices.c.slice_id).where(slices.c.slice_id == _NAMED).order_by(slices.c.slice_id)
# rows that only refer to a locked one may still be written: `FOR NO KEY UPDATE`
_CHANGE_SLICES = HotStatement(_SLICES.with_for_update(key_share=True))
_KEEP_SLICES = HotStatement(_SLICES.with_for_update(read=True))
_CHANGE_SLICES_OF = HotStatement(
    select(slices.c.slice_id)
    .where(slices.c.job == bindparam("at_job"))
    .order_by(slices.c.slice_id)
    .with_for_update(key_share=True)
)
_CHANGE_JOBS = HotStatement(
    select(jobs.c.job).where(jobs.c.job == _NAMED).order_by(jobs.c.job).with_for_update(key_share=True)
)
_CHANGE_CHAIN = HotStatement(select(func.pg_advisory_xact_lock(CHAIN)))


def lock_slices(connection: Connection, slice_ids: Collection[str]) -> None:
    """Have nobody else change these slices."""
    if slice_ids and not _is_alone(connection):
        _CHANGE_SLICES.rows(connection, names=sorted(slice_ids))


def keep_slices(connection: Connection, slice_ids: Collection[str]) -> None:
    """Have nobody change these slices, though others may want the same."""
    if slice_ids and not _is_alone(connection):
        _KEEP_SLICES.rows(connection, names=sorted(slice_ids))


def lock_slices_of(connection: Connection, job: str) -> None:
    """Have nobody else change any slice of a job."""
    if not _is_alone(connection):
        _CHANGE_SLICES_OF.rows(connection, at_job=job)


def lock_jobs(connection: Connection, *names: str) -> None:
    """Have nobody else change these jobs; a job's slices may still change."""
    if names and not _is_alone(connection):
        _CHANGE_JOBS.rows(connection, names=sorted(names))


def lock_chain(connection: Connection) -> None:
    """Be the only one who writes audit lines, and with them whatever is numbered one after another or belongs to the rules."""
    if not _is_alone(connection):
        _CHANGE_CHAIN.first(connection)


def _is_alone(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"
