"""Why a job is where it is."""

from collections.abc import Sequence

import pytest

from domain.jobs import By
from domain.quota import BoundBy, PartyUse, Signals, Usage
from pratunam.parts import Parts
from pratunam.why import Reason, why
from tests.pratunam.desk import REGISTRY, Desk


def usage(bound_by: BoundBy = BoundBy.NOTHING, closed_ms: int = 0) -> Usage:
    """A gate in which P001 is bound by something."""
    party = PartyUse(0.0, 0, 0, bound_by)
    return Usage(
        1, 1_000, 0.0, 0, 0, parties={"P001": party}, signals=Signals(closed_ms=closed_ms), rate=100.0
    )


def reasons(desk: Desk, job: str, seen: Usage | None, *, running: bool = True) -> Sequence[Reason]:
    """What binds a job under this usage."""

    async def work(parts: Parts) -> Sequence[Reason]:
        found = await parts.ledger.job(job)
        return await why(parts.ledger, await parts.policy(), found, seen, 1_796_000_000_000, running=running)

    return desk.within(work)


@pytest.fixture
def job(desk: Desk) -> str:
    """A queued job of P001."""
    found = desk.submitted(desk.members())
    desk.check(found)
    return found


@pytest.mark.parametrize(
    "bound_by",
    [
        BoundBy.ACCOUNT,
        BoundBy.PARTY,
        BoundBy.REGISTRY,
        BoundBy.STARTING,
        BoundBy.SESSIONS,
        BoundBy.QUARANTINE,
    ],
)
def test_what_the_gate_says_is_told_in_words(desk: Desk, job: str, bound_by: BoundBy) -> None:
    """One reason, in both languages."""
    [reason] = reasons(desk, job, usage(bound_by))
    assert reason.code == bound_by.value
    assert reason.text_en != reason.text_th


def test_nothing_binds_a_job_that_goes_out(desk: Desk, job: str) -> None:
    """No reason at all."""
    assert reasons(desk, job, usage()) == []


def test_a_pushback_ends_at_an_instant(desk: Desk, job: str) -> None:
    """When the registrar's Retry-After is over."""
    [reason] = reasons(desk, job, usage(BoundBy.PUSHBACK, closed_ms=5_000))
    assert (reason.code, reason.until_at) == ("pushback", 1_796_000_005_000)


def test_a_gate_that_begins_and_one_that_does_not_run_differ(desk: Desk, job: str) -> None:
    """No usage while something runs: it is starting; else nothing is running."""
    assert [each.code for each in reasons(desk, job, None)] == ["starting"]
    assert [each.code for each in reasons(desk, job, None, running=False)] == ["not-running"]


def test_a_party_without_a_usable_account_is_told_which_and_why(desk: Desk, job: str) -> None:
    """The account and its state; a registry of rate 0 is closed."""

    async def set_aside(parts: Parts) -> None:
        now = parts.clock.now()
        await parts.ledger.set_aside(REGISTRY, "P001-01", "bad credentials", (), By("worker", "test"), now)

    desk.within(set_aside)
    [reason] = reasons(desk, job, usage())
    assert (reason.code, "P001-01 set_aside" in reason.text_en) == ("accounts", True)
    desk.apply(("rate     = 100", "rate     = 0"))
    assert [each.code for each in reasons(desk, job, usage())] == ["accounts", "rate"]


def test_an_ended_job_is_bound_by_nothing_any_more(desk: Desk, job: str) -> None:
    """Cancelled, and said so."""
    desk.json("job", "cancel", job)
    [reason] = reasons(desk, job, usage())
    assert reason.code == "cancelled"
