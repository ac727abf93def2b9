"""Stations keep in step with the policy in force, and know when each party's window ends."""

from dataclasses import replace
from typing import Any, cast

import pytest

from domain.clock import ManualClock
from domain.errors import NotFound
from domain.policy import Policy, PolicyVersion, RegistryRules
from domain.quota import Quotas
from domain.windows import WindowRule
from domain.wire import ClockSample, Load, Wire
from ledger.boxes import SliceBox
from ledger.protocols import Ledger
from tests.workers.fake_gate import FakeGate
from tests.workers.real import REGISTRY, make_policy
from workers.settling import RIPE_SOON_MS
from workers.stations import POLICY_EVERY_MS, Closing, StationParts, Stations
from workers.watch import Watch

DAY_MS = 86_400_000
#: 2026-01-01T00:00 in Bangkok
MIDNIGHT = 1_767_225_600_000 - 7 * 3_600_000


class FakeWire:
    """A wire that was made, and closed."""

    def __init__(self, rules: RegistryRules) -> None:
        self.rules = rules
        self.is_closed = False
        self.listeners: list[Any] = []

    def on_clock(self, listener: Any) -> None:
        """Note a listener."""
        self.listeners.append(listener)

    async def load(self) -> Load | None:
        """Tell the load."""
        for listener in self.listeners:
            listener(ClockSample(2_000, 500, 520))
        return Load("busy")

    async def close(self) -> None:
        """Close."""
        self.is_closed = True


class Book:
    """A ledger that knows versions of the policy."""

    def __init__(self, policy: Policy | None) -> None:
        self.versions = [] if policy is None else [self.version(1, policy)]

    def version(self, number: int, policy: Policy) -> PolicyVersion:
        """Make a version."""
        return PolicyVersion(number, 0, 0, "a", "b", "", policy)

    def apply(self, policy: Policy) -> None:
        """Put another version in force."""
        self.versions.append(self.version(len(self.versions) + 1, policy))

    async def policy(self, now: int) -> PolicyVersion | None:
        """The version in force."""
        return self.versions[-1] if self.versions else None


class Desk:
    """Stations on a manual clock."""

    def __init__(self, policy: Policy | None) -> None:
        self.clock = ManualClock()
        self.book = Book(policy)
        self.gate = FakeGate()
        self.wires: list[FakeWire] = []

        def make_wire(rules: RegistryRules, clock: object) -> Wire:
            self.wires.append(FakeWire(rules))
            return cast("Wire", self.wires[-1])

        def open_slice(claimed: object) -> SliceBox:
            raise AssertionError(claimed)

        self.stations = Stations(
            StationParts(
                ledger=cast("Ledger", self.book), quotas=cast("Quotas", self.gate), clock=self.clock, emit=lambda event: None,
                holder="host:1", open_slice=open_slice, make_wire=make_wire,
                maybe_ours=lambda profile: frozenset({f"{profile}-ours"}), wake=lambda registry: None,
            )
        )  # fmt: skip


def with_rules(policy: Policy, **rules: Any) -> Policy:
    """The policy with other rules for its registry."""
    return replace(policy, registries={REGISTRY: replace(policy.registries[REGISTRY], **rules)})


async def test_limits_change_within_a_second_and_the_wire_stays() -> None:
    """A new version's limits reach the station that sessions already use."""
    policy = make_policy("http://one", {"P1": 1})
    desk = Desk(policy)
    station = await desk.stations.station(REGISTRY)
    desk.book.apply(with_rules(policy, guard_s=7))
    assert await desk.stations.run_once() == POLICY_EVERY_MS / 1000
    assert station.rules.guard_s == 1
    desk.clock.advance(POLICY_EVERY_MS)
    await desk.stations.run_once()
    assert station.rules.guard_s == 7
    assert len(desk.wires) == 1
    await desk.stations.close()
    assert desk.wires[0].is_closed


async def test_another_endpoint_is_for_later_sessions() -> None:
    """Running sessions keep their wire; both are closed at the end."""
    policy = make_policy("http://one", {"P1": 1})
    desk = Desk(policy)
    before = await desk.stations.station(REGISTRY)
    desk.book.apply(with_rules(policy, endpoint="http://two", idempotent=False))
    desk.clock.advance(POLICY_EVERY_MS)
    after = await desk.stations.station(REGISTRY)
    assert [wire.rules.endpoint for wire in desk.wires] == ["http://one", "http://two"]
    assert (before.rules.endpoint, after.rules.endpoint) == ("http://one", "http://two")
    assert after.pacer is before.pacer
    assert after.settler.ripe_ms == RIPE_SOON_MS
    await desk.stations.close()
    assert all(wire.is_closed for wire in desk.wires)


