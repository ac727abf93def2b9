"""Claiming: who gets which slice, and who gets none."""

import asyncio

from domain.states import JobState
from ledger.boxes import open_slice
from tests.ledger.scene import (
    ACCEPTED,
    BY,
    DOUBTFUL,
    NOW,
    REGISTRY,
    UNKNOWN,
    Scene,
    lease,
    policy,
    policy_draft,
)


async def test_a_claim_gives_the_sealed_records_and_all_their_states(scene: Scene) -> None:
    """A claimed slice opens with the job's key and says that every line is pending."""
    await scene.submit(lines=(3,))
    claimed = await scene.claim(token=7)
    box = open_slice(claimed.box, scene.keys.sealer("J1"), "P001", "J1", 0)
    assert (box.keys, claimed.states, claimed.token, claimed.slice_id) == (
        ("J1.0.0", "J1.0.1", "J1.0.2"),
        b"ppp",
        7,
        "J1.0",
    )
    assert (claimed.watermark, claimed.lines, claimed.profile_version) == (0, 3, 1)


async def test_the_first_claim_sets_the_job_running(scene: Scene) -> None:
    """Queued becomes running with the first claim."""
    assert (await scene.submit()).state is JobState.QUEUED
    await scene.claim()
    assert (await scene.ledger.job("J1")).state is JobState.RUNNING


async def test_nothing_is_claimed_twice(scene: Scene) -> None:
    """Two slices, three claims: the third finds nothing."""
    await scene.submit(lines=(2, 2))
    first, second = await scene.claim(1), await scene.claim(2)
    assert {first.slice_id, second.slice_id} == {"J1.0", "J1.1"}
    assert await scene.ledger.claim(lease(3), NOW) is None


async def test_many_at_once_never_get_the_same_slice(scene: Scene) -> None:
    """Twenty concurrent claims of twelve slices give each slice once."""
    await scene.submit(lines=(1,) * 12)
    claims = await asyncio.gather(*(scene.ledger.claim(lease(token), NOW) for token in range(1, 21)))
    got = [one.slice_id for one in claims if one is not None]
    assert sorted(got) == sorted(f"J1.{seq}" for seq in range(12))


async def test_a_slice_that_has_seen_a_higher_token_is_not_given_to_a_lower_one(scene: Scene) -> None:
    """A sleeper that wakes with an old lease cannot claim what a newer one has held."""
    await scene.submit()
    claimed = await scene.claim(token=9)
    await scene.ledger.give_back(claimed.slice_id, 9, [], NOW)
    assert await scene.ledger.claim(lease(8), NOW) is None
    assert (await scene.claim(token=9)).slice_id == claimed.slice_id


async def test_a_lease_of_an_older_generation_claims_nothing(scene: Scene) -> None:
    """Once the gate has begun a new generation, leases of the one before are worth nothing."""
    await scene.submit()
    await scene.ledger.begin_generation(REGISTRY, "redis was lost", BY, NOW)
    assert await scene.ledger.claim(lease(5, generation=0), NOW) is None
    assert await scene.ledger.claim(lease(5, generation=1), NOW) is not None


async def test_nothing_is_claimed_under_a_hold(scene: Scene) -> None:
    """A hold on the registry or on the party stops claims; its release lets them go on."""
    await scene.submit()
    for party in (None, "P001"):
        await scene.ledger.hold(REGISTRY, party, "stop", [], BY, NOW)
        assert await scene.ledger.claim(lease(), NOW) is None
        await scene.ledger.release(REGISTRY, party, "go", [], BY, NOW)
    await scene.ledger.hold(REGISTRY, "P002", "another's", [], BY, NOW)
    assert await scene.ledger.claim(lease(), NOW) is not None


async def test_an_account_out_of_use_claims_nothing(scene: Scene) -> None:
    """A session whose account was set aside gets no further slice."""
    await scene.ledger.apply_policy(policy_draft(policy("P001")), BY, NOW)
    await scene.submit()
    await scene.ledger.set_aside(REGISTRY, "P001-01", "bad-credentials", [], BY, NOW)
    assert await scene.ledger.claim(lease(account="P001-01"), NOW) is None
    assert await scene.ledger.claim(lease(account="P001-02"), NOW) is not None


async def test_a_paused_job_gives_no_slices_and_keeps_those_in_hand(scene: Scene) -> None:
    """Pausing stops claims; what is in hand still settles, and says that the job wants no more."""
    await scene.submit(lines=(1, 1))
    claimed = await scene.claim()
    await scene.ledger.pause("J1", "ops", BY, NOW)
    assert await scene.ledger.claim(lease(2), NOW) is None
    settled = await scene.settle(claimed.slice_id, {0: ACCEPTED})
    assert (settled.moved, settled.job_state) == (1, JobState.PAUSED)
    await scene.ledger.resume("J1", BY, NOW)
    assert (await scene.claim(3)).slice_id == "J1.1"


async def test_priority_comes_before_size_and_small_before_large(scene: Scene) -> None:
    """Within a party slices are claimed in the order of `domain.turns`."""
    await scene.submit("J1", lines=(5, 5, 5))
    await scene.submit("J2", lines=(2,))
    await scene.submit("J3", lines=(9,), priority=1)
    assert [(await scene.claim(token)).job for token in (1, 2, 3)] == ["J3", "J2", "J1"]


async def test_a_party_gets_slices_of_its_own_only(scene: Scene) -> None:
    """One party's lease never sees another party's slices."""
    await scene.submit("J1", party="P002")
    assert await scene.ledger.claim(lease(1, party="P001"), NOW) is None


async def test_a_waiting_slice_is_given_once_its_blocker_is_settled(scene: Scene) -> None:
    """A later job's slice waits for an earlier one's, by name, until nothing of that is unsettled."""
    await scene.submit("J1", lines=(2,))
    await scene.submit("J2", lines=(1, 1), waits={1: ("J1.0",)}, priority=9)
    assert await scene.ledger.blockers("J2") == {"J2.1": ["J1"]}
    assert (await scene.claim(1)).slice_id == "J2.0"
    assert (await scene.claim(2)).slice_id == "J1.0"
    await scene.settle("J1.0", {0: ACCEPTED})
    assert await scene.ledger.claim(lease(3), NOW) is None
    await scene.settle("J1.0", {1: ACCEPTED})
    assert (await scene.claim(3)).slice_id == "J2.1"
    assert await scene.ledger.blockers("J2") == {}


async def test_nothing_passes_a_doubtful_record(scene: Scene) -> None:
    """What waits behind a doubtful record waits for people."""
    await scene.submit("J1", lines=(1,))
    await scene.submit("J2", lines=(1,), waits={0: ("J1.0",)})
    await scene.claim(1)
    await scene.settle("J1.0", {0: UNKNOWN})
    await scene.settle("J1.0", {0: DOUBTFUL})
    assert (await scene.ledger.job("J1")).state is JobState.FINISHED
    assert await scene.ledger.claim(lease(2), NOW) is None
    await scene.ledger.resolve("J1", "J1.0", 0, None, BY, NOW)
    assert (await scene.claim(3)).slice_id == "J1.0"
    await scene.settle("J1.0", {0: ACCEPTED})
    assert (await scene.claim(4)).slice_id == "J2.0"
