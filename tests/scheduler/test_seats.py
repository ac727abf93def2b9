"""Who sits at the registrar when there are fewer sessions than wants."""

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings

from domain.quota import BoundBy
from scheduler.decide import decide
from scheduler.seats import LEAST_LINES, allot_seats
from scheduler.snapshot import LiveSession, PartyView, Snapshot
from tests.scheduler.worlds import NOW, live, party, registry, snapshots

TURN_MS = 10_000


def test_everyone_sits_on_all_accounts_where_there_is_room() -> None:
    """As many as there are accounts, and no more than there are slices."""
    parties = [party("A", accounts=3, seated=False), party("B", sendable=12, accounts=5, seated=False)]
    assert allot_seats(registry(sessions=8), parties, NOW).seats == [3, 2]


def test_nobody_is_rung_for_who_would_find_nothing_to_claim() -> None:
    """What sessions have in hand is theirs to send: another one would log in, find nothing, and log out, over and over."""
    sitting = replace(party("A", sendable=90, accounts=4), sessions=live("A", 2))
    for unclaimed, more in ((0, 0), (1, 1), (LEAST_LINES, 1), (LEAST_LINES + 1, 2), (90, 2)):
        given = replace(sitting, in_hand=90 - unclaimed)
        assert allot_seats(registry(sessions=8), [given], NOW).more == [more]


def test_each_party_gets_one_before_any_gets_a_second() -> None:
    """Four seats for a large party and two small ones."""
    parties = [party("A", accounts=9), party("B"), party("C")]
    unseated = [replace(p, sessions=()) for p in parties]
    assert allot_seats(registry(sessions=4), unseated, NOW).seats == [2, 1, 1]


def test_a_latecomer_gets_the_seat_of_whoever_sat_its_turn() -> None:
    """A party on more than its part gives one up, once it has sat a whole turn."""
    sitting = replace(party("A", accounts=4), sessions=live("A", 4, NOW - TURN_MS))
    late = party("B", seated=False)
    assert allot_seats(registry(sessions=4), [sitting, late], NOW).end == ("A-00",)
    assert allot_seats(registry(sessions=4), [sitting, late], NOW - 1).end == ()


def test_added_accounts_are_given_up_before_base_ones() -> None:
    """Whoever sits longest goes first only among those of a kind."""
    sessions = tuple(
        replace(session, added=session.account in {"A-02", "A-03"}) for session in live("A", 4, NOW - TURN_MS)
    )
    parties = [replace(party("A", accounts=4), sessions=sessions), party("B", accounts=2, seated=False)]
    assert allot_seats(registry(sessions=4), parties, NOW).end == ("A-02",)


def test_a_session_that_was_told_to_end_counts_as_the_seat_to_come() -> None:
    """Nobody is told twice, and no second one instead."""
    sessions = (LiveSession("A-00", NOW - 99_999, ending=True), *live("A", 4, NOW - TURN_MS)[1:])
    sitting = replace(party("A", accounts=4), sessions=sessions)
    assert allot_seats(registry(sessions=4), [sitting, party("B", seated=False)], NOW).end == ()


def test_a_hundred_records_go_before_a_million_that_began_to_wait_a_little_earlier() -> None:
    """But not before those that have waited a whole turn longer."""
    large = replace(party("A", seated=False), waiting_since_at=NOW - 4000)
    small = replace(party("B", sendable=100, seated=False), waiting_since_at=NOW)
    sitting = party("C")
    view = registry(sessions=2)
    assert allot_seats(view, [large, small, sitting], NOW).seats == [0, 1, 1]
    older = replace(large, waiting_since_at=NOW - TURN_MS)
    assert allot_seats(view, [older, small, sitting], NOW).seats == [1, 0, 1]


def test_all_sit_in_turns_when_parties_outnumber_sessions() -> None:
    """Twelve parties, three seats, two minutes: every party has sat, none longer than another by more than a turn."""
    view = registry(sessions=3)
    parties = {f"P{i:02}": replace(party(f"P{i:02}", seated=False), waiting_since_at=NOW) for i in range(12)}
    sat: Counter[str] = Counter()
    for now in range(NOW, NOW + 120_000, 250):
        decision = decide(Snapshot(view, tuple(parties.values())), now)
        for name, extra in decision.serve.items():
            parties[name] = seated_from(parties[name], extra, now)
        for account in decision.end:
            name = account.split("-")[0]
            parties[name] = replace(parties[name], sessions=(), waiting_since_at=now)
        sat.update(p.party for p in parties.values() if p.sessions)
        assert sum(len(p.sessions) for p in parties.values()) <= 3
    assert len(sat) == 12
    assert max(sat.values()) - min(sat.values()) <= TURN_MS // 250 + 1


def seated_from(waiting: PartyView, count: int, now: int) -> PartyView:
    """The party, sitting since now."""
    return replace(waiting, sessions=live(waiting.party, count, now), waiting_since_at=None)


@settings(max_examples=100, deadline=None)
@given(snapshots())
def test_seats_are_never_more_than_the_cap_and_never_empty_while_wanted(world: Snapshot) -> None:
    """New sessions fit beside the live ones, and a party's fit its accounts."""
    view = replace(world.registry, is_fluid=False)
    decision = decide(Snapshot(view, world.parties), NOW)
    cap = max(0, view.sessions - view.lost_sessions)
    sitting = sum(len(p.sessions) for p in world.parties)
    opened = sum(decision.serve.values())
    assert opened <= max(0, cap - sitting)
    lacking = 0
    for p in world.parties:
        live_sessions = len(p.sessions)
        share = decision.shares[p.party]
        assert live_sessions + decision.serve.get(p.party, 0) <= max(p.accounts, live_sessions)
        if p.party in decision.serve:
            assert share.open_until_ms > 0
        waits = decision.reasons[p.party] is BoundBy.SESSIONS and view.rate > 0
        lacking += waits
    if lacking:
        assert sitting + opened >= cap
    turn = {s.account for p in world.parties for s in p.sessions if NOW - s.since_at >= view.turn_ms}
    assert set(decision.end) <= turn
