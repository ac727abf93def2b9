"""The forecast against runs told by hand, and against the simulation of the buckets across a window that closes."""

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.jobs import JobBacklog
from domain.policy import BrakeRules
from domain.quota import Signals
from domain.windows import Span, WindowRule, open_spans
from planner.forecast import ForecastWorld, forecast
from planner.work import LAST_MS, SETTLED_AFTER_S, START_MS
from scheduler.brake import BrakeState, brake
from scheduler.decide import ENDING_S, ENDING_WEIGHT
from scheduler.openings import ClockOffset
from scheduler.snapshot import Snapshot
from tests.scheduler.buckets import Plant
from tests.scheduler.fakes import REGISTRY, policy

#: 2027-01-15, a Friday, 15:00 in Bangkok
NOW = 1_800_000_000_000
HOUR_MS = 3_600_000
SURE = ClockOffset(0, 0)
#: what a run takes beside its records
AROUND_MS = START_MS + LAST_MS


def job(party: str, records: int, name: str = "") -> JobBacklog:
    """One open job, all pending."""
    return JobBacklog(name or f"J-{party}", party, 0, NOW, None, records, 0, records)


def world(parties: dict[str, int], *jobs: JobBacklog, **rules: object) -> ForecastWorld:
    """A registry at rest."""
    return ForecastWorld(policy(parties, **rules), REGISTRY, jobs, parties, clock=SURE)


def test_one_party_sends_at_its_accounts_pace() -> None:
    """1,200 records, one account, 20 a second: 60 s, and what it takes to begin and to end."""
    told = forecast(world({"A": 1}, job("A", 1200)), NOW)
    assert told.jobs["J-A"] == told.parties["A"] == NOW + 60_000 + AROUND_MS
    assert told.spans["A"] == (Span(NOW + START_MS, NOW + START_MS + 60_000),)


def test_accounts_do_not_end_together() -> None:
    """Two accounts on slices of 40 records, 2 s each: the last slice of one of them ends half a second late on average."""
    told = forecast(world({"A": 2}, job("A", 1200)), NOW)
    assert told.jobs["J-A"] == NOW + 30_000 + 500 + AROUND_MS
    alone = replace(world({"A": 2}, job("A", 1200), rate=20), available=0.0)
    assert forecast(alone, NOW).jobs["J-A"] == NOW + 60_000 + AROUND_MS, "one takes over what another had"


def test_what_stands_in_the_buckets_leaves_at_once() -> None:
    """Full buckets of 20 at two accounts that are not at work: 40 records less; those at work have none, the registry's is no help."""
    base = world({"A": 2}, job("A", 1200), burst=800, account_burst=20)
    resting, sending = replace(base, available=800.0), replace(base, available=800.0, sending={"A": 40.0})
    apart = (forecast(base, NOW).jobs["J-A"] or 0) - (forecast(resting, NOW).jobs["J-A"] or 0)
    assert apart == pytest.approx(1000 * 40 / 40, abs=20)
    late = SETTLED_AFTER_S * 40
    told = (forecast(sending, NOW).jobs["J-A"] or 0) - NOW - LAST_MS - 500
    assert told == pytest.approx((1200 - late) * 1000 / 40, abs=20), (
        "what was answered, and is not settled yet, is done"
    )


def test_slow_answers_bound_the_pace_by_what_may_be_out() -> None:
    """A burst of 10 with answers after a second: no more than 10 in that second, two ticks, and the time in which one more comes in."""
    slow = replace(world({"A": 1}, job("A", 1200), account_burst=10), latency_ms=1000.0)
    told = forecast(slow, NOW).jobs["J-A"] or 0
    assert told - NOW == pytest.approx(1200 * 1090 / 10, rel=0.02)


def test_a_file_that_is_still_checked_takes_its_part_from_then_on() -> None:
    """B's file is checked for 10 s yet: A has all until then, and half from then on."""
    coming = JobBacklog("J-B", "B", 0, NOW, None, 10_000, 0, 0, NOW + 10_000)
    told = forecast(world({"A": 1, "B": 1}, job("A", 400), coming, rate=20), NOW)
    assert told.jobs["J-A"] == pytest.approx(NOW + 30_000 + AROUND_MS, abs=600)
    assert told.spans["B"][0].from_at == NOW + 10_000 + START_MS


