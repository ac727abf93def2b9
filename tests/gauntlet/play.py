"""One gauntlet: a field under load, faults and kills drawn from a seed, everything healed, drained, and the evidence gathered."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from domain.errors import PratunamError
from tests.gauntlet.checkers import Arrival, Evidence, Verdict, judge, read_arrivals
from tests.gauntlet.field import Field, ready_field
from tests.gauntlet.kinds import Kind, NotInjected, Scene
from tests.gauntlet.one_home import Apart
from tests.gauntlet.plan import Plan
from tests.gauntlet.recovery import MEASURED, Times, recoveries
from tests.gauntlet.tally import Tally
from tests.gauntlet.traffic import Traffic

#: after the last fault all must end within this (s), a brake's return counted in
DRAINS_WITHIN_S = 240.0
_FIRST_WITHIN_S = 120.0


@dataclass(slots=True)
class Played:
    """What a run showed."""

    plan: Plan
    verdict: Verdict
    counts: Mapping[str, int]
    not_run: Mapping[str, str]
    broken: Mapping[str, Sequence[str]]
    times: Sequence[Times] = ()
    arrivals: int = 0
    valid: int = 0
    jobs: int = 0
    refused: int = 0
    starts: Mapping[str, int] = field(default_factory=dict)
    took_s: float = 0.0

    @property
    def is_clean(self) -> bool:
        """Say whether nothing was broken."""
        return self.verdict.is_clean and not self.broken


async def play(
    plan: Plan,
    kinds: Sequence[Kind],
    kills: Sequence[Kind],
    folder: Path,
    tally: Tally,
    *,
    is_short: bool = False,
) -> Played:
    """Run a gauntlet in `folder` with faults of `kinds`, and a kill of `kills` every so often; returns what it showed."""
    began = time.monotonic()
    async with ready_field(plan, folder) as ground:
        tally.tell("all processes are ready")
        traffic = Traffic(ground)
        scene = Scene(ground, traffic, random.Random(plan.seed), is_short=is_short)
        await traffic.first()
        await _arriving(ground)
        flowing = asyncio.create_task(traffic.run())
        await _Run(scene, tally).go(kinds, kills)
        await traffic.pause()
        flowing.cancel()
        [why] = await asyncio.gather(flowing, return_exceptions=True)
        if not isinstance(why, asyncio.CancelledError):
            tally.broken["handing in"].append(f"a party was told: {why}")
        ground.heal_links()
        await ground.registrar.control(clear_faults=True)
        tally.tell("draining …")
        if not await traffic.all_ended(DRAINS_WITHIN_S):
            tally.broken["the end"].append(
                f"files were not done {DRAINS_WITHIN_S:.0f} s after the last fault"
            )
        evidence = await _evidence(scene)
    return Played(
        plan, judge(evidence), tally.counts, tally.not_run, dict(tally.broken), recoveries(evidence.arrivals, scene.blows),
        len(evidence.arrivals), sum(len(each.accepted) for each in evidence.handed_in), len(evidence.jobs), traffic.refused,
        {kept.name: kept.starts for kept in ground.processes}, time.monotonic() - began,
    )  # fmt: skip


async def play_apart(plan: Plan, kinds: Sequence[Apart], folder: Path, tally: Tally) -> Played:
    """Do each of these faults once, on a home of its own, judged by itself."""
    began = time.monotonic()
    for place, kind in enumerate(kinds):
        own = folder / f"apart-{place}"
        own.mkdir(parents=True)
        await tally.of(kind.name, kind.do(own))
    return Played(
        plan,
        Verdict({}, ()),
        tally.counts,
        tally.not_run,
        dict(tally.broken),
        took_s=time.monotonic() - began,
    )


@dataclass(slots=True)
class _Run:
    """Draws faults and kills until the time is over; one fault and one kill at a time."""

    scene: Scene
    tally: Tally
    _no_kills: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def go(self, kinds: Sequence[Kind], kills: Sequence[Kind]) -> None:
        plan = self.scene.ground.plan
        loop = asyncio.get_running_loop()
        until = loop.time() + plan.minutes * 60
        tasks = [asyncio.create_task(self._kill_on(kills, until))] if kills else []
        tasks += [asyncio.create_task(self._fault_on(kinds, until))] if kinds else []
        await asyncio.gather(*tasks)

    async def _fault_on(self, kinds: Sequence[Kind], until: float) -> None:
        deck: list[Kind] = []
        loop = asyncio.get_running_loop()
        plan_s = self.scene.ground.plan.kill_every_s
        while loop.time() < until:
            deck = deck or self.scene.dice.sample(list(kinds), len(kinds))
            kind = deck.pop()
            if kind.is_alone:
                async with self._no_kills:
                    await self.tally.of(kind.name, self._on_a_whole_gate(kind))
            else:
                await self.tally.of(kind.name, kind.do(self.scene))
            if kind.name in MEASURED:  # nothing else strikes until it is over
                await asyncio.sleep(plan_s)
            await asyncio.sleep(self.scene.span_s(2.0, short=1.0))

    async def _on_a_whole_gate(self, kind: Kind) -> None:
        try:
            await self.scene.whole()
        except TimeoutError as late:
            raise NotInjected(str(late)) from None
        await kind.do(self.scene)

    async def _kill_on(self, kills: Sequence[Kind], until: float) -> None:
        deck: list[Kind] = []
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            at = loop.time() + self.scene.ground.plan.kill_every_s
            async with self._no_kills:
                deck = deck or self.scene.dice.sample(list(kills), len(kills))
                kind = deck.pop()
                await self.tally.of(kind.name, kind.do(self.scene))
            await asyncio.sleep(max(0.0, min(at, until) - loop.time()))


async def _arriving(ground: Field) -> None:
    async with asyncio.timeout(_FIRST_WITHIN_S):
        while not ground.arrivals():  # noqa: ASYNC110 -- the registrar rings no bell
            await asyncio.sleep(0.1)


async def _evidence(scene: Scene) -> Evidence:
    ground, traffic = scene.ground, scene.traffic
    jobs = []
    for name in traffic.handed_in:
        with suppress(PratunamError):
            jobs.append(await ground.parts.ledger.job(name))
    proof = await ground.parts.ledger.verify_audit()
    arrivals: list[Arrival] = read_arrivals(ground.registrar.log, ground.plan.account_names())
    return Evidence(
        ground.plan,
        arrivals,
        await ground.registrar.effects(),
        await ground.registrar.report(),
        list(traffic.handed_in.values()),
        jobs,
        dict(scene.repeated),
        frozenset(scene.cancelled),
        proof.broken_at is None,
        tuple(scene.leaps),
    )
