"""A ledger that was put back from a copy: what it holds as unsettled is asked about before anything is sent."""

from dataclasses import replace

import pytest

from domain.policy import Policy
from domain.states import JobState
from ledger.engine import OnEngine
from ledger.meta import NOTICED, forget_restored, write_restored
from ledger.protocols import Ledger
from ledger.restored import AT_ONCE, KEPT_MS
from tests.ledger.scene import (
    ACCEPTED,
    BY,
    NOW,
    REGISTRY,
    Scene,
    lease,
    new_job,
    policy,
    policy_draft,
)

SETTLE_MS = 120_000


def rules(*, idempotent: bool) -> Policy:
    """One party, at a registry that promises one effect a key, or does not."""
    made = policy("P001")
    return replace(
        made, registries={REGISTRY: replace(made.registries[REGISTRY], idempotent=idempotent, settle_s=120)}
    )


async def put_back(ledger: Ledger) -> None:
    """Mark the ledger as opening it behind its counter would."""
    assert isinstance(ledger, OnEngine)
    await ledger.engine.write(write_restored, *NOTICED)


@pytest.fixture
async def copy(scene: Scene) -> Scene:
    """A copy, just noticed, of a registry with several effects a key: one slice claimed, one free, one waiting, one settled."""
    await scene.ledger.apply_policy(policy_draft(rules(idempotent=False)), BY, NOW)
    await scene.ledger.begin_generation(REGISTRY, "redis", BY, NOW)
    await scene.submit(lines=(3, 2, 1), waits={})
    await scene.submit("J2", lines=(2,), waits={0: ("J1.0",)})
    await scene.claim(2**32 + 1, generation=1)
    await scene.settle("J1.0", {0: ACCEPTED})
    await scene.settle("J1.2", {0: ACCEPTED})
    await put_back(scene.ledger)
    return scene


async def test_nothing_is_given_out_before_somebody_has_seen_to_it(copy: Scene) -> None:
    """A worker that starts before the scheduler must not send what the copy calls pending."""
    assert await copy.ledger.claim(lease(2**32 + 9, generation=1), NOW + SETTLE_MS) is None
    found = await copy.ledger.restored()
    assert found is not None
    assert (found.since_at, found.asked) == (None, 6)
    assert not found.is_over(NOW + 2 * KEPT_MS)


async def test_every_unsettled_line_becomes_unknown_in_hand_or_not(copy: Scene) -> None:
    """Pending ones too: they may have been sent after the copy was made. Claims are over, waits stand, counters are right."""
    await copy.ledger.ask_about_restored(BY, NOW)
    assert await copy.states() == ["auu", "uu", "a"]
    assert await copy.states("J2") == ["uu"]
    for job in ("J1", "J2"):
        assert await copy.is_counted_right(job)
        assert (await copy.ledger.job(job)).state is JobState.QUEUED
    assert not await copy.ledger.has_claims(REGISTRY)
    assert await copy.ledger.blockers("J2") == {"J2.0": ["J1"]}
    found = await copy.ledger.restored()
    assert found is not None
    assert (found.since_at, found.asked, found.unchecked) == (NOW, 6, 0)


async def test_older_leases_get_nothing_of_a_restored_ledger(copy: Scene) -> None:
    """A new generation has begun: whoever held a lease before the copy was put back does not claim with it."""
    before = await copy.ledger.generation(REGISTRY)
    await copy.ledger.ask_about_restored(BY, NOW)
    assert await copy.ledger.generation(REGISTRY) == before + 1
    assert await copy.ledger.claim(lease(2**34, generation=before), NOW + SETTLE_MS) is None


async def test_an_absence_is_believed_only_after_the_settling_time(copy: Scene) -> None:
    """What left just before the stop may surface for `settle_s`; so do slices that wait keep that time when they are free."""
    await copy.ledger.ask_about_restored(BY, NOW)
    held = lease(2**34, generation=2)
    assert await copy.ledger.claim(held, NOW + SETTLE_MS - 1) is None
    await copy.settle("J1.0", {1: ACCEPTED, 2: ACCEPTED})
    assert await copy.ledger.blockers("J2") == {}
    assert await copy.ledger.claim(held, NOW + SETTLE_MS - 1) is None
    assert await copy.ledger.claim(held, NOW + SETTLE_MS) is not None


async def test_where_a_key_has_one_effect_it_is_asked_at_once_and_marked_so(scene: Scene) -> None:
    """A late original does no harm there; the slice says that it is asked about, later jobs' slices do not."""
    await scene.ledger.apply_policy(policy_draft(rules(idempotent=True)), BY, NOW)
    await scene.submit(lines=(2,))
    await put_back(scene.ledger)
    await scene.ledger.ask_about_restored(BY, NOW)
    claimed = await scene.claim(2**34, generation=0)
    assert (claimed.states, claimed.ask_first) == (b"uu", True)
    await scene.settle("J1.0", {0: ACCEPTED, 1: ACCEPTED})
    await scene.submit("J2", lines=(2,))
    claimed = await scene.claim(2**34 + 1, generation=0)
    assert (claimed.states, claimed.ask_first) == (b"pp", False)


