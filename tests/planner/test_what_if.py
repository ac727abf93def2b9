"""What a change of policy does to finish times."""

from collections.abc import Sequence
from typing import cast

from domain.jobs import JobBacklog
from domain.policy import Policy
from domain.states import AccountKind, AccountState
from ledger.protocols import Ledger
from ledger.values import AccountRow
from planner.what_if import FinishTimes, finish_times
from planner.work import LAST_MS, START_MS
from tests.scheduler.fakes import REGISTRY, FakeLedger, policy

NOW = 1_800_000_000_000
#: what a run takes beside its records, and the end of one account's 1,200
AROUND_MS = START_MS + LAST_MS
ALONE_AT = NOW + 60_000 + AROUND_MS


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
    assert told == [FinishTimes(REGISTRY, "A", ALONE_AT, NOW + 30_000 + 500 + AROUND_MS)]


async def test_a_party_left_without_accounts_or_windows_is_never_done() -> None:
    """None says: not in sight."""
    before = policy({"A": 1, "B": 1})
    told = await finish_times(book(), before, policy({"A": 0, "B": 1}), NOW)
    assert told == [FinishTimes(REGISTRY, "A", ALONE_AT, None)]
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
