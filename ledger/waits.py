"""Slices that wait for others, and persons that are looked for: both end when a slice has nothing unsettled any more."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, select, update

from domain.states import SliceState
from ledger.driver import HotStatement, chunked
from ledger.job_counters import add_to_jobs
from ledger.locks import lock_slices
from ledger.tables import slice_index, slice_waits, slices

_WAITERS = HotStatement(
    select(slice_waits.c.slice_id).where(slice_waits.c.blocker == bindparam("at_blocker"))
)
_WAITS = HotStatement(select(slice_waits.c.blocker).where(slice_waits.c.slice_id == bindparam("at_slice")))
_FREE = HotStatement(delete(slice_waits).where(slice_waits.c.blocker == bindparam("at_blocker")))
_UNINDEX = HotStatement(delete(slice_index).where(slice_index.c.slice_id == bindparam("at_slice")))


def place_of_reopened(connection: Connection, slice_id: str) -> SliceState:
    """Return where a slice goes that has work again: it may still wait for another, whatever became of it meanwhile."""
    return SliceState.WAITING if _WAITS.first(connection, at_slice=slice_id) else SliceState.READY


def clear(connection: Connection, slice_ids: Sequence[str]) -> None:
    """Take slices with nothing unsettled out of the blind index, and free the slices that waited for them."""
    for slice_id in slice_ids:
        _UNINDEX.change(connection, at_slice=slice_id)
    free_waiters(connection, slice_ids)


def free_waiters(connection: Connection, blockers: Sequence[str]) -> None:
    """Have nothing wait for these slices any more; slices that now wait for nothing are ready."""
    waiters: set[str] = set()
    for blocker in blockers:
        found = _WAITERS.rows(connection, at_blocker=blocker)
        if found:
            _FREE.change(connection, at_blocker=blocker)
            waiters.update(row[0] for row in found)
    # of two that free one waiter at once, the second must see what the first has done
    lock_slices(connection, waiters)
    for part in chunked(sorted(waiters)):
        _make_ready(connection, part)


def _make_ready(connection: Connection, waiters: Sequence[str]) -> None:
    free = (
        slices.c.slice_id.in_(waiters),
        slices.c.state == SliceState.WAITING,
        slices.c.slice_id.not_in(select(slice_waits.c.slice_id).where(slice_waits.c.slice_id.in_(waiters))),
    )
    found = connection.execute(
        select(slices.c.slice_id, slices.c.job, slices.c.pending + slices.c.unknown).where(*free)
    ).all()
    added: dict[str, Counter[str]] = {}
    for _, job, work in found:
        added.setdefault(job, Counter())["ready"] += work
    connection.execute(
        update(slices).where(slices.c.slice_id.in_([row[0] for row in found])).values(state=SliceState.READY)
    )
    add_to_jobs(connection, added)
