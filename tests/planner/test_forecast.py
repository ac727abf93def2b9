"""The forecast against runs told by hand, and against the simulation of the buckets across a window that closes."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.jobs import JobBacklog
from domain.windows import Span, WindowRule, open_spans
from planner.forecast import ForecastWorld, forecast
from scheduler.brake import BrakeState
from scheduler.openings import ClockOffset
from scheduler.snapshot import Snapshot
from tests.scheduler.buckets import Plant
from tests.scheduler.fakes import REGISTRY, policy

#: 2027-01-15, a Friday, 15:00 in Bangkok
NOW = 1_800_000_000_000
HOUR_MS = 3_600_000
SURE = ClockOffset(0, 0)


def job(party: str, records: int, name: str = "") -> JobBacklog:
    """One open job, all pending."""
    return JobBacklog(name or f"J-{party}", party, 0, NOW, None, records, 0, records)


def world(parties: dict[str, int], *jobs: JobBacklog, **rules: object) -> ForecastWorld:
    """A registry at rest."""
    return ForecastWorld(policy(parties, **rules), REGISTRY, jobs, parties, clock=SURE)


def test_one_party_sends_at_its_accounts_pace() -> None:
    """1,200 records, two accounts, 20 a second each: 30 s."""
    told = forecast(world({"A": 2}, job("A", 1200)), NOW)
    assert told.jobs["J-A"] == told.parties["A"] == NOW + 30_000
    assert told.spans["A"] == (Span(NOW, NOW + 30_000),)


def test_who_is_done_leaves_its_share_to_the_others() -> None:
    """30/s for two: 15 each for 10 s, then the second has it all, as far as its accounts reach."""
    told = forecast(world({"A": 1, "B": 1}, job("A", 150), job("B", 250), rate=30), NOW)
    assert told.jobs["J-A"] == pytest.approx(NOW + 10_000, abs=200)
    assert told.jobs["J-B"] == pytest.approx(NOW + 15_000, abs=400)


def test_small_jobs_of_a_party_end_first() -> None:
    """Within a party the order is the ledger's own."""
    told = forecast(world({"A": 1}, job("A", 1000, "large"), job("A", 100, "small")), NOW)
    assert told.jobs["small"] == NOW + 5_000
    assert told.jobs["large"] == told.parties["A"] == NOW + 55_000


def test_work_that_does_not_fit_before_the_weekend_ends_on_monday() -> None:
    """Friday 15:00 to 16:00 less the guard, then Monday from 08:00."""
    office = WindowRule(from_s=8 * 3600, to_s=16 * 3600, weekdays=frozenset(range(5)))
    told = forecast(world({"A": 1}, job("A", 80_000), windows=(office,)), NOW)
    monday = NOW - 15 * HOUR_MS + (3 * 24 + 8) * HOUR_MS
    assert told.jobs["J-A"] == pytest.approx(monday + 401_000, abs=2_000)
    assert told.spans["A"][0] == Span(NOW, NOW + HOUR_MS - 1000)
    assert told.spans["A"][1].from_at == monday


def test_what_will_never_be_sent_has_no_end() -> None:
    """Held, without accounts, without windows."""
    parties = {"A": 1, "B": 0, "C": 1}
    base = world(parties, job("A", 10), job("B", 10), job("C", 10))
    told = forecast(replace(base, held_parties=frozenset({"A"})), NOW)
    assert (told.jobs["J-A"], told.jobs["J-B"]) == (None, None)
    assert told.jobs["J-C"] == NOW + 500
    assert forecast(replace(base, held=True), NOW).parties == {"A": None, "B": None, "C": None}
    assert forecast(world(parties, job("A", 10), windows=()), NOW).parties["A"] is None


def test_the_brake_lets_go_in_steps_also_in_the_forecast() -> None:
    """At half the rate the work takes longer, but not twice as long."""
    free = world({"A": 40}, job("A", 40_000), rate=400)
    braked = forecast(replace(free, brake=BrakeState(level=0.5)), NOW).parties["A"]
    unbraked = forecast(free, NOW).parties["A"]
    assert unbraked is not None
    assert braked is not None
    assert unbraked == pytest.approx(NOW + 100_000, abs=1_000)
    assert NOW + 103_000 < braked < NOW + 125_000


def test_parties_that_outnumber_sessions_are_done_when_turns_let_them() -> None:
    """Ten parties on two sessions of 20/s: 2,000 records take 50 s."""
    parties = {f"P{i}": 1 for i in range(10)}
    told = forecast(world(parties, *(job(name, 200) for name in parties), sessions=2), NOW)
    assert max(end or 0 for end in told.parties.values()) == pytest.approx(NOW + 50_000, rel=0, abs=1_000)


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
    assert sent <= open_s / 1000 * min(rate, 20 * sessions) * 1.001 + len(waiting)
