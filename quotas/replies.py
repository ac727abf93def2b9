"""What the scripts take and answer, to and from the domain's values; nothing else sees packed bytes. Talks to nobody.

Inside the scripts a record is 10**10 units and a rate is units a microsecond, all integers; a bucket refills at 0.9999 of its rate, so
that a clock that runs a little fast breaks no limit.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from domain.quota import (
    AccountQuota,
    BoundBy,
    Debt,
    PartyUse,
    Permit,
    RegistryQuota,
    SessionUse,
    Share,
    Signals,
    TickLine,
    Usage,
)

UNIT = 10_000_000_000
#: Lua's numbers are exact up to 2**53: so many records can stand in a bucket, and so many a second can flow into it
_MOST = 400_000
#: 0.9999 of 10**10 units a record / 10**6 µs a second
_KEPT_OF_RATE = 9_999

_pack = msgspec.msgpack.Encoder().encode

_PERMIT_PARTS = 7
_BOUND_BY = {word.value: word for word in BoundBy}
_read_permits = msgspec.msgpack.Decoder(list[Any]).decode


def rate_in(rate: float) -> int:
    """Return a rate (records a second) as the scripts count it; nothing and less is closed."""
    return int(min(rate, _MOST) * _KEPT_OF_RATE) if rate > 0 and not math.isnan(rate) else 0


def burst_in(burst: int) -> int:
    """Return a burst (records) as the scripts count it."""
    return min(max(burst, 0), _MOST) * UNIT


def limits_in(quota: RegistryQuota) -> list[int]:
    """Return the registry's limits as parts/limits takes them."""
    return [
        rate_in(quota.rate),
        burst_in(quota.burst),
        quota.sessions,
        quota.answer_timeout_ms,
        quota.settle_ms,
        int(quota.newest_wins),
        quota.lease_ms,
    ]


def accounts_in(accounts: Sequence[tuple[str, AccountQuota]]) -> bytes:
    """Pack accounts and their limits for configure."""
    return _pack([(name, rate_in(quota.rate), burst_in(quota.burst)) for name, quota in accounts])


def shares_in(shares: Sequence[tuple[str, Share]]) -> bytes:
    """Pack shares for set_shares."""
    return _pack(
        [(party, rate_in(s.rate), burst_in(s.burst), s.open_until_ms, s.sessions) for party, s in shares]
    )


def debts_in(debts: Sequence[Debt]) -> bytes:
    """Pack what lost leases owe for owe."""
    flat: list[str | int] = []
    for debt in debts:
        lease = debt.lease
        flat += (lease.account, lease.party, lease.token, debt.sent, debt.settled, max(0, debt.for_ms))
    return _pack(flat)


def names_in(names: Sequence[str]) -> bytes:
    """Pack a list of ids."""
    return _pack(list(names))


def lines_in(lines: Sequence[TickLine]) -> bytes:
    """Pack the lines of a tick."""
    flat: list[str | int] = []
    for line in lines:
        lease, told_ms = line.lease, max(0, line.answered_ms_ago)
        totals = line.granted, line.lapsed, line.sent, line.settled
        flat += (lease.account, lease.token, *totals, told_ms, line.want)
    return _pack(flat)


def signals_in(signals: Signals) -> bytes:
    """Pack a process's totals for report."""
    return _pack(
        (
            signals.answers,
            signals.errors,
            signals.pushbacks,
            signals.latency_ms_sum,
            signals.load_state,
            signals.clock_offset_ms,
            signals.clock_error_ms,
        )
    )


def permits_out(raw: bytes | None, count: int) -> list[Permit]:
    """Return a tick's answer; without one (no generation stands) every lease is gone."""
    if raw is None:
        return [Permit(False, 0, 0, 0, BoundBy.STARTING, 1000)] * count
    parts = iter(_read_permits(raw))
    return [
        Permit(alive == 1, granted, valid, left, _BOUND_BY[word], wait, ending == 1)
        for alive, granted, valid, left, word, wait, ending in zip(*[parts] * _PERMIT_PARTS, strict=True)
    ]


_SessionRow = tuple[str, str, str, int, int, int, int, int, bool]
_PartyRow = tuple[str, int, int, int, BoundBy, int]
_SignalsRow = tuple[int, int, int, int, str, int | bool, int | bool]


class _UsageRow(msgspec.Struct, array_like=True, frozen=True):
    generation: int
    run: str
    gate_us: int
    level: int
    standing: int
    outstanding: int
    sent: int
    held: bool
    closed_ms: int
    sessions: list[_SessionRow]
    parties: list[_PartyRow]
    signals: _SignalsRow | bool
    rate: int
    run_now: str


_read_usage = msgspec.msgpack.Decoder(_UsageRow).decode

NEW = Usage(generation=0, gate_at=0, level=0.0, outstanding=0, sent=0, is_new=True)


def usage_out(raw: bytes) -> Usage:
    """Return the registry's use. Keys of another run of the server (it was restarted from a copy) are worth nothing: `is_new`."""
    row = _read_usage(raw)
    return Usage(
        generation=row.generation,
        gate_at=row.gate_us // 1000,
        level=row.level / UNIT,
        standing=row.standing / UNIT,
        outstanding=row.outstanding,
        sent=row.sent,
        sessions=tuple(SessionUse(*session) for session in row.sessions),
        parties=_parties(row.parties),
        signals=_signals(row.signals, row.closed_ms),
        held=row.held,
        is_new=row.run != row.run_now,
        rate=_rate_out(row.rate),
    )


def _parties(rows: Sequence[_PartyRow]) -> Mapping[str, PartyUse]:
    return {
        party: PartyUse(level / UNIT, out, sent, bound, _rate_out(share))
        for party, level, out, sent, bound, share in rows
    }


def _rate_out(rate: int) -> float:
    """Return a rate as people say it (records a second)."""
    return round(rate / _KEPT_OF_RATE, 3)


def _signals(row: _SignalsRow | bool, closed_ms: int) -> Signals:
    if isinstance(row, bool):
        return Signals(closed_ms=closed_ms)
    answers, errors, pushbacks, latency, load, offset, half = row
    return Signals(
        answers=answers,
        errors=errors,
        pushbacks=pushbacks,
        latency_ms_sum=latency,
        load_state=load,
        closed_ms=closed_ms,
        clock_offset_ms=None if isinstance(offset, bool) else offset,
        clock_error_ms=None if isinstance(half, bool) else half,
    )