def test_a_registrar_that_says_closed_while_it_is_may_be_heard_by_the_brake() -> None:
    """The forecast asks the scheduler's own brake, whatever that makes of it."""
    shut = (WindowRule(from_s=15 * 3600 + 60, to_s=16 * 3600),)
    base = world({"A": 40}, job("A", 40_000), rate=400, windows=shut)
    heard = brake(BrakeRules(), BrakeState(), Signals(load_state="closed"), NOW).level < 1
    silent, told = forecast(base, NOW), forecast(replace(base, tells_closed=True), NOW)
    assert ((told.jobs["J-A"] or 0) > (silent.jobs["J-A"] or 0)) is heard


def test_last_slices_that_do_not_fit_before_the_window_closes_end_behind_it() -> None:
    """Evenly it would be done a moment before the guard; no end is told inside the closed time."""
    hours = (WindowRule(from_s=0, to_s=15 * 3600 + 31), WindowRule(from_s=15 * 3600 + 600, to_s=86400))
    told = forecast(world({"A": 2}, job("A", 1190), windows=hours, guard_s=1), NOW).jobs["J-A"]
    assert told is not None
    assert NOW + 600_000 < told < NOW + 602_000


def test_who_is_done_leaves_its_share_to_the_others() -> None:
    """30/s for two: 15 each for 10 s, then the second has it all, as far as its accounts reach."""
    told = forecast(world({"A": 1, "B": 1}, job("A", 150), job("B", 250), rate=30), NOW)
    assert told.jobs["J-A"] == pytest.approx(NOW + 10_000 + AROUND_MS, abs=200)
    assert told.jobs["J-B"] == pytest.approx(NOW + 15_000 + AROUND_MS, abs=400)


def test_small_jobs_of_a_party_end_first() -> None:
    """Within a party the order is the ledger's own."""
    told = forecast(world({"A": 1}, job("A", 1000, "large"), job("A", 100, "small")), NOW)
    assert told.jobs["small"] == NOW + 5_000 + AROUND_MS
    assert told.jobs["large"] == told.parties["A"] == NOW + 55_000 + AROUND_MS


def test_work_that_does_not_fit_before_the_weekend_ends_on_monday() -> None:
    """Friday 15:00 to 16:00 less the guard, then Monday from 08:00."""
    office = WindowRule(from_s=8 * 3600, to_s=16 * 3600, weekdays=frozenset(range(5)))
    told = forecast(world({"A": 1}, job("A", 80_000), windows=(office,)), NOW)
    monday = NOW - 15 * HOUR_MS + (3 * 24 + 8) * HOUR_MS
    assert told.jobs["J-A"] == pytest.approx(monday + 401_000, abs=2_000)
    assert told.spans["A"][0] == Span(NOW + START_MS, NOW + HOUR_MS - 1000)
    assert told.spans["A"][1].from_at == monday + START_MS


def test_what_will_never_be_sent_has_no_end() -> None:
    """Held, without accounts, without windows."""
    parties = {"A": 1, "B": 0, "C": 1}
    base = world(parties, job("A", 10), job("B", 10), job("C", 10))
    told = forecast(replace(base, held_parties=frozenset({"A"})), NOW)
    assert (told.jobs["J-A"], told.jobs["J-B"]) == (None, None)
    assert told.jobs["J-C"] == NOW + 500 + AROUND_MS
    assert forecast(replace(base, held=True), NOW).parties == {"A": None, "B": None, "C": None}
    assert forecast(world(parties, job("A", 10), windows=()), NOW).parties["A"] is None


def test_the_brake_lets_go_in_steps_also_in_the_forecast() -> None:
    """At half the rate the work takes longer, but not twice as long."""
    free = world({"A": 40}, job("A", 40_000), rate=400)
    braked = forecast(replace(free, brake=BrakeState(level=0.5)), NOW).parties["A"]
    unbraked = forecast(free, NOW).parties["A"]
    assert unbraked is not None
    assert braked is not None
    assert unbraked == pytest.approx(NOW + 100_000, abs=2_000)
    assert NOW + 103_000 < braked < NOW + 125_000


