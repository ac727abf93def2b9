"""The decision: scenes told one by one, and what must hold in any world."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from domain.quota import BoundBy
from scheduler.decide import DRAW_AHEAD_MS, MOST_WITHHELD, SPREAD_S, bearable_rate, decide
from scheduler.snapshot import ROUND_MS, PartyView, RegistryView, Snapshot
from tests.scheduler.worlds import NOW, party, registry, snapshots


def rates(of: RegistryView, *parties: PartyView) -> list[float]:
    """The shares' rates, in the parties' order."""
    shares = decide(Snapshot(of, parties), NOW).shares
    return [shares[p.party].rate for p in parties]


def test_parties_count_with_their_active_accounts() -> None:
    """The account is the unit in which the registrar grants."""
    assert rates(registry(rate=40), party("A", accounts=1), party("B", accounts=3)) == pytest.approx([10, 30])


def test_weight_counts_for_each_account() -> None:
    """Twice the weight, twice the pace."""
    assert rates(registry(rate=30), party("A", weight=2), party("B")) == pytest.approx([20, 10])


def test_what_one_cannot_use_goes_to_the_others_in_the_same_round() -> None:
    """A party with two records left keeps nobody waiting."""
    assert rates(registry(rate=30), party("A", sendable=2), party("B"), party("C")) == pytest.approx(
        [8, 11, 11]
    )


def test_who_is_done_within_a_second_weighs_more() -> None:
    """Slices do not divide: the last one of a small job is sent by one account alone, and what was lost in that way is made good."""
    of = registry(rate=24, account_rate=20)
    assert rates(of, party("A", sendable=12), party("B")) == pytest.approx([14.4, 9.6])
    assert rates(of, party("A", sendable=13), party("B")) == pytest.approx([12, 12])


def test_who_could_be_done_at_its_accounts_rate_but_not_at_its_part_weighs_no_more() -> None:
    """It would keep the greater weight for as long as the registry is what binds, at the others' cost."""
    of = registry(rate=30, account_rate=20)
    assert rates(of, party("A", sendable=91, accounts=5), party("B", accounts=5)) == pytest.approx([15, 15])


def test_a_party_without_weight_of_its_own_still_gets_what_nobody_else_can_use() -> None:
    """Nothing idle while someone open wants it."""
    assert rates(registry(rate=30), party("A", weight=0), party("B")) == pytest.approx([10, 20])


def test_the_floor_comes_before_weights() -> None:
    """A floor is a bottom, not an extra: what weights give counts towards it."""
    assert rates(registry(rate=20), party("A", floor=15), party("B")) == pytest.approx([15, 5])
    assert rates(registry(rate=20), party("A", floor=5), party("B")) == pytest.approx([10, 10])


def test_the_registrars_deadline_comes_before_weights() -> None:
    """100 records in 10 s of open time need 10 a second."""
    hurried = replace(party("A", sendable=100), deadline_open_ms=10_000)
    assert rates(registry(rate=12), hurried, party("B")) == pytest.approx([10, 2])


def test_the_brake_scales_what_is_shared() -> None:
    """Half the brake, half the pace, and the registry's own rate says so too."""
    decision = decide(Snapshot(registry(rate=40, brake=0.5), (party("A"), party("B"))), NOW)
    assert [share.rate for share in decision.shares.values()] == pytest.approx([10, 10])
    assert decision.rate == 20


def test_standing_water_is_given_out_beside_the_refill() -> None:
    """After idling a full bucket is used up before it can spill."""
    idle = replace(registry(rate=40, burst=100), available=100.0)
    full = replace(party("A", accounts=2), standing=40.0)
    assert rates(idle, full, replace(full, party="B")) == pytest.approx([140, 140])


def test_what_parties_hold_already_is_not_given_out_twice() -> None:
    """A bucket of 30 with 30 promised bears its rate; with 40 promised, less."""
    view = replace(registry(rate=40, burst=100), available=30.0)
    assert bearable_rate(view, [replace(party("A"), level=30.0)]) == pytest.approx(40)
    assert bearable_rate(view, [replace(party("A"), level=32.0)]) == pytest.approx(40 - 2 / SPREAD_S)
    assert bearable_rate(view, [replace(party("A"), level=3000.0)]) == pytest.approx(40 * (1 - MOST_WITHHELD))


def test_reasons_name_what_binds() -> None:
    """What status and `why` show."""
    held = replace(party("H"), held=True)
    cut_off = replace(party("Q"), accounts=0, sessions=(), quarantined=1)
    parties = (
        party("A"),
        party("W", open_ms=0),
        held,
        cut_off,
        party("N", sendable=2),
        party("P", rate=3),
        replace(party("X"), accounts=0),
    )
    reasons = decide(Snapshot(registry(), parties), NOW).reasons
    assert [str(reasons[p.party]) for p in parties] == [
        "account",
        "window",
        "hold",
        "quarantine",
        "nothing",
        "party",
        "account",
    ]
    assert decide(Snapshot(registry(rate=10), (party("A"),)), NOW).reasons["A"] is BoundBy.REGISTRY
    assert (
        decide(Snapshot(replace(registry(), paused=True), (party("A"),)), NOW).reasons["A"]
        is BoundBy.PUSHBACK
    )


