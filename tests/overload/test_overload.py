"""Crowds before the gate: a flood leaves the others' pace as it was, and whoever cannot be taken in hears so, with nothing half done."""

import asyncio
import io
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from domain.errors import Busy
from domain.jobs import Job
from domain.policy import AccountRules, PartyRules, Policy, RegistryRules
from domain.states import AccountKind
from intake.frames import Limits
from intake.keeper import Keeper
from intake.receive import receive
from tests.intake.conftest import BY, Desk
from tests.intake.conftest import desk as desk  # noqa: PLC0414 - a fixture of another room, used here under its own name
from tests.intake.samples import as_csv, grid, members
from tests.intake.thread_child import thread_child
from tests.sim.registrar import Record
from tests.sim.running import run_scenario
from tests.sim.scenario import BEGIN_S, REGISTRY, File, Scenario
from tests.sim.small import ALWAYS
from tests.sim.world import World

SENDERS = ("P1", "P2", "P3")
#: counted from and to (virtual s), when everybody is at work
FROM_S, TO_S = BEGIN_S + 2, BEGIN_S + 8
RULES = RegistryRules(
    REGISTRY, "party-members", "sim://registrar", rate=60, burst=12, sessions=8, account_rate=6, account_burst=3,
    answer_timeout_s=2.0, windows=ALWAYS,
)  # fmt: skip


def _file(job: str, party: str, count: int) -> File:
    records = [Record(f"{job}.{n}", f"{job}.{n}", 0, is_good=True) for n in range(count)]
    return File(job, party, BEGIN_S + 0.5, records, 10)


def _sent(flood: int) -> Counter[str]:
    """Run three senders beside a party with so many small files; returns what arrived of each sender while it was counted."""
    parties = (*SENDERS, "flood")
    accounts = {
        name: tuple(AccountRules(f"{name}-{n}", REGISTRY, AccountKind.BASE) for n in (1, 2))
        for name in parties
    }
    policy = Policy({REGISTRY: RULES}, {name: PartyRules(name, accounts=accounts[name]) for name in parties})
    files = [_file(f"J{name}", name, 110) for name in SENDERS]
    files += [_file(f"F{n}", "flood", 2) for n in range(flood)]
    skews = dict.fromkeys(("w0", "w1", "s0", "s1", "gate"), 0)
    scenario = Scenario(
        5, policy, expires_s=8.0, strict=False, files=files, faults=(), skews=skews, base_s=0.01, calm_s=TO_S
    )  # fmt: skip
    worlds: list[World] = []
    report = run_scenario(scenario, worlds.append)
    assert report.broken == ()
    return Counter(one.party for one in worlds[0].registrar.log if FROM_S <= one.at < TO_S)


def test_a_party_that_floods_leaves_the_others_their_pace() -> None:
    """Eighty small files of one party: each of the others has sent what it had sent without them, read from the registrar's log."""
    alone, beside = _sent(0), _sent(80)
    assert beside["flood"] > 0
    for party in SENDERS:
        assert alone[party] >= 60
        assert beside[party] >= 0.97 * alone[party]


async def test_everybody_at_once_is_taken_in_by_few_or_told_when_to_come_back(desk: Desk) -> None:
    """Forty parties and two places: never more than two children; each file is in, whole, or refused in words, with nothing left of it."""
    living = most = 0

    @asynccontextmanager
    async def counted(limits: Limits) -> AsyncIterator[Keeper]:
        nonlocal living, most
        living += 1
        most = max(most, living)
        try:
            async with thread_child(limits) as child:
                yield child
        finally:
            living -= 1

    parts = replace(desk.parts, start_child=counted, places=2, wait_s=0.4)
    data = as_csv(grid(members(3)))

    async def one(number: int) -> Job | Busy:
        try:
            return await receive(
                io.BytesIO(data), desk.request(f"P{number:03d}"), parts, BY, desk.clock.now()
            )
        except Busy as busy:
            return busy

    ended = await asyncio.gather(*(one(number) for number in range(40)))
    taken = [each for each in ended if isinstance(each, Job)]
    refused = [each for each in ended if isinstance(each, Busy)]
    assert most <= 2
    assert len(taken) + len(refused) == 40
    assert taken
    assert refused
    assert all(busy.retry_after_ms >= 30_000 and "วินาที" in busy.remedy_th for busy in refused)
    assert sorted(job.job for job in await desk.ledger.jobs()) == sorted(job.job for job in taken)
    spooled = {path.name for path in (desk.home / "spool").rglob("*.table*")}
    assert {name.partition(".")[0] for name in spooled} == {job.job for job in taken}