def test_parties_that_outnumber_sessions_are_done_when_turns_let_them() -> None:
    """Ten parties on two sessions of 20/s: five turns of 200 records, each from a full bucket of 20, and the gaps between them."""
    parties = {f"P{i}": 1 for i in range(10)}
    told = forecast(world(parties, *(job(name, 200) for name in parties), sessions=2), NOW)
    assert max(end or 0 for end in told.parties.values()) == pytest.approx(NOW + 5 * 9_300, rel=0, abs=1_500)


def test_made_at_a_third_of_a_run_with_a_closed_window_in_it_it_is_within_a_tenth() -> None:
    """Twelve parties in the simulation of the buckets; the registry closes for 20 s in the middle."""
    accounts = [1 + k % 4 for k in range(12)]
    records = [3000 if k == 3 else 100 if k == 7 else 150 * (k + 1) for k in range(12)]
    shut_from, shut_to = 25_000, 45_000
    scene = Plant(records, accounts, rate=300, burst=300)
    done_by = 120_000
    snapshots: list[tuple[int, list[int]]] = []

    def closing(snapshot: Snapshot, now: int) -> Snapshot:
        snapshots.append((now, [p.sendable for p in snapshot.parties]))
        left_ms = shut_from - now if now < shut_from else done_by if now >= shut_to else 0
        return replace(snapshot, parties=tuple(replace(p, open_ms=left_ms) for p in snapshot.parties))

    scene.world = closing
    scene.run(done_by)
    ended = {k: max(at for at, who in scene.arrivals if who == k) for k in range(12)}
    last = max(ended.values())
    assert shut_to < last < done_by
    made_at, left = next((now, left) for now, left in snapshots if now >= last / 3)
    day_s = 15 * 3600
    windows = (
        WindowRule(from_s=day_s, to_s=day_s + shut_from // 1000),
        WindowRule(from_s=day_s + shut_to // 1000, to_s=day_s + 3600),
    )
    parties = {f"{k:02}": accounts[k] for k in range(12)}
    waiting = [job(f"{k:02}", left[k]) for k in range(12) if left[k]]
    told = forecast(world(parties, *waiting, rate=300, windows=windows, guard_s=0), NOW + made_at)
    for one in waiting:
        end, truth = told.parties[one.party], ended[int(one.party)]
        assert end is not None
        assert abs((end - NOW - made_at) - (truth - made_at)) <= 0.1 * (truth - made_at) + 500


def test_a_long_stride_does_not_carry_a_party_past_its_window() -> None:
    """Ten days in, a stride may last hours: ten minutes a night stay ten minutes a night."""
    nightly = WindowRule(from_s=22 * 3600, to_s=22 * 3600 + 600, parties=("A",))
    base = world({"A": 1, "B": 1}, job("A", 200_000), job("B", 40_000_000))
    rules = base.policy.registries[REGISTRY]
    windows = replace(rules, windows=(*rules.windows, nightly))
    told = forecast(replace(base, policy=replace(base.policy, registries={REGISTRY: windows})), NOW)
    end = told.parties["A"]
    assert end is not None
    nights = open_spans((nightly,), (), "Asia/Bangkok", NOW, end)
    assert len(nights) == pytest.approx(200_000 / (20 * 599), rel=0.1)
    assert all(span.to_at - span.from_at <= 600_000 for span in told.spans["A"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 20_000)), min_size=1, max_size=8),
    st.sampled_from([40.0, 300.0]),
    st.integers(1, 12),
    st.booleans(),
)
def test_nobody_ends_sooner_than_its_accounts_and_the_registry_allow(
    given_parties: list[tuple[int, int]], rate: float, sessions: int, has_hours: bool
) -> None:
    """No plan beats the limits; stretches of work lie inside windows; every party that may send has an end."""
    parties = {f"P{i}": accounts for i, (accounts, _) in enumerate(given_parties)}
    waiting = [job(f"P{i}", records) for i, (_, records) in enumerate(given_parties)]
    rules: dict[str, object] = {"rate": rate, "sessions": sessions}
    windows = (WindowRule(from_s=0, to_s=86400),)
    if has_hours:
        windows = (WindowRule(from_s=14 * 3600, to_s=15 * 3600 + 60),)
    told = forecast(world(parties, *waiting, windows=windows, **rules), NOW)
    for one in waiting:
        end = told.parties[one.party]
        if parties[one.party] == 0 and one.pending:
            assert end is None
            continue
        assert end is not None
        open_to_end = open_spans(windows, (), "Asia/Bangkok", NOW, end)
        open_s = sum(span.to_at - span.from_at for span in open_to_end) / 1000
        assert one.pending <= open_s * min(rate, 20 * parties[one.party]) * 1.001 + 1
        for span in told.spans[one.party]:
            assert span.from_at < span.to_at
    ends = [end for end in told.parties.values() if end is not None]
    open_s = sum(
        s.to_at - s.from_at for s in open_spans(windows, (), "Asia/Bangkok", NOW, max(ends, default=NOW))
    )
    sent = sum(one.pending for one in waiting if parties[one.party])
    # a turn begins with a full bucket
    assert sent <= open_s / 1000 * min(rate, 22 * sessions) * 1.001 + len(waiting)


