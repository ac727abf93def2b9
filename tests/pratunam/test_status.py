"""The status, read through a fake gate whose counters move."""

import asyncio
from dataclasses import dataclass, field, replace

from domain.errors import GateLost
from domain.quota import BoundBy, PartyUse, SessionUse, Usage
from pratunam.parts import Parts
from pratunam.status import Status, StatusReader, read_status
from tests.pratunam.desk import Desk

USAGE = Usage(
    generation=1,
    gate_at=10_000,
    level=5.0,
    outstanding=3,
    sent=100,
    sessions=(SessionUse("P001", "P001-01", "w", 1, 5_000, 3, 100, 97),),
    parties={"P001": PartyUse(1.0, 3, 100, BoundBy.ACCOUNT, 20.0)},
    rate=50.0,
)


@dataclass
class Gate:
    """A gate that answers what it was given, one after another, the last for ever."""

    answers: list[Usage | None] = field(default_factory=list)

    async def usage(self, registry: str) -> Usage:
        """Return the next answer; None stands for a lost gate."""
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            raise GateLost
        return answer


def looks(desk: Desk, *answers: Usage | None) -> list[Status]:
    """Look as often as there are answers."""

    async def work(parts: Parts) -> list[Status]:
        reader = StatusReader(parts, Gate(list(answers)))  # type: ignore[arg-type]  # only `usage` is asked
        return [await reader.read() for _ in answers]

    return desk.within(work)


def test_pace_is_the_difference_of_two_looks(desk: Desk) -> None:
    """Records sent over the gate's own seconds, in all and by party."""
    later = replace(
        USAGE, gate_at=12_000, sent=140, parties={"P001": PartyUse(1.0, 3, 140, BoundBy.ACCOUNT, 20.0)}
    )
    first, second = looks(desk, USAGE, later)
    assert first.registries["party-members"].rate == 0
    assert second.registries["party-members"].rate == 20
    assert second.parties["P001"].rate == 20
    assert second.parties["P002"].rate == 0


def test_load_stands_against_what_is_allowed(desk: Desk) -> None:
    """Sessions, outstanding records, the brake's share, and what binds."""
    [status] = looks(desk, USAGE)
    registry, party = status.registries["party-members"], status.parties["P001"]
    assert (registry.sessions, registry.session_limit, registry.outstanding, registry.brake) == (
        1,
        60,
        3,
        0.5,
    )
    assert (party.sessions, party.accounts, party.share, party.bound_by) == (1, 1, 20.0, "account")


def test_a_new_generation_is_no_negative_pace(desk: Desk) -> None:
    """Counters that begin anew tell no pace at first."""
    fresh = replace(USAGE, generation=2, gate_at=100, sent=0, parties={})
    _, second = looks(desk, USAGE, fresh)
    assert second.registries["party-members"].rate == 0


def test_a_gate_that_is_away_or_new_counts_as_not_running(desk: Desk) -> None:
    """Lost, or before its first generation: figures of the ledger alone."""
    lost, new, alive = looks(desk, None, replace(USAGE, is_new=True), USAGE)
    running = [each.registries["party-members"].running for each in (lost, new, alive)]
    assert running == [False, False, True]


def test_where_nothing_runs_one_look_is_enough(desk: Desk) -> None:
    """No gate, no pace, brake released."""

    async def work(parts: Parts) -> Status:
        return await read_status(parts, None)

    registry = desk.within(work).registries["party-members"]
    assert (registry.running, registry.rate, registry.brake) == (False, 0.0, 1.0)


def test_a_gate_without_a_rate_yet_does_not_brake(desk: Desk) -> None:
    """A scheduler that has had nothing to decide has set no rate: that is no brake."""
    [status] = looks(desk, replace(USAGE, rate=0.0))
    assert status.registries["party-members"].brake == 1.0


def test_two_hundred_who_ask_at_once_cost_one_look(desk: Desk) -> None:
    """A look that is fresh serves everybody; the next comes when it is not."""
    asked: list[str] = []

    class Counting(Gate):
        async def usage(self, registry: str) -> Usage:
            asked.append(registry)
            return await super().usage(registry)

    async def work(parts: Parts) -> int:
        reader = StatusReader(parts, Counting([USAGE]), fresh_ms=60_000)  # type: ignore[arg-type]  # the same
        found = await asyncio.gather(*(reader.read() for _ in range(200)))
        return len({id(status) for status in found})

    assert desk.within(work) == 1
    assert asked == ["party-members"]
