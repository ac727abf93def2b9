"""The people of a simulated world: what the gate leaves to them, they see to every two seconds. They know the registrar's books."""

import asyncio

from domain.jobs import Outcome
from domain.states import AccountState, JobState, RecordState
from tests.sim.faults import Faults
from tests.sim.scenario import REGISTRY
from tests.sim.world import BY, World

#: people look after what needs people so often (s)
PEOPLE_S = 2.0


async def look_after(world: World, faults: Faults) -> None:
    """Be the people: restore accounts, answer for doubtful records, hand in again what a cancelled job left."""
    doubted: dict[tuple[str, int], float] = {}
    while True:
        await asyncio.sleep(PEOPLE_S)
        now = world.truth.now()
        for row in await world.ledger.accounts(REGISTRY):
            if row.state in (AccountState.SET_ASIDE, AccountState.SUSPENDED):
                world.sometimes["account set aside"] += 1
                await world.ledger.restore_account(REGISTRY, row.account, BY, now)
        submitted = set(
            world.submitted
        )  # before the ledger is asked: what is handed in meanwhile is not missing
        jobs = await world.ledger.jobs()
        for name in sorted(submitted - {job.job for job in jobs}):
            world.sometimes["file handed in again that the copy lacked"] += 1
            await world.submit(name, *world.submitted[name])
        for job in jobs:
            if job.records.doubtful:
                is_stopped = job.state in (JobState.CANCELLING, JobState.CANCELLED)
                await _answer_for(world, job.job, doubted, is_stopped=is_stopped)
            is_over = job.state is JobState.CANCELLED and not job.records.doubtful
            if is_over and job.job in faults.done.cancelled - faults.done.again:
                faults.done.again.add(job.job)
                await _hand_in_again(world, job.job, job.party)


async def _answer_for(
    world: World, job: str, doubted: dict[tuple[str, int], float], *, is_stopped: bool
) -> None:
    """Say what the registrar's books say of each doubtful record; one that is not in them is sent again, or refused with its job.

    What is not in the books may still be on its way: people wait as long as the gate itself does before it believes an absence.
    """
    now = world.loop.time()
    for one in await world.ledger.unsettled(job, "doubtful"):
        if now - doubted.setdefault((one.slice_id, one.line), now) < world.scenario.rules.settle_s:
            continue
        del doubted[one.slice_id, one.line]
        record = world.records[f"{job}-{one.slice_id.rpartition('.')[2]}-{one.line}"]
        known = world.registrar.effects[record.natural] > 0
        state = RecordState.ACCEPTED if known else RecordState.REJECTED
        outcome = Outcome(one.line, state, by="people") if known or is_stopped else None
        world.sometimes["people answered for a doubtful record"] += 1
        await world.ledger.resolve(job, one.slice_id, one.line, outcome, BY, world.truth.now())


async def _hand_in_again(world: World, job: str, party: str) -> None:
    left = []
    async for one in world.ledger.slices(job):
        for line, letter in enumerate(one.states):
            record = world.records[f"{job}-{one.seq}-{line}"]
            is_refused = chr(letter) == RecordState.REJECTED and record.is_good
            if is_refused or chr(letter) == RecordState.UNPROCESSED:
                left.append(record)
    if left:
        world.sometimes["cancelled and handed in again"] += 1
        await world.submit(f"{job}-again", party, left, 15)
