"""Claiming slices and handing them back: what a session does with a lease, and what rescue does for a session that is no more."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, literal, or_, select, update

from domain.jobs import ClaimedSlice
from domain.quota import Lease
from domain.states import AccountState, JobState, SliceState
from domain.turns import order_jobs
from ledger.backlog import party_jobs
from ledger.changes import SliceRow, claim_slice, load, save
from ledger.driver import HotStatement
from ledger.holds import EVERYONE
from ledger.job_counters import rest_jobs
from ledger.lines import UNKNOWN
from ledger.meta import ASK_FIRST, NOTICED, restored_from
from ledger.policy_code import settle_ms
from ledger.tables import accounts, generations, holds, jobs, meta, slice_boxes, slices

_GENERATION = (
    select(func.max(generations.c.generation))
    .where(generations.c.registry == bindparam("at_registry"))
    .scalar_subquery()
)
_HOLD = (
    select(literal(1))
    .where(
        holds.c.registry == bindparam("at_registry"),
        or_(holds.c.party == EVERYONE, holds.c.party == bindparam("at_party")),
    )
    .limit(1)
    .scalar_subquery()
)
_ACCOUNT = (
    select(accounts.c.state)
    .where(accounts.c.registry == bindparam("at_registry"), accounts.c.account == bindparam("at_account"))
    .scalar_subquery()
)
_ASKS_FIRST = select(meta.c.value).where(meta.c.name == ASK_FIRST).scalar_subquery()
_LEAVE = HotStatement(select(func.coalesce(_GENERATION, 0), _HOLD, _ACCOUNT, _ASKS_FIRST))
_FIRST_DUE = HotStatement(
    select(
        slices.c.slice_id,
        slices.c.seq,
        slices.c.lines,
        slices.c.states,
        slices.c.pending + slices.c.unknown,
        jobs.c.profile,
        jobs.c.profile_version,
        jobs.c.number,
        slice_boxes.c.box,
    )
    .join_from(slices, slice_boxes, slices.c.slice_id == slice_boxes.c.slice_id)
    .join(jobs, jobs.c.job == slices.c.job)
    .where(
        slices.c.job == bindparam("at_job"),
        slices.c.state == SliceState.READY.value,
        slices.c.token <= bindparam("at_token"),
        or_(slices.c.not_before.is_(None), slices.c.not_before <= bindparam("at")),
    )
    .order_by(slices.c.seq)
    .limit(1)
    # of claims that compete, each takes the next slice that nobody is about to take
    .with_for_update(of=slices, skip_locked=True, key_share=True)
)
_MINE = (
    slices.c.slice_id == bindparam("at_slice"),
    slices.c.token == bindparam("at_token"),
    slices.c.state == SliceState.CLAIMED.value,
)
_RAISE_MARK = HotStatement(
    update(slices)
    .where(*_MINE, slices.c.watermark < bindparam("upto"))
    .values({slices.c.watermark: bindparam("upto")})
)
_IS_MINE = HotStatement(select(slices.c.slice_id).where(*_MINE))
_CLAIMED = HotStatement(
    select(slices.c.slice_id, slices.c.token).where(
        slices.c.registry == bindparam("at_registry"), slices.c.state == SliceState.CLAIMED.value
    )
)


def claim(connection: Connection, lease: Lease, now: int) -> ClaimedSlice | None:
    """Claim the party's next slice.

    None when nothing is due, a hold stands, the account is out of use, the lease is of an older generation, or the ledger was put
    back from a copy and nobody has seen to that yet. A slice that has seen a higher token is passed over.
    """
    generation, held, state, restored = _LEAVE.first(
        connection, at_registry=lease.registry, at_party=lease.party, at_account=lease.account
    )
    copy = restored_from(restored)
    if (
        lease.generation < generation
        or held
        or state not in (None, AccountState.ACTIVE.value)
        or copy == NOTICED
    ):
        return None
    for job in order_jobs(party_jobs(connection, lease.registry, lease.party), now):
        found = _FIRST_DUE.first(connection, at_job=job.job, at_token=lease.token, at=now)
        if found is not None:
            return _take(connection, job.job, found, lease, last_of_copy=copy[0] if copy else 0)
    return None


def mark_sent(connection: Connection, slice_id: str, token: int, upto: int) -> bool:
    """Write the watermark: lines below `upto` may be on their way from now on. False when the claim is gone."""
    mine = {"at_slice": slice_id, "at_token": token}
    raised = _RAISE_MARK.change(connection, upto=upto, **mine)
    return bool(raised) or _IS_MINE.first(connection, **mine) is not None


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
    if row.is_stopping:
        _ask_later(connection, [row], now)
    save(connection, [row], now)
    rest_jobs(connection, [row.job])


def is_any_lost(connection: Connection, registry: str, live_tokens: frozenset[int]) -> bool:
    """Say whether a claim's lease is no more."""
    return any(token not in live_tokens for _, token in _CLAIMED.rows(connection, at_registry=registry))


def rescue(
    connection: Connection, registry: str, live_tokens: frozenset[int], now: int, *, idempotent: bool
) -> int:
    """End the claims of leases that are no more; lines that may have been sent become unknown."""
    claimed = _CLAIMED.rows(connection, at_registry=registry)
    lost = [slice_id for slice_id, token in claimed if token not in live_tokens]
    # on an engine with several writers, somebody may have ended a claim, and another begun one, since they were listed
    rows = [row for row in load(connection, lost).values() if _is_lost(row, live_tokens)]
    for row in rows:
        row.end_claim(_perhaps_sent(row, idempotent=idempotent))
    _ask_later(connection, [row for row in rows if row.is_stopping or not idempotent], now)
    save(connection, rows, now)
    rest_jobs(connection, [row.job for row in rows])
    return len(rows)


def has_claims(connection: Connection, registry: str) -> bool:
    """Say whether any slice is in hand, whatever its job's state."""
    return _CLAIMED.first(connection, at_registry=registry) is not None


def _is_lost(row: SliceRow, live_tokens: frozenset[int]) -> bool:
    return row.state is SliceState.CLAIMED and row.token not in live_tokens


def _perhaps_sent(row: SliceRow, *, idempotent: bool) -> Sequence[int]:
    unsettled = row.lines.unsettled()
    # without idempotency each unknown record costs a question, so the watermark keeps them few
    return unsettled if idempotent else [line for line in unsettled if line < row.watermark]


def _ask_later(connection: Connection, rows: Sequence[SliceRow], now: int) -> None:
    """Have nobody asked about unknown lines before a late original would have surfaced: an absence seen after that may be believed."""
    asked = [row for row in rows if UNKNOWN in row.lines.letters]
    for row in asked:
        due = now + settle_ms(connection, row.registry)
        row.not_before = due if row.not_before is None else max(due, row.not_before)


def _take(
    connection: Connection, job: str, found: Sequence[Any], lease: Lease, *, last_of_copy: int
) -> ClaimedSlice:
    slice_id, seq, lines, states, work, profile, profile_version, number, box = found
    job_state = claim_slice(connection, slice_id, job, work, lease.token)
    return ClaimedSlice(
        slice_id,
        job,
        lease.party,
        lease.registry,
        profile,
        profile_version,
        seq,
        lines,
        box,
        states.encode(),
        watermark=0,
        token=lease.token,
        ask_only=job_state is JobState.CANCELLING,
        ask_first=number <= last_of_copy,
    )
