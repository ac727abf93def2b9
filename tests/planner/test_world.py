"""What a forecast starts from, as ledger and gate tell it."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

from domain.jobs import Job, JobBacklog
from domain.quota import PartyUse, SessionUse, Signals, Usage
from domain.states import AccountKind, AccountState, JobState
from ledger.protocols import Ledger
from ledger.values import AccountRow, HoldRow
from planner.forecast import ForecastWorld
from planner.world import CHECK_STARTS_MS, as_used, read_world
from tests.scheduler.fakes import REGISTRY, FakeLedger, policy

NOW = 1_800_000_000_000


def backlog(party: str, ready: int = 1200) -> JobBacklog:
    """One job of 1,200 records."""
    return JobBacklog(f"J-{party}", party, 0, NOW, None, 1200, 0, ready)


class Book(FakeLedger):
    """A ledger with open jobs, and files that nobody has checked yet."""

    async def open_jobs(self, registry: str, now: int) -> Sequence[JobBacklog]:
        """One job for each of two parties."""
        return [backlog("A"), backlog("B")]

    async def jobs(
        self, party: str | None = None, states: frozenset[JobState] | None = None, limit: int = 1000
    ) -> Sequence[Job]:
        """Newest first, as the ledger tells them."""
        assert states == frozenset({JobState.RECEIVED, JobState.CHECKING})
        found = [("J-3", REGISTRY), ("J-2", "other"), ("J-1", REGISTRY)]
        return [
            cast(
                "Job",
                SimpleNamespace(
                    job=name,
                    party="A",
                    registry=registry,
                    submitted_at=NOW - 100 + int(name[-1]),
                    priority=0,
                    deadline_at=None,
                ),
            )
            for name, registry in found
        ]


async def rows_of(job: Job) -> int:
    """How many rows each of those files has."""
    return {"J-3": 100_000, "J-2": 50_000, "J-1": 0}[job.job]


def session(party: str, *, quarantined: bool = False) -> SessionUse:
    """One session, or one that is not known to be closed."""
    return SessionUse(party, f"{party}-00", "w1", 1, 6000, 0, 0, 0, quarantined=quarantined)


async def test_a_forecast_starts_from_what_the_ledger_and_the_gate_say() -> None:
    """Policy in force, usable accounts, holds, the registrar's clock."""
    ledger = Book([(0, policy({"A": 2, "B": 1}))])
    ledger.rows = [AccountRow(REGISTRY, "A", "A-01", AccountKind.ADDED, AccountState.RESTED)]
    ledger.standing_holds = [HoldRow(REGISTRY, "B", "r", "ops", 0), HoldRow("other", None, "r", "ops", 0)]
    usage = Usage(1, 0, 70.5, 20, 0, standing=50.5, signals=Signals(clock_offset_ms=700, clock_error_ms=30))
    world = await read_world(cast("Ledger", ledger), REGISTRY, NOW, usage=usage, brake_level=0.5)
    assert world is not None
    assert (world.accounts, world.held, world.held_parties) == ({"A": 1, "B": 1}, False, frozenset("B"))
    assert (world.clock.offset_ms, world.clock.error_ms, world.brake.level) == (700, 30, 0.5)
    assert (world.available, world.latency_ms, world.sending) == (50.5, 0.0, {})
    assert await read_world(cast("Ledger", ledger), "unheard-of", NOW) is None


async def test_files_to_be_checked_come_when_that_is_done_one_after_another() -> None:
    """Also behind those of other registries, whose checks take their time; each with all its rows."""
    ledger = cast("Ledger", Book([(0, policy({"A": 2, "B": 1}))]))
    world = await read_world(ledger, REGISTRY, NOW, rows_of=rows_of)
    assert world is not None
    assert world.available is None, "the gate was not asked"
    coming = {job.job: (job.pending, job.ready_lines, job.next_due_at) for job in world.jobs[2:]}
    assert coming == {
        "J-1": (0, 0, NOW + CHECK_STARTS_MS),
        "J-3": (100_000, 0, NOW + 3 * CHECK_STARTS_MS + 3_000),
    }


def test_who_sends_and_how_fast_is_what_the_gate_says_of_live_sessions() -> None:
    """A share beyond what the live sessions' accounts bear is not sent; a session of which nothing is known sends nothing."""
    base = ForecastWorld(policy({"A": 3, "B": 1}), REGISTRY, [backlog("A")], {"A": 3, "B": 1})
    uses = {name: PartyUse(level=0.0, outstanding=0, sent=0, share=share) for name, share in (("A", 60.0),)}
    usage = Usage(
        1, 0, 10.0, 0, 0, sessions=[session("A"), session("A"), session("B", quarantined=True)], parties=uses,
        signals=Signals(answers=200, latency_ms_sum=5_000),
    )  # fmt: skip
    used = as_used(base, usage)
    assert used.sending == {"A": 40.0}
    assert used.latency_ms == 25.0
    assert used.accounts == {"A": 3, "B": 1}


def test_what_lies_in_hand_is_work_for_those_who_hold_it_only() -> None:
    """Nothing is left to claim: an account without a session has nothing to do."""
    base = ForecastWorld(policy({"A": 3}), REGISTRY, [backlog("A", ready=0)], {"A": 3})
    assert as_used(base, Usage(1, 0, 0.0, 0, 0, sessions=[session("A")])).accounts == {"A": 1}
    assert as_used(base, Usage(1, 0, 0.0, 0, 0)).accounts == {"A": 3}


def test_a_load_page_counts_for_the_windows_of_the_only_registry_behind_it() -> None:
    """Two registries of one endpoint share one page, which says closed only when both are; none is there when it says nothing."""
    one = ForecastWorld(policy({"A": 1}), REGISTRY, [], {"A": 1})
    says, silent = Usage(1, 0, 0.0, 0, 0, signals=Signals(load_state="normal")), Usage(1, 0, 0.0, 0, 0)
    assert as_used(one, says).tells_closed
    assert not as_used(one, silent).tells_closed
    one.policy.registries["second"] = one.policy.registries[REGISTRY]  # type: ignore[index]  # a plain dictionary in this test
    assert not as_used(one, says).tells_closed
