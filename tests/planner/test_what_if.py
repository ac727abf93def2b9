"""What a change of policy does to finish times."""

from collections.abc import Sequence
from typing import cast

from domain.jobs import Job, JobBacklog
from domain.policy import Policy
from domain.states import AccountKind, AccountState, JobState
from ledger.protocols import Ledger
from ledger.values import AccountRow
from planner.what_if import FinishTimes, WhatIf, finish_times
from planner.work import LAST_MS, START_MS
from tests.scheduler.fakes import REGISTRY, FakeLedger, policy

NOW = 1_800_000_000_000
#: what a run takes beside its records, and the end of one account's 1,200
AROUND_MS = START_MS + LAST_MS
ALONE_AT = NOW + 60_000 + AROUND_MS


async def no_rows(job: Job) -> int:
    """Nothing is known of a file."""
    del job
    return 0


class Book(FakeLedger):
    """A ledger with open jobs, and maybe a file of A's that nobody has checked yet."""

    is_waiting = False

    async def open_jobs(self, registry: str, now: int) -> Sequence[JobBacklog]:
        """One job of 1,200 records for each of two parties."""
        return [JobBacklog(f"J-{p}", p, 0, NOW, None, 1200, 0, 1200) for p in ("A", "B")]

    async def jobs(
        self, party: str | None = None, states: frozenset[JobState] | None = None, limit: int = 1000
    ) -> Sequence[Job]:
        """The one file."""
        return [unchecked(REGISTRY)] if self.is_waiting else []


def unchecked(registry: str, name: str = "J-new") -> Job:
    """One file as taken in."""
    return Job(name, "A", registry, "party-members", 1, "f.csv", "", "b", JobState.RECEIVED, "R", NOW)


def book(rules: Policy | None = None) -> Ledger:
    """The same as the ledger that the planner asks."""
    return cast("Ledger", Book([(0, rules)] if rules else []))


async def test_only_parties_whose_end_moves_are_told() -> None:
    """One more account for A halves its time; B stays as it was."""
    before, after = policy({"A": 1, "B": 1}), policy({"A": 2, "B": 1})
    told = (await finish_times(book(), before, after, no_rows, NOW)).finish
    assert told == [FinishTimes(REGISTRY, "A", ALONE_AT, NOW + 30_000 + 500 + AROUND_MS)]


async def test_a_party_left_without_accounts_or_windows_is_never_done() -> None:
    """None says: not in sight."""
    before = policy({"A": 1, "B": 1})
    told = (await finish_times(book(), before, policy({"A": 0, "B": 1}), no_rows, NOW)).finish
    assert told == [FinishTimes(REGISTRY, "A", ALONE_AT, None)]
    told = (await finish_times(book(), before, policy({"A": 1, "B": 1}, windows=()), no_rows, NOW)).finish
    assert [(one.party, one.after_at) for one in told] == [("A", None), ("B", None)]


async def test_a_new_home_has_nothing_to_compare() -> None:
    """The first policy changes nobody's end."""
    assert await finish_times(book(), None, policy({"A": 1}), no_rows, NOW) == WhatIf()


async def test_accounts_out_of_use_do_not_count() -> None:
    """Before and after alike."""
    ledger = Book()
    ledger.rows = [AccountRow(REGISTRY, "A", "A-01", AccountKind.BASE, AccountState.SET_ASIDE)]
    told = (
        await finish_times(cast("Ledger", ledger), policy({"A": 1}), policy({"A": 2}), no_rows, NOW)
    ).finish
    assert told == []


async def test_files_that_nobody_has_checked_count_with_all_their_rows() -> None:
    """The end moves by their rows, before and after alike, and how many were counted is said."""
    ledger = Book()
    ledger.is_waiting = True

    async def rows_of(job: Job) -> int:
        assert job.job == "J-new"
        return 1200

    told = await finish_times(
        cast("Ledger", ledger), policy({"A": 1, "B": 1}), policy({"A": 2, "B": 1}), rows_of, NOW
    )
    assert (told.unchecked_files, told.unchecked_rows) == (1, 1200)
    [moved] = told.finish
    assert (moved.before_at, moved.after_at) == (ALONE_AT + 60_000, NOW + 60_000 + 500 + AROUND_MS)