async def test_what_the_policy_does_not_know_has_no_station() -> None:
    """Neither a home without a policy nor an unknown registry is served."""
    with pytest.raises(NotFound):
        await Desk(None).stations.station(REGISTRY)
    with pytest.raises(NotFound):
        await Desk(make_policy("http://one", {})).stations.station("elsewhere")


def test_the_end_of_a_window_is_known() -> None:
    """Open until its end, closed after it, closed for strangers, and without end where it is always open."""
    policy = make_policy(
        "http://one", {"P1": 1}, windows=(WindowRule(8 * 3600, 16 * 3600, weekdays=frozenset(range(7))),)
    )
    closing = Closing(REGISTRY)
    morning, evening = MIDNIGHT + 9 * 3_600_000, MIDNIGHT + 17 * 3_600_000
    assert closing.closes_at("P1", morning) == morning
    closing.heed(policy)
    assert closing.closes_at("P1", morning) == MIDNIGHT + 16 * 3_600_000
    assert closing.closes_at("P1", evening) == evening
    assert closing.closes_at("P9", morning) == morning
    closing.heed(make_policy("http://one", {"P1": 1}))
    assert closing.closes_at("P1", morning) is None


async def test_the_watch_reports_load_and_clock() -> None:
    """What the registrar says of itself and of the time reaches the gate, once while nothing changes."""
    desk = Desk(make_policy("http://one", {"P1": 1}))
    station = await desk.stations.station(REGISTRY)
    await desk.stations.close()
    watch = Watch(station)
    await watch.run_once()
    before = len(desk.gate.reports)
    await watch.run_once()
    assert len(desk.gate.reports) == before
    assert desk.gate.reports[-1].load_state == "busy"
    assert desk.gate.reports[-1].clock_offset_ms == 1_990
    assert station.offset.offset_ms == 1_990


def test_a_window_that_was_closed_a_moment_ago_is_open_from_its_first_instant() -> None:
    """Looked at just before its opening, a party is not thought closed for another minute."""
    hours = (WindowRule(from_s=8 * 3600, to_s=9 * 3600),)
    policy = make_policy("http://127.0.0.1:1", {"A": 1}, windows=hours)
    closing = Closing(REGISTRY)
    closing.heed(policy)
    opens = MIDNIGHT + 8 * 3_600_000
    assert closing.closes_at("A", opens - 500) == opens - 500
    assert closing.closes_at("A", opens) == opens + 3_600_000


def test_a_clock_that_ran_ahead_into_a_gap_moves_no_end() -> None:
    """Stepped forward past a window's end and measured anew a moment later, it finds the end where it always was."""
    hours = (WindowRule(from_s=8 * 3600, to_s=9 * 3600),)
    closing = Closing(REGISTRY)
    closing.heed(make_policy("http://127.0.0.1:1", {"A": 1}, windows=hours))
    closes = MIDNIGHT + 9 * 3_600_000
    assert closing.closes_at("A", closes + 2_000) == closes + 2_000
    assert closing.closes_at("A", closes - 3_000) == closes


async def test_a_clock_that_was_stepped_back_opens_nothing_again() -> None:
    """Until a header tells what to make of it, the registrar's clock goes on by the monotonic one; then it is known by the new clock."""
    desk = Desk(make_policy("http://one", {"P1": 1}))
    station = await desk.stations.station(REGISTRY)
    await desk.stations.close()
    watch = Watch(station)
    now = desk.clock.now()
    watch._hear(ClockSample(now + 2_000, now, now))
    await watch.run_once()
    before = station.registrar_now()
    desk.clock.step(-4_000)
    desk.clock.advance(300)
    assert station.registrar_now() == before + 300
    now = desk.clock.now()
    watch._hear(
        ClockSample(now + 6_000, now, now)
    )  # the registrar's clock is as far from ours as the step has made it
    offset_ms, error_ms = station.offset.offset_ms, station.offset.error_ms
    assert offset_ms is not None
    assert error_ms is not None
    assert offset_ms > 5_000
    assert station.registrar_now() == now + offset_ms + error_ms
