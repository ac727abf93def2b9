"""Runs one seed: the faults, then a calm in which everything must end, then the judges."""

import asyncio
import hashlib
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from unittest import mock

from domain.states import ENDED_JOB_STATES, JobState, RecordState
from ledger.boxes import open_outcomes
from tests.sim.checkers import Ended, judge
from tests.sim.faults import Faults
from tests.sim.people import look_after
from tests.sim.request import SimRequest
from tests.sim.scenario import BEGIN_S, END_S, Fault, File, Scenario, draw
from tests.sim.virtual_loop import VirtualLoop
from tests.sim.world import World, keystore

#: states that a record keeps
FINAL = (RecordState.ACCEPTED, RecordState.REJECTED)


@dataclass(frozen=True, slots=True)
class Report:
    """How a seed went: `broken` names every promise that was broken; `digest` is of the registrar's log and the ledger's end."""

    seed: int
    broken: tuple[str, ...]
    digest: str
    sometimes: Counter[str]
    records: int
    faults: int
    virtual_s: float
    real_s: float


def run_seed(seed: int) -> Report:
    """Run one seed."""
    return run_scenario(draw(seed))


def run_scenario(scenario: Scenario, prepare: Callable[[World], None] | None = None) -> Report:
    """Run one world to its end; `prepare` may do something to it before anything runs."""
    began = time.perf_counter()
    rng = random.Random(scenario.seed + 1)
    loop = VirtualLoop(rng)
    world = World(scenario, loop, rng)
    faults = Faults(world)
    if prepare is not None:
        prepare(world)
    try:
        with seeded(rng):
            ended = loop.run_until_complete(_run(world, faults))
            broken = judge(world, faults.done, ended)
            world.sometimes[f"shape: {scenario.rules.shape.value}"] += 1
            sometimes = world.sometimes + world.disk.moves + _seen(world)
        broken += [f"trouble in the loop: {trouble}" for trouble in loop.troubles[:3]]
    finally:
        loop.bury()
        loop.close()
        world.disk.close()
    return Report(
        scenario.seed, tuple(broken), _digest(world, ended), sometimes, len(world.records), faults.injected,
        loop.time() - BEGIN_S, time.perf_counter() - began,
    )  # fmt: skip


@contextmanager
def seeded(rng: random.Random) -> Iterator[None]:
    """Have the product's own chances come from the seed."""
    random.seed(rng.getrandbits(64))
    jitter = SimpleNamespace(Random=lambda: random.Random(rng.getrandbits(64)))
    with (
        mock.patch("workers.pacer.random", jitter),
        mock.patch("workers.heeding.secrets", SimpleNamespace(randbelow=rng.randrange)),
        mock.patch("workers.wires.stream.OpenRequest", SimRequest),
        mock.patch("workers.wires.batch.OpenRequest", SimRequest),
    ):
        yield


async def _run(world: World, faults: Faults) -> Ended:
    scenario, loop = world.scenario, world.loop
    await world.begin()
    people = loop.create_task(look_after(world, faults))
    happenings: list[File | Fault] = [*scenario.files, *scenario.faults]
    for happening in sorted(happenings, key=lambda one: one.at):
        await asyncio.sleep(max(0.0, happening.at - loop.time()))
        if isinstance(happening, Fault):
            await faults.do(happening)
        else:
            await world.submit(happening.job, happening.party, happening.records, happening.lines)
    await asyncio.sleep(max(0.0, scenario.calm_s - loop.time()))
    _heal(world)
    over = False
    while not over and loop.time() < END_S:
        await asyncio.sleep(1.0)
        over = await _is_over(world, faults)
    if people.done():
        people.result()  # what befell them is the simulator's own fault
    people.cancel()
    return await _end(world)


def _heal(world: World) -> None:
    """Faults are over: whatever is still wrong is put right."""
    trouble, now = world.registrar.trouble, world.loop.time()
    trouble.overloaded = trouble.slow = trouble.busy = trouble.failing_after = trouble.garbled = now
    world.gate.paused_until = min(world.gate.paused_until, now)
    for link in world.links.values():
        link.stalled_until = link.slow_until = link.lossy_until = link.cut_until = link.held_until = now
    for place in (one.place for hosts in (world.workers, world.schedulers) for one in hosts.values()):
        place.frozen_until = min(place.frozen_until, now)


async def _is_over(world: World, faults: Faults) -> bool:
    jobs = await world.ledger.jobs()
    if any(job.state not in ENDED_JOB_STATES or job.records.doubtful for job in jobs):
        return False
    if world.submitted.keys() - {job.job for job in jobs}:
        return False
    cancelled = {job.job for job in jobs if job.state is JobState.CANCELLED}
    waiting = cancelled & faults.done.cancelled - faults.done.again
    live = any(world.registrar.is_live(one) for one in world.registrar.sessions.values())
    return not waiting and not live


async def _end(world: World) -> Ended:
    jobs = list(await world.ledger.jobs())
    states: dict[str, str] = {}
    told: Counter[str] = Counter()
    for job in jobs:
        async for one in world.ledger.slices(job.job):
            for line, letter in enumerate(one.states):
                states[f"{job.job}-{one.seq}-{line}"] = chr(letter)
        async for box in world.ledger.outcomes(job.job):
            sealer, seq = keystore().sealer(job.job), box.slice_id.rpartition(".")[2]
            opened = open_outcomes(box.box, sealer, job.party, job.job, box.slice_id, box.batch)
            told.update(f"{job.job}-{seq}-{one.line}" for one in opened.outcomes if one.state in FINAL)
    return Ended(jobs, states, told)


def _seen(world: World) -> Counter[str]:
    """Count what befell links, disk and registrar that no event of the product tells."""
    seen = Counter(f"network: {what}" for link in world.links.values() for what in link.seen)
    seen += Counter({f"registrar: {what}": count for what, count in world.registrar.seen.items()})
    disk = world.disk
    seen += Counter({"disk: commit failed": disk.failed, "disk: commit not heard of": disk.unheard})
    return seen + Counter(f"session at the registrar: {one.why}" for one in world.registrar.sessions.values())


def _digest(world: World, ended: Ended) -> str:
    told = [repr(one) for one in world.registrar.log] + [repr(sorted(ended.states.items()))]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]
