"""The decision: who may send, how fast, and who sits. A pure function of a snapshot; the planner runs it on a virtual clock.

What a party can use is the least of its backlog over one round, its accounts, and its own ceiling; what the registry bears is
its braked rate, and what stands in its bucket beside what was promised to parties already. Between the two stands
weighted max-min sharing (`sharing`): floors, then the registrar's deadline, then active accounts × weight.

The shares, not the registry's bucket, are what binds when all want more than there is: a bucket that all push against
serves whoever comes first. So what stands unpromised in it is given out in a hurry, but never twice.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from domain.quota import BoundBy, Share
from scheduler.seats import allot_seats
from scheduler.sharing import lows_with_deadlines, share_out
from scheduler.snapshot import ROUND_MS, PartyView, RegistryView, Snapshot

#: a share lapses after so long unless written again, in ms: if the scheduler dies, the gate closes by itself
DRAW_AHEAD_MS = 5_000
#: standing water is given out over so long, in s: longer than a round, so that a late round gives nothing out twice
SPREAD_S = 0.4
#: how much of its rate the registry withholds at most while parties stand on more than its bucket holds
MOST_WITHHELD = 0.25
#: beside the registrar's latency, so long may a permit be out (two ticks of the pacer and a settlement), in s
PERMIT_OUT_S = 0.15
#: whose part of the pace would have it done within so long (s) weighs so much more: slices do not divide, and the last one is sent by
#: one account alone
ENDING_S, ENDING_WEIGHT = 1.0, 1.5
#: permits that a party may always hold beside its part of the burst: whole records do not divide
SPARE_PERMITS = 2

_ROUNDS_A_SECOND = 1000 / ROUND_MS


@dataclass(frozen=True, slots=True)
class Decision:
    """What is so until the next round.

    `rate`: the registry's braked rate. `shares`: one for every party of the snapshot. `serve`: how many more sessions a party
    should open. `end`: accounts whose session's turn is over. `reasons`: what binds each party.
    """

    rate: float
    shares: Mapping[str, Share]
    serve: Mapping[str, int]
    end: tuple[str, ...]
    reasons: Mapping[str, BoundBy]


def decide(snapshot: Snapshot, now: int) -> Decision:
    """Return shares, sessions and reasons for the next round."""
    registry = snapshot.registry
    shares: dict[str, Share] = {}
    reasons: dict[str, BoundBy] = {}
    able: list[PartyView] = []
    for party in snapshot.parties:
        barrier = _barrier(registry, party)
        if barrier is None:
            able.append(party)
        else:
            # A party that has nothing left may still hear "send it again": its sessions end by themselves, not by the window.
            stays = barrier is BoundBy.NOTHING and bool(party.sessions)
            shares[party.party] = _shut(party, len(party.sessions) if stays else 0)
            reasons[party.party] = barrier
    elsewhere = sum(len(party.sessions) for party in snapshot.parties) - sum(
        len(party.sessions) for party in able
    )
    if elsewhere:
        registry = replace(registry, lost_sessions=registry.lost_sessions + elsewhere)
    seating = allot_seats(registry, able, now)
    seated: list[PartyView] = []
    seats_of: list[float] = []
    serve: dict[str, int] = {}
    for party, seats, more in zip(able, seating.seats, seating.more, strict=True):
        if seats <= 0:
            shares[party.party] = _shut(party, 0)
            reasons[party.party] = BoundBy.SESSIONS
            continue
        seated.append(party)
        seats_of.append(seats)
        if more > 0:
            serve[party.party] = more
    _share_rate(registry, seated, seats_of, shares, reasons)
    return Decision(registry.rate * registry.brake, shares, _least_first(serve, able), seating.end, reasons)


def _least_first(serve: Mapping[str, int], able: Sequence[PartyView]) -> Mapping[str, int]:
    """Order parties by what they still have: sessions begin one after another, and a hundred records notice that most."""
    pending = {party.party: party.pending for party in able}
    return dict(sorted(serve.items(), key=lambda each: pending[each[0]]))


def _barrier(registry: RegistryView, party: PartyView) -> BoundBy | None:
    """What keeps the party from sending at all, if anything does."""
    if registry.held or party.held:
        return BoundBy.HOLD
    if party.open_ms <= 0:
        return BoundBy.WINDOW
    if party.accounts <= 0:
        return BoundBy.QUARANTINE if party.quarantined else BoundBy.ACCOUNT
    if party.sendable <= 0:
        return BoundBy.NOTHING
    if registry.rate * registry.brake <= 0 or registry.sessions <= 0:
        return BoundBy.REGISTRY
    return None


def _shut(party: PartyView, sessions: int) -> Share:
    open_ms = min(DRAW_AHEAD_MS, party.open_ms) if sessions else 0
    return Share(0.0, _within_own(party, party.outstanding + SPARE_PERMITS), open_ms, sessions)


def _share_rate(
    registry: RegistryView,
    seated: Sequence[PartyView],
    seats_of: Sequence[float],
    shares: dict[str, Share],
    reasons: dict[str, BoundBy],
) -> None:
    capacity = bearable_rate(registry, seated)
    limits = [_limit(registry, party, seats) for party, seats in zip(seated, seats_of, strict=True)]
    highs = [limit for limit, _ in limits]
    lows = lows_with_deadlines(capacity, [party.floor for party in seated], [_need(p) for p in seated], highs)
    weights = _weights(registry, seated)
    rates = share_out(capacity, weights, lows, highs)
    if not registry.is_fluid and sum(highs) < capacity:
        rates = share_out(capacity, weights, rates, _tops(registry, seated, seats_of, highs))
    burst_a_rate = registry.burst / max(capacity, 1e-9)
    out_s = registry.latency_ms / 1000 + PERMIT_OUT_S
    for party, seats, (limit, bound_by), rate in zip(seated, seats_of, limits, rates, strict=True):
        shares[party.party] = Share(
            rate,
            _burst(registry, party, rate * max(burst_a_rate, out_s)),
            min(DRAW_AHEAD_MS, party.open_ms),
            math.ceil(max(seats, len(party.sessions))),
        )
        binds = BoundBy.REGISTRY if rate < limit * 0.999 else bound_by
        reasons[party.party] = BoundBy.PUSHBACK if registry.paused else binds


def _weights(registry: RegistryView, parties: Sequence[PartyView]) -> list[float]:
    """Return each party's weight, greater where its part of the registry's rate would have it done soon."""
    plain = [party.accounts * party.weight for party in parties]
    rate_a_weight = registry.rate * registry.brake / (sum(plain) or 1.0)
    return [
        weight * (ENDING_WEIGHT if party.sendable <= weight * rate_a_weight * ENDING_S else 1.0)
        for party, weight in zip(parties, plain, strict=True)
    ]


def _need(party: PartyView) -> float:
    """The pace at which the party would be done by the registrar's deadline."""
    return 1000 * party.pending / party.deadline_open_ms if party.deadline_open_ms > 0 else 0.0