PARTIES = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 5_000)), min_size=1, max_size=5)
SHUT = (WindowRule(from_s=0, to_s=15 * 3600 + 40), WindowRule(from_s=15 * 3600 + 70, to_s=86400))


def ends_of(parties: list[tuple[int, int]], rate: float, *, has_shut: bool) -> list[int]:
    """When each party is done."""
    accounts = {f"P{i}": count for i, (count, _) in enumerate(parties)}
    waiting = [job(f"P{i}", records) for i, (_, records) in enumerate(parties)]
    rules: dict[str, object] = {"rate": rate} | ({"windows": SHUT} if has_shut else {})
    told = forecast(replace(world(accounts, *waiting, **rules), available=rate), NOW).parties
    return [end - NOW for end in told.values() if end is not None]


def is_no_sooner(later: float, sooner: float) -> bool:
    """Strides are as coarse as a hundredth of the time gone by, or a tenth of a second: that much may be lost on the way."""
    return later >= sooner - max(500, 0.02 * sooner)


@settings(max_examples=80, deadline=None)
@given(PARTIES, st.sampled_from([30.0, 100.0, 800.0]), st.booleans(), st.integers(1, 3_000))
@example([(3, 407), (3, 407)], 800.0, False, 1)
@example([(3, 46), (3, 46)], 30.0, False, 36)
@example([(5, 91), (5, 91)], 30.0, False, 31)
@example([(6, 122), (4, 64), (1, 109)], 100.0, False, 27)
def test_more_rows_never_end_sooner(
    parties: list[tuple[int, int]], rate: float, has_shut: bool, more: int
) -> None:
    """Neither for who hands them in, nor for anybody else by more than that one's last second of greater weight, which comes later now."""
    (accounts, records), *others = parties
    before = ends_of(parties, rate, has_shut=has_shut)
    after = ends_of([(accounts, records + more), *others], rate, has_shut=has_shut)
    assert is_no_sooner(after[0], before[0])
    lent_ms = 1000 * ENDING_S * (ENDING_WEIGHT - 1)
    assert all(is_no_sooner(late + lent_ms, soon) for late, soon in zip(after[1:], before[1:], strict=True))


def test_what_an_account_may_still_burst_is_drawn_once_the_registrys_bucket_fills_again() -> None:
    """Two larger parties take what stands in it; when they are done, the third has its account's burst left, and the registry room."""
    rows, rate, burst = 109, 20, 20
    end_ms = ends_of([(6, 122), (4, 64), (1, rows)], 100.0, has_shut=False)[2]
    assert end_ms <= 1000 * (rows - burst) / rate + 500


@settings(max_examples=80, deadline=None)
@given(PARTIES, st.sampled_from([30.0, 100.0, 800.0]), st.booleans(), st.integers(1, 4))
def test_more_accounts_never_end_later(
    parties: list[tuple[int, int]], rate: float, has_shut: bool, more: int
) -> None:
    """For the party that has them; others, who share with it, may well."""
    (accounts, records), *others = parties
    before = ends_of(parties, rate, has_shut=has_shut)
    after = ends_of([(accounts + more, records), *others], rate, has_shut=has_shut)
    assert is_no_sooner(before[0], after[0])