async def test_a_file_that_the_copy_holds_unchecked_is_asked_about_too(copy: Scene) -> None:
    """Its check may have ended after the copy, and its records may have been sent: they begin as unknown."""
    await copy.ledger.receive(new_job("J3"), BY, NOW)
    await copy.ledger.ask_about_restored(BY, NOW)
    found = await copy.ledger.restored()
    assert found is not None
    assert found.unchecked == 1
    ticket = await copy.check("J3")
    await copy.ledger.accept("J3", [copy.draft("J3", 0, 2)], [], NOW, ticket=ticket)
    assert await copy.states("J3") == ["uu"]


async def test_a_check_that_the_copy_caught_under_way_is_the_same_try_again(copy: Scene) -> None:
    """It may have ended after the copy, and keys bear the number of the try: another number would be another key for what was sent."""
    assert isinstance(copy.ledger, OnEngine)
    await copy.ledger.engine.write(forget_restored)
    await copy.ledger.receive(new_job("J3"), BY, NOW)
    before = await copy.ledger.begin_check("J3", NOW)
    await put_back(copy.ledger)
    assert await copy.ledger.begin_check("J3", NOW + KEPT_MS) is None
    await copy.ledger.ask_about_restored(BY, NOW)
    assert before is not None
    assert await copy.ledger.begin_check("J3", NOW) == before


@pytest.mark.parametrize("idempotent", [False, True])
async def test_files_that_come_again_are_asked_about_where_a_key_may_have_two_effects(
    scene: Scene, *, idempotent: bool
) -> None:
    """The copy does not know them, and they may have been sent; a week later files are new."""
    await scene.ledger.apply_policy(policy_draft(rules(idempotent=idempotent)), BY, NOW)
    await put_back(scene.ledger)
    await scene.ledger.ask_about_restored(BY, NOW)
    await scene.submit("J7", lines=(2,), at=NOW + KEPT_MS - 1)
    await scene.submit("J8", lines=(2,), at=NOW + KEPT_MS)
    assert await scene.states("J7") == ["pp" if idempotent else "uu"]
    assert await scene.states("J8") == ["pp"]


async def test_a_crash_in_the_middle_repeats_it_and_nothing_is_given_out_between(
    copy: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after some slices: still shut; the next leader does it all, and tells of it once."""
    await copy.ledger.forget_restored(BY, NOW)
    await copy.submit("J9", lines=(1,) * (AT_ONCE + 1))
    await put_back(copy.ledger)
    write = copy.ledger.engine.write  # type: ignore[attr-defined]  # the ledger under test is on an engine
    calls = 0

    async def dies(*args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise ConnectionError
        return await write(*args, **kwargs)

    with monkeypatch.context() as dying:
        dying.setattr(copy.ledger, "_write", dies)
        with pytest.raises(ConnectionError):
            await copy.ledger.ask_about_restored(BY, NOW)
    assert "p" in "".join(await copy.states("J9"))
    assert await copy.ledger.claim(lease(2**34, generation=9), NOW + SETTLE_MS) is None
    for _ in range(2):
        await copy.ledger.ask_about_restored(BY, NOW)
    assert "p" not in "".join(await copy.states("J9"))
    told = [line.detail for line in await copy.ledger.audit() if line.action == "ledger.restored"]
    assert told == [{"records": 6 + AT_ONCE + 1, "unchecked": 0, "jobs": 3}]
    assert [row.party for row in await copy.ledger.notices() if row.kind == "restored"] == ["operators"]


async def test_a_cancelled_job_of_the_copy_sends_nothing_more(scene: Scene) -> None:
    """Its unknown lines are asked about as ever, after the settling time; what nobody held stays unprocessed."""
    await scene.ledger.apply_policy(policy_draft(rules(idempotent=True)), BY, NOW)
    await scene.submit(lines=(2, 2))
    await scene.claim(1)
    await scene.ledger.cancel("J1", BY, NOW)
    await put_back(scene.ledger)
    await scene.ledger.ask_about_restored(BY, NOW)
    assert await scene.states() == ["uu", "xx"]
    assert await scene.ledger.claim(lease(2**34), NOW + SETTLE_MS - 1) is None
    assert (await scene.claim(2**34, NOW + SETTLE_MS)).ask_only


async def test_it_is_forgotten_once_nothing_is_left_to_ask_and_lost_files_have_come_again(
    copy: Scene,
) -> None:
    """Never before: `is_over` says so, and forgetting leaves its line."""
    await copy.ledger.ask_about_restored(BY, NOW)
    found = await copy.ledger.restored()
    assert found is not None
    assert not found.is_over(NOW + KEPT_MS)
    for slice_id, count in {"J1.0": 3, "J1.1": 2, "J2.0": 2}.items():
        await copy.settle(slice_id, dict.fromkeys(range(count), ACCEPTED))
    found = await copy.ledger.restored()
    assert found is not None
    assert (found.asked, found.is_over(NOW + KEPT_MS - 1), found.is_over(NOW + KEPT_MS)) == (0, False, True)
    await copy.ledger.forget_restored(BY, NOW)
    assert await copy.ledger.restored() is None
    assert (await copy.ledger.audit(limit=1))[0].action == "ledger.restored-settled"