def bearable_rate(registry: RegistryView, parties: Sequence[PartyView]) -> float:
    """Return what may be shared out until the next round, in records a second.

    The braked rate, and what stands in the registry's bucket beside what parties that can draw it were given already; where
    they were given more than stands there, less than the rate.
    """
    rate = registry.rate * registry.brake
    promised = sum(max(0.0, min(party.level, party.sendable)) for party in parties if party.sessions)
    unpromised = min(float(registry.burst), registry.available) - promised
    return rate + max(unpromised / SPREAD_S, -MOST_WITHHELD * rate)


def _limit(registry: RegistryView, party: PartyView, seats: float) -> tuple[float, BoundBy]:
    """What the party could use in the next round, in records a second, and what sets that limit."""
    limit, bound_by = (
        _sitting(party, seats) * registry.account_rate + party.standing / SPREAD_S,
        BoundBy.ACCOUNT,
    )
    if party.rate is not None and party.rate < limit:
        limit, bound_by = party.rate, BoundBy.PARTY
    if not registry.is_fluid and party.sendable * _ROUNDS_A_SECOND < limit:
        limit, bound_by = party.sendable * _ROUNDS_A_SECOND, BoundBy.NOTHING
    return limit, bound_by


def _sitting(party: PartyView, seats: float) -> float:
    return min(max(len(party.sessions), seats), party.accounts)


def _tops(
    registry: RegistryView, parties: Sequence[PartyView], seats_of: Sequence[float], highs: Sequence[float]
) -> Sequence[float]:
    """What each could use if its accounts' buckets were full: what the registry has to spare goes there, so that shares stay as they are.

    A share that becomes another with every round costs a full bucket what it refills until an answer is told.
    """
    each = registry.account_rate + registry.account_burst / SPREAD_S
    tops = [each * _sitting(party, seats) for party, seats in zip(parties, seats_of, strict=True)]
    return [
        max(high, top if party.rate is None else min(top, party.rate))
        for party, top, high in zip(parties, tops, highs, strict=True)
    ]


def _burst(registry: RegistryView, party: PartyView, useful: float) -> int:
    """Its part of the registry's burst, or what is out while answers travel; a little above its accounts', which bind, never above its own.

    Nor below what is out now: a bucket cut under its reservations would owe them when their answers come.
    """
    burst = min(math.ceil(useful), party.accounts * registry.account_burst) + SPARE_PERMITS
    return _within_own(party, max(burst, party.outstanding + SPARE_PERMITS))


def _within_own(party: PartyView, burst: int) -> int:
    own = (
        party.burst if party.burst is not None else math.ceil(party.rate) if party.rate is not None else burst
    )
    return max(1, min(burst, own))
