"""Several writers at once, as on PostgreSQL: what SQLite's single writer gives for nothing must hold there too.

Every test runs on both engines; on PostgreSQL each ledger works on eight connections.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.errors import Conflict
from domain.jobs import ClaimedSlice, InvalidDraft, Outcome, Settlement
from domain.policy import PolicyVersion
from domain.states import JobState, RecordState
from ledger.database import Database
from ledger.keystore import KeyStore
from ledger.ledger import open_ledger
from ledger.protocols import Ledger
from ledger.values import CheckResult
from tests.ledger.conftest import MASTER
from tests.ledger.scene import (
    ACCEPTED,
    BY,
    NOW,
    PENDING,
    REGISTRY,
    UNKNOWN,
    Scene,
    lease,
    new_job,
    notice_draft,
    policy,
    policy_draft,
)


@pytest.fixture
async def other_host(where: Path | Database, keys: KeyStore, ledger: Ledger) -> AsyncIterator[Ledger]:
    """The same ledger as another process sees it."""
    store = KeyStore(keys.path, MASTER)
    opened = await open_ledger(where, store)
    yield opened
    await opened.close()
    store.close()


async def test_claims_at_once_get_different_slices_in_order(scene: Scene, other_host: Ledger) -> None:
    """Sixteen sessions of two hosts ask at the same moment: the first sixteen slices, each once, and none is told that nothing is due."""
    await scene.submit(lines=(2,) * 20)
    both = (scene.ledger, other_host)
    claims = await asyncio.gather(*(both[n % 2].claim(lease(n + 1), NOW) for n in range(16)))
    assert sorted(one.seq for one in claims if one is not None) == list(range(16))
    job = (await scene.ledger.backlog(REGISTRY, NOW))[0]
    assert (job.in_hand, job.ready) == (32, 8)


async def test_outcomes_of_one_job_from_many_sessions_are_all_counted(
    scene: Scene, other_host: Ledger
) -> None:
    """Each line is settled by two sessions at once; each moves once, and the job ends once."""
    await scene.submit(lines=(10,) * 4)
    both = (scene.ledger, other_host)

    async def settle(number: int) -> int:
        slice_id, line = f"J1.{number % 4}", number // 4 % 10
        made = (Outcome(line, ACCEPTED, receipt=f"R{number}"),)
        return (await both[number % 2].settle([Settlement(slice_id, made)], NOW))[0].moved

    assert sum(await asyncio.gather(*(settle(number) for number in range(80)))) == 40
    job = await scene.ledger.job("J1")
    assert (job.state, job.records.accepted) == (JobState.FINISHED, 40)
    actions = [line.action for line in await scene.ledger.audit(subject="J1")]
    assert actions.count("job.finished") == 1
    assert len([one async for one in scene.ledger.outcomes("J1")]) == 40


async def test_a_slice_is_freed_by_the_last_of_two_that_end_at_once(scene: Scene, other_host: Ledger) -> None:
    """Two blockers settle at the same moment: neither leaves it to the other to free what waited for both."""
    for n in range(12):
        first, second, waiter = f"A{n}", f"B{n}", f"C{n}"
        await scene.submit(first, lines=(1,))
        await scene.submit(second, lines=(1,))
        await scene.submit(waiter, lines=(1,), waits={0: (f"{first}.0", f"{second}.0")})
        await asyncio.gather(
            scene.ledger.settle([Settlement(f"{first}.0", (Outcome(0, ACCEPTED),))], NOW),
            other_host.settle([Settlement(f"{second}.0", (Outcome(0, ACCEPTED),))], NOW),
        )
        assert await scene.ledger.blockers(waiter) == {}
        assert (await scene.claim(n + 1)).job == waiter


async def test_a_slice_never_waits_for_one_that_was_settled_meanwhile(
    scene: Scene, other_host: Ledger
) -> None:
    """The blocker is settled while the slice that will wait for it is being stored: it waits and is freed, or never waits."""
    for n in range(12):
        blocker, waiter = f"A{n}", f"B{n}"
        await scene.submit(blocker, lines=(1,))
        await scene.ledger.receive(new_job(waiter), BY, NOW)
        ticket = await scene.check(waiter)
        draft = scene.draft(waiter, 0, 1, waits_for=(f"{blocker}.0",))
        await asyncio.gather(
            scene.ledger.accept(waiter, [draft], [], NOW, ticket=ticket),
            other_host.settle([Settlement(f"{blocker}.0", (Outcome(0, ACCEPTED),))], NOW),
        )
        await scene.ledger.finish_check(ticket, CheckResult(1, 0, 1, {}), BY, NOW)
        assert (await scene.claim(n + 1)).job == waiter


async def test_an_old_check_stores_nothing_beside_the_new_one(scene: Scene, other_host: Ledger) -> None:
    """A check that lost its right stores slices at the very moment in which another takes over: they are dropped or refused."""
    for n in range(8):
        job = f"J{n}"
        await scene.ledger.receive(new_job(job), BY, NOW)
        old = await scene.check(job)
        drafts = [scene.draft(job, seq, 1) for seq in range(3)]
        stored, fresh = await asyncio.gather(
            scene.ledger.accept(job, drafts, [InvalidDraft(0, 1, b"x")], NOW, ticket=old),
            other_host.begin_check(job, NOW + 60_001),
            return_exceptions=True,
        )
        assert stored is None or isinstance(stored, Conflict)
        assert fresh is not None
        assert not isinstance(fresh, BaseException)
        assert [one async for one in scene.ledger.slices(job)] == []
        assert [one async for one in scene.ledger.invalid(job)] == []


async def test_a_file_that_two_hosts_take_in_at_once_is_one_job(scene: Scene, other_host: Ledger) -> None:
    """The same bytes under two ids: one job; other files get numbers of their own, in one unbroken chain."""
    both = (scene.ledger, other_host)
    same = [new_job(f"S{n}", digest="d" * 64) for n in range(4)]
    others = [new_job(f"J{n}") for n in range(8)]
    taken = await asyncio.gather(
        *(both[n % 2].receive(job, BY, NOW) for n, job in enumerate([*same, *others]))
    )
    assert len({job.job for job in taken[:4]}) == 1
    assert len(await scene.ledger.jobs()) == 9
    proof = await scene.ledger.verify_audit()
    assert (proof.broken_at, proof.lines) == (None, 9)


async def test_of_two_policies_on_one_base_one_is_refused(scene: Scene, other_host: Ledger) -> None:
    """Both were planned on version 1; the second to come finds that version 2 has come between."""
    await scene.ledger.apply_policy(policy_draft(policy("P001")), BY, NOW)
    draft = policy_draft(policy("P001", "P002"), base=1, notices=[notice_draft()])
    applied = await asyncio.gather(
        *(ledger.apply_policy(draft, BY, NOW) for ledger in (scene.ledger, other_host) * 2),
        return_exceptions=True,
    )
    assert Counter(type(one) for one in applied) == {PolicyVersion: 1, Conflict: 3}
    assert [one.version for one in await scene.ledger.policy_history()] == [2, 1]
    assert len(await scene.ledger.notices()) == 1


async def test_what_is_numbered_is_numbered_once(scene: Scene, other_host: Ledger) -> None:
    """Generations, notices and holds of two hosts at once: numbers without gaps, the chain whole, a hold set once."""
    await scene.ledger.apply_policy(policy_draft(policy("P001")), BY, NOW)
    both = (scene.ledger, other_host)
    begun = await asyncio.gather(*(both[n % 2].begin_generation(REGISTRY, "x", BY, NOW) for n in range(8)))
    assert sorted(begun) == list(range(1, 9))
    told = await asyncio.gather(*(both[n % 2].add_notices([notice_draft()], BY, NOW) for n in range(8)))
    assert sorted(ids[0] for ids in told) == [f"N{n:06d}" for n in range(1, 9)]
    await asyncio.gather(*(both[n % 2].hold(REGISTRY, None, "stop", [], BY, NOW) for n in range(4)))
    assert len(await scene.ledger.holds()) == 1
    aside = await asyncio.gather(
        *(both[n % 2].set_aside(REGISTRY, "P001-01", "log-in failed", [], BY, NOW) for n in range(4))
    )
    assert sorted(aside) == [False, False, False, True]
    assert (await scene.ledger.verify_audit()).broken_at is None


async def test_erasing_and_sending_again_exclude_each_other(scene: Scene, other_host: Ledger) -> None:
    """A doubtful record is either sent again or erased, never both."""
    for n in range(6):
        job = f"J{n}"
        await scene.submit(job, lines=(1,))
        await scene.settle(f"{job}.0", {0: UNKNOWN})
        await scene.settle(f"{job}.0", {0: RecordState.DOUBTFUL})
        ends = await asyncio.gather(
            scene.ledger.resolve(job, f"{job}.0", 0, None, BY, NOW),
            other_host.erase(job, BY, NOW),
            return_exceptions=True,
        )
        assert sorted(isinstance(end, Conflict) for end in ends) == [False, True]


async def test_any_verbs_at_once_leave_counters_that_a_recount_gives(
    scene: Scene, other_host: Ledger
) -> None:
    """Sessions, people and rescue on two hosts, all at once, over three jobs that wait for one another: every counter is a recount."""
    dice = random.Random(11)
    await scene.submit("J1", lines=(4,) * 6)
    await scene.submit("J2", lines=(4,) * 6, waits={n: (f"J1.{n}",) for n in range(3)})
    await scene.submit("J3", lines=(4,) * 6, waits={n: (f"J2.{n}", f"J1.{n + 3}") for n in range(3)})
    both = (scene.ledger, other_host)

    async def session(number: int) -> None:
        ledger = both[number % 2]
        for turn in range(6):
            claimed = await ledger.claim(lease(number * 100 + turn + 1), NOW)
            if claimed is not None:
                await _work(ledger, claimed, random.Random(number * 1000 + turn))

    async def people() -> None:
        for _ in range(6):
            verb = dice.choice(("pause", "resume"))
            ledger, job = dice.choice(both), dice.choice(("J1", "J2", "J3"))
            try:
                await (ledger.pause(job, "", BY, NOW) if verb == "pause" else ledger.resume(job, BY, NOW))
            except Conflict:
                await ledger.job(job)
        await scene.ledger.cancel("J2", BY, NOW)

    async def rescuer() -> None:
        for _ in range(4):
            await other_host.rescue(REGISTRY, frozenset(), NOW, idempotent=True)

    await asyncio.gather(*(session(number) for number in range(8)), people(), rescuer())
    for job in ("J1", "J2", "J3"):
        assert await scene.is_counted_right(job)
    await scene.ledger.rescue(REGISTRY, frozenset(), NOW, idempotent=True)
    assert [party.in_hand for party in await scene.ledger.backlog(REGISTRY, NOW)] in ([], [0])
    assert (await scene.ledger.verify_audit()).broken_at is None


async def _work(ledger: Ledger, claimed: ClaimedSlice, dice: random.Random) -> None:
    """Answer some lines, tell one late, hand the rest back."""
    states = (ACCEPTED, RecordState.REJECTED, UNKNOWN, PENDING)
    made = tuple(Outcome(line, dice.choice(states)) for line in range(claimed.lines) if dice.random() < 0.7)
    await ledger.mark_sent(claimed.slice_id, claimed.token, claimed.lines, NOW)
    late = Settlement(f"J1.{dice.randrange(6)}", (Outcome(dice.randrange(4), ACCEPTED),))
    await ledger.settle([Settlement(claimed.slice_id, made), late], NOW)
    await ledger.give_back(claimed.slice_id, claimed.token, [0], NOW)
