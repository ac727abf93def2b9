"""What a change of policy does to finish times, and what a forecast reads from the ledger."""

from collections.abc import Sequence
from typing import cast

from domain.jobs import JobBacklog
from domain.policy import Policy
from domain.quota import Signals, Usage
from domain.states import AccountKind, AccountState
from ledger.protocols import Ledger
from ledger.values import AccountRow, HoldRow
from planner.what_if import FinishTimes, finish_times
from planner.world import read_world
from tests.scheduler.fakes import REGISTRY, FakeLedger, policy

NOW = 1_800_000_000_000


class Book(FakeLedger):
    """A ledger with open jobs."""

    async def open_jobs(self, registry: str, now: int) -> Sequence[JobBacklog]:
        """One job of 1,200 records for each of two parties."""
        return [JobBacklog(f"J-{p}", p, 0, NOW, None, 1200, 0, 1200) for p in ("A", "B")]


def book(rules: Policy | None = None) -> Ledger:
    """The same as the ledger that the planner asks."""
    return cast("Ledger", Book([(0, rules)] if rules else []))


async def test_only_parties_whose_end_moves_are_told() -> None:
    """One more account for A halves its time; B stays as it was."""
    before, after = policy({"A": 1, "B": 1}), policy({"A": 2, "B": 1})
    told = await finish_times(book(), before, after, NOW)
    assert told == [FinishTimes(REGISTRY, "A", NOW + 60_000, NOW + 30_000)]


async def test_a_party_left_without_accounts_or_windows_is_never_done() -> None:
    """None says: not in sight."""
    before = policy({"A": 1, "B": 1})
    told = await finish_times(book(), before, policy({"A": 0, "B": 1}), NOW)
    assert told == [FinishTimes(REGISTRY, "A", NOW + 60_000, None)]
    told = await finish_times(book(), before, policy({"A": 1, "B": 1}, windows=()), NOW)
    assert [(one.party, one.after_at) for one in told] == [("A", None), ("B", None)]


async def test_a_new_home_has_nothing_to_compare() -> None:
    """The first policy changes nobody's end."""
    assert await finish_times(book(), None, policy({"A": 1}), NOW) == []


async def test_accounts_out_of_use_do_not_count() -> None:
    """Before and after alike."""
    ledger = Book()
    ledger.rows = [AccountRow(REGISTRY, "A", "A-01", AccountKind.BASE, AccountState.SET_ASIDE)]
    told = await finish_times(cast("Ledger", ledger), policy({"A": 1}), policy({"A": 2}), NOW)
    assert told == []


async def test_a_forecast_starts_from_what_the_ledger_and_the_gate_say() -> None:
    """Policy in force, usable accounts, holds, the registrar's clock."""
    ledger = Book([(0, policy({"A": 2, "B": 1}))])
    ledger.rows = [AccountRow(REGISTRY, "A", "A-01", AccountKind.ADDED, AccountState.RESTED)]
    ledger.standing_holds = [HoldRow(REGISTRY, "B", "r", "ops", 0), HoldRow("other", None, "r", "ops", 0)]
    usage = Usage(1, 0, 0, 0, 0, signals=Signals(clock_offset_ms=700, clock_error_ms=30))
    world = await read_world(cast("Ledger", ledger), REGISTRY, NOW, usage=usage, brake_level=0.5)
    assert world is not None
    assert (world.accounts, world.held, world.held_parties) == ({"A": 1, "B": 1}, False, frozenset("B"))
    assert (world.clock.offset_ms, world.clock.error_ms, world.brake.level) == (700, 30, 0.5)
    assert len(world.jobs) == 2
    assert await read_world(cast("Ledger", ledger), "unheard-of", NOW) is None
