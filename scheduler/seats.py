"""Who sits at the registrar: how many sessions each party should have, and which sessions' turn is over. Pure.

A party wants as many sessions as it has accounts and slices for. When all wants fit under the registry's cap, they are met.
When they do not, every party gets one before any gets a second, then weights count; when there are more parties than
sessions, sessions take turns of `turn_ms`, whoever has waited longest first, and a small backlog counts as having waited
a little longer, so that a hundred records never wait behind a million.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nsmallest

from scheduler.sharing import share_out
from scheduler.snapshot import LiveSession, PartyView, RegistryView

#: the fewest records a slice holds (architecture.md section 3): less than this is no work for one more session
LEAST_LINES = 10


@dataclass(frozen=True, slots=True)
class Seating:
    """Who sits, by the parties' order.

    `seats[i]`: sessions that party i should have (fractions in a fluid plan); `more[i]`: how many of them it may open now;
    `end`: accounts whose turn is over.
    """

    seats: list[float]
    more: list[int]
    end: tuple[str, ...] = ()


def allot_seats(registry: RegistryView, parties: Sequence[PartyView], now: int) -> Seating:
    """Return how the registry's sessions are allotted to parties that are open and have something to send."""
    wants = [_want(party) for party in parties]
    cap = max(0, registry.sessions - registry.lost_sessions)
    live = [len(party.sessions) for party in parties]
    if sum(map(max, wants, live)) <= cap:
        return Seating(
            [float(want) for want in wants], [max(0, w - n) for w, n in zip(wants, live, strict=True)]
        )
    weights = [p.accounts * p.weight for p in parties]
    if registry.is_fluid:
        one_each = [1.0 if len(parties) <= cap else 0.0] * len(parties)
        return Seating(share_out(cap, weights, one_each, [float(want) for want in wants]), [0] * len(parties))
    if len(parties) <= cap:
        seats = _seats_by_weight(parties, cap, wants, weights)
        over = _over_their_part(parties, seats)
    else:
        seats = _seats_in_turns(registry, parties, cap - sum(live), now)
        over = [(session.since_at, session.account) for party in parties for session in party.sessions]
    more = _openings(registry, parties, seats, cap - sum(live), now)
    waiting = sum(1 for n in live if n == 0) if len(parties) > cap else sum(map(_lack, seats, live))
    end = _turns_over(registry, parties, over, waiting - sum(more), now)
    return Seating([float(seat) for seat in seats], more, end)


def _lack(seat: int, live: int) -> int:
    return max(0, seat - live)


def _want(party: PartyView) -> int:
    """As many sessions as it has accounts and work for, and no more beside those that sit than can find something to claim."""
    unclaimed = party.sendable - party.in_hand
    finding_work = max(1, len(party.sessions) + -(-unclaimed // LEAST_LINES))
    if party.sendable >= LEAST_LINES * party.accounts:
        return min(party.accounts, finding_work)
    return min(max(1, -(-party.sendable // LEAST_LINES)), finding_work)


def _seats_by_weight(
    parties: Sequence[PartyView], cap: int, wants: Sequence[int], weights: Sequence[float]
) -> list[int]:
    exact = share_out(cap, weights, [1.0] * len(parties), [float(want) for want in wants])
    seats = [int(part + 1e-9) for part in exact]
    # Whole seats first; what is left goes to the largest fractions, to those who sit already where they are equal.
    order = sorted(
        range(len(parties)),
        key=lambda i: (seats[i] - round(exact[i], 6), seats[i] - len(parties[i].sessions), parties[i].party),
    )
    left = cap - sum(seats)
    for index in order:
        if left > 0 and seats[index] < wants[index]:
            seats[index] += 1
            left -= 1
    return seats


def _over_their_part(parties: Sequence[PartyView], seats: Sequence[int]) -> list[tuple[int, str]]:
    return [
        (session.since_at, session.account)
        for seat, party in zip(seats, parties, strict=True)
        for session in _given_up_first(party.sessions)[: max(0, len(party.sessions) - seat)]
    ]


def _given_up_first(sessions: Sequence[LiveSession]) -> list[LiveSession]:
    """Added accounts before base ones, then whoever sits longest."""
    return sorted(sessions, key=lambda session: (not session.added, session.since_at))


def _seats_in_turns(registry: RegistryView, parties: Sequence[PartyView], free: int, now: int) -> list[int]:
    seats = [len(party.sessions) for party in parties]
    waiting = [index for index, party in enumerate(parties) if not party.sessions]
    for index in nsmallest(max(0, free), waiting, key=lambda i: _place_in_queue(registry, parties[i], now)):
        seats[index] = 1
    return seats


def _openings(
    registry: RegistryView, parties: Sequence[PartyView], seats: Sequence[int], free: int, now: int
) -> list[int]:
    """How many each may open now: no more than are free, those with fewest first, then those who waited longest."""
    more = [_lack(seat, len(party.sessions)) for seat, party in zip(seats, parties, strict=True)]
    if sum(more) <= free:
        return more
    more = [0] * len(parties)
    lacking = [i for i, party in enumerate(parties) if seats[i] > len(party.sessions)]
    lacking.sort(key=lambda i: (len(parties[i].sessions), *_place_in_queue(registry, parties[i], now)))
    for index in lacking:
        more[index] = min(max(0, free), seats[index] - len(parties[index].sessions))
        free -= more[index]
    return more


def _place_in_queue(registry: RegistryView, party: PartyView, now: int) -> tuple[float, str]:
    since = party.waiting_since_at if party.waiting_since_at is not None else now
    takes_ms = (
        1000 * party.sendable / registry.account_rate if registry.account_rate > 0 else registry.turn_ms
    )
    return since + min(float(registry.turn_ms), takes_ms), party.party


def _turns_over(
    registry: RegistryView,
    parties: Sequence[PartyView],
    sitting: Sequence[tuple[int, str]],
    lacking: int,
    now: int,
) -> tuple[str, ...]:
    """The longest-sitting sessions, as many as others lack, of those that have sat a whole turn."""
    ending = {session.account for party in parties for session in party.sessions if session.ending}
    over = sorted((since, account) for since, account in sitting if now - since >= registry.turn_ms)
    chosen = [account for _, account in over if account not in ending]
    return tuple(chosen[: max(0, lacking - len(ending))])
