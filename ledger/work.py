"""Claiming slices and handing them back: what a session does with a lease, and what rescue does for a session that is no more."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, or_, select, update

from domain.jobs import ClaimedSlice
from domain.quota import Lease
from domain.states import AccountState, JobState, SliceState
from domain.turns import order_jobs
from ledger.backlog import party_jobs
from ledger.changes import SliceRow, load, rest_jobs, save
from ledger.generations import present_generation
from ledger.holds import is_held
from ledger.tables import accounts, jobs, slice_boxes, slices

# made once: making a statement costs more than running it
_ACCOUNT = select(accounts.c.state).where(
    accounts.c.registry == bindparam("at_registry"), accounts.c.account == bindparam("at_account")
)
_FIRST_DUE = (
    select(slices.c.slice_id)
    .where(
        slices.c.job == bindparam("at_job"),
        slices.c.state == SliceState.READY,
        slices.c.token <= bindparam("at_token"),
        or_(slices.c.not_before.is_(None), slices.c.not_before <= bindparam("at")),
    )
    .order_by(slices.c.seq)
    .limit(1)
)
_CONTENT = (
    select(jobs.c.profile, jobs.c.profile_version, slices.c.seq, slices.c.lines, slice_boxes.c.box)
    .join_from(slices, slice_boxes, slices.c.slice_id == slice_boxes.c.slice_id)
    .join(jobs, jobs.c.job == slices.c.job)
    .where(slices.c.slice_id == bindparam("at_slice"))
)
_BEGUN = update(jobs).where(jobs.c.job == bindparam("at_job")).values(state=JobState.RUNNING)


def claim(connection: Connection, lease: Lease, now: int) -> ClaimedSlice | None:
    """Claim the party's next slice.

    None when nothing is due, a hold stands, the account is out of use, or the lease is of an older generation. A slice that has
    seen a higher token is passed over.
    """
    if not _may_claim(connection, lease):
        return None
    for job in order_jobs(party_jobs(connection, lease.registry, lease.party), now):
        slice_id = _first_due(connection, job.job, lease.token, now)
        if slice_id is not None:
            return _take(connection, slice_id, lease, now)
    return None


def mark_sent(connection: Connection, slice_id: str, token: int, upto: int) -> bool:
    """Write the watermark: lines below `upto` may be on their way from now on. False when the claim is gone."""
    mine = (slices.c.slice_id == slice_id, slices.c.token == token, slices.c.state == SliceState.CLAIMED)
    raised = connection.execute(
        update(slices).where(*mine, slices.c.watermark < upto).values(watermark=upto)
    ).rowcount
    return bool(raised) or connection.execute(select(slices.c.slice_id).where(*mine)).first() is not None


def give_back(
    connection: Connection,
    slice_id: str,
    token: int,
    unknown: Sequence[int],
    now: int,
    *,
    not_before: int | None = None,
) -> None:
    """End a claim. Nothing happens when the claim is gone: whoever ended it knew less, and said *unknown* for more."""
    row = load(connection, [slice_id]).get(slice_id)
    if row is None or row.token != token or row.state is not SliceState.CLAIMED:
        return
    row.end_claim(unknown, not_before)
    save(connection, [row], now)
    rest_jobs(connection, [row])


def rescue(
    connection: Connection, registry: str, live_tokens: frozenset[int], now: int, *, idempotent: bool
) -> int:
    """End the claims of leases that are no more; lines that may have been sent become unknown."""
    claimed = select(slices.c.slice_id, slices.c.token).where(
        slices.c.registry == registry, slices.c.state == SliceState.CLAIMED
    )
    lost = [slice_id for slice_id, token in connection.execute(claimed) if token not in live_tokens]
    rows = list(load(connection, lost).values())
    for row in rows:
        row.end_claim(_perhaps_sent(row, idempotent=idempotent))
    save(connection, rows, now)
    rest_jobs(connection, rows)
    return len(rows)


def _perhaps_sent(row: SliceRow, *, idempotent: bool) -> Sequence[int]:
    unsettled = row.lines.unsettled()
    # without idempotency each unknown record costs a question, so the watermark keeps them few
    return unsettled if idempotent else [line for line in unsettled if line < row.watermark]


def _may_claim(connection: Connection, lease: Lease) -> bool:
    if lease.generation < present_generation(connection, lease.registry) or is_held(
        connection, lease.registry, lease.party
    ):
        return False
    state = connection.execute(
        _ACCOUNT, {"at_registry": lease.registry, "at_account": lease.account}
    ).scalar()
    return state is None or state == AccountState.ACTIVE


def _first_due(connection: Connection, job: str, token: int, now: int) -> str | None:
    found: str | None = connection.execute(_FIRST_DUE, {"at_job": job, "at_token": token, "at": now}).scalar()
    return found


def _take(connection: Connection, slice_id: str, lease: Lease, now: int) -> ClaimedSlice:
    row = load(connection, [slice_id])[slice_id]
    row.state, row.token, row.watermark = SliceState.CLAIMED, lease.token, 0
    save(connection, [row], now)
    if row.job_state is JobState.QUEUED:
        connection.execute(_BEGUN, {"at_job": row.job})
    found = connection.execute(_CONTENT, {"at_slice": slice_id}).one()
    return ClaimedSlice(
        slice_id,
        row.job,
        lease.party,
        lease.registry,
        found.profile,
        found.profile_version,
        found.seq,
        found.lines,
        found.box,
        row.was.encode(),
        watermark=0,
        token=lease.token,
    )