def test_small_handfuls_suit_a_small_burst() -> None:
    """With a burst worth a quarter of a second, what parties may hold at once adds up to little more than the registry bears."""
    parties = [party(f"P{i:02}", accounts=1 + i % 4) for i in range(20)]
    shares = decide(Snapshot(registry(rate=800, burst=200), tuple(parties)), NOW).shares
    assert sum(share.burst for share in shares.values()) <= 200 + 3 * len(parties)
    assert all(share.burst >= share.rate * 0.2 for share in shares.values())


def _most(view: RegistryView, party: PartyView, sessions: int) -> float:
    """What a party can use in a round by its accounts, what stands in their buckets, its own ceiling and its records."""
    most = min(party.accounts, sessions) * view.account_rate + party.standing / SPREAD_S
    if not view.is_fluid:
        most = min(most, party.sendable * 1000 / ROUND_MS)
    return most if party.rate is None else min(most, party.rate)


@settings(max_examples=80, deadline=None)
@given(snapshots())
def test_whatever_the_world_the_decision_keeps_its_promises(world: Snapshot) -> None:
    """Nothing above what the registry bears, nothing idle that is wanted, nothing for the closed or held, ceilings kept."""
    decision = decide(world, NOW)
    view = world.registry
    assert decision.shares.keys() == {p.party for p in world.parties} == decision.reasons.keys()
    able = [
        p
        for p in world.parties
        if p.open_ms > 0 and not p.held and not view.held and p.accounts > 0 and p.sendable > 0
    ]
    seated = [p for p in able if decision.shares[p.party].sessions > 0]
    bears = bearable_rate(view, seated)
    total = sum(share.rate for share in decision.shares.values())
    assert total <= bears + 1e-6
    assert bears <= view.rate * view.brake + view.burst / SPREAD_S
    highs = {p.party: _most(view, p, decision.shares[p.party].sessions) for p in seated}
    wants_more = False
    for p in world.parties:
        share = decision.shares[p.party]
        assert 0 <= share.open_until_ms <= min(DRAW_AHEAD_MS, max(0, p.open_ms))
        assert share.burst >= 1
        if p not in able:
            assert share.rate == 0
            assert share.open_until_ms == 0 or decision.reasons[p.party] is BoundBy.NOTHING
            continue
        if p.rate is not None:
            assert share.rate <= p.rate + 1e-9
            assert share.burst <= max(1, p.rate + 1)
        most = _most(view, p, share.sessions)
        if (
            sum(highs.values()) < bears and not view.is_fluid
        ):  # what nobody else can use goes where it could be used
            most = max(
                most, min(p.accounts, share.sessions) * (view.account_rate + view.account_burst / SPREAD_S)
            )
        assert share.rate <= most + 1e-6
        if decision.reasons[p.party] is BoundBy.REGISTRY and share.sessions:
            wants_more = True
    if wants_more and view.rate * view.brake > 0 and seated:
        assert total == pytest.approx(bears, abs=1e-6)


def test_what_nobody_else_can_use_keeps_shares_as_they_are() -> None:
    """Each round another part of a burst stands in the accounts' buckets; a share follows that only where the registry binds."""
    told = {
        decide(
            Snapshot(registry(rate=800, burst=200), (replace(party("A", accounts=4), standing=standing),)),
            NOW,
        )
        .shares["A"]
        .rate
        for standing in (0.0, 2.8, 7.1)
    }
    assert len(told) == 1


@settings(max_examples=80, deadline=None)
@given(snapshots())
def test_equal_parties_get_equal_shares_and_a_heavier_one_never_less(world: Snapshot) -> None:
    """A twin gets what its twin gets; more weight is never worse."""
    if not world.parties:
        return
    view = replace(world.registry, sessions=1000)
    first = world.parties[0]
    twin = replace(first, party="twin")
    shares = decide(Snapshot(view, (*world.parties, twin)), NOW).shares
    assert shares["twin"].rate == pytest.approx(shares[first.party].rate)
    heavier = replace(twin, weight=twin.weight * 2 + 1)
    assert (
        decide(Snapshot(view, (*world.parties, heavier)), NOW).shares["twin"].rate
        >= shares["twin"].rate - 1e-6
    )


@settings(max_examples=80, deadline=None)
@given(snapshots())
def test_floors_are_honoured_as_far_as_all_can_have_them(world: Snapshot) -> None:
    """With seats for all and floors under the rate, each gets the least of its floor and what it can use."""
    view = replace(world.registry, sessions=1000, rate=2000.0, brake=1.0)
    slow = tuple(replace(p, level=0.0) for p in world.parties)
    decision = decide(Snapshot(view, slow), NOW)
    for p in slow:
        share = decision.shares[p.party]
        if share.open_until_ms == 0 or p.sendable == 0:
            continue
        most = min(p.accounts, share.sessions) * view.account_rate + p.standing / SPREAD_S
        backlog = p.sendable * 1000 / ROUND_MS if not view.is_fluid else most
        most = min(most, p.rate if p.rate is not None else most, backlog)
        assert share.rate >= min(p.floor, most) - 1e-6


def test_who_has_least_left_is_rung_for_first() -> None:
    """Sessions begin one after another: a hundred records notice a wait that a million do not."""
    many, few = (
        replace(party(name, pending, seated=False), pending=pending)
        for name, pending in (("A", 100_000), ("B", 100))
    )
    assert list(decide(Snapshot(registry(), (many, few)), NOW).serve) == ["B", "A"]
