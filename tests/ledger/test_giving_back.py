"""How claims end: given back, or rescued from who is no more; and when what they may have sent is asked about."""

from domain.states import JobState
from tests.ledger.scene import ACCEPTED, BY, NOW, PENDING, REGISTRY, Scene, lease, policy, policy_draft


async def test_a_job_whose_last_slice_is_given_back_is_queued_again(scene: Scene) -> None:
    """Not while another slice of it is in hand, and not when it was paused meanwhile."""
    await scene.submit(lines=(2, 2))
    await scene.claim(1)
    await scene.claim(2)
    await scene.ledger.give_back("J1.0", 1, [], NOW)
    assert (await scene.ledger.job("J1")).state is JobState.RUNNING
    await scene.ledger.rescue(REGISTRY, frozenset(), NOW, idempotent=True)
    assert (await scene.ledger.job("J1")).state is JobState.QUEUED
    await scene.claim(3)
    await scene.ledger.pause("J1", "", BY, NOW)
    await scene.ledger.give_back("J1.0", 3, [], NOW)
    assert (await scene.ledger.job("J1")).state is JobState.PAUSED


async def test_a_slice_given_back_for_later_is_due_then(scene: Scene) -> None:
    """`not_before` keeps a slice from being claimed, and the backlog says until when."""
    await scene.submit(lines=(4,))
    claimed = await scene.claim()
    await scene.ledger.give_back(claimed.slice_id, 1, [], NOW, not_before=NOW + 500)
    (waiting,) = await scene.ledger.backlog(REGISTRY, NOW)
    assert (waiting.ready, waiting.pending, waiting.next_due_at, waiting.in_hand) == (0, 4, NOW + 500, 0)
    assert await scene.ledger.claim(lease(2), NOW + 499) is None
    assert await scene.ledger.claim(lease(2), NOW + 500) is not None


async def test_giving_back_says_which_lines_are_unknown(scene: Scene) -> None:
    """Named lines are unknown, settled ones stay, the others are pending again."""
    await scene.submit(lines=(4,))
    claimed = await scene.claim()
    await scene.settle(claimed.slice_id, {0: ACCEPTED})
    await scene.ledger.give_back(claimed.slice_id, 1, [0, 1, 2], NOW)
    assert await scene.states() == ["auup"]
    assert await scene.is_counted_right("J1")


async def test_a_line_unknown_from_before_stays_unknown(scene: Scene) -> None:
    """A session that did not come to ask about an old unknown record does not make it pending."""
    await scene.submit(lines=(3,))
    await scene.claim(1)
    await scene.ledger.give_back("J1.0", 1, [0, 1], NOW)
    assert (await scene.claim(2)).states == b"uup"
    await scene.settle("J1.0", {0: PENDING})
    await scene.ledger.give_back("J1.0", 2, [], NOW)
    assert await scene.states() == ["pup"]


async def test_giving_back_with_an_old_token_changes_nothing(scene: Scene) -> None:
    """Only the holder of the claim ends it."""
    await scene.submit()
    await scene.claim(5)
    await scene.ledger.give_back("J1.0", 4, [0], NOW)
    assert await scene.states() == ["ppp"]
    assert await scene.ledger.claim(lease(6), NOW) is None


async def test_the_watermark_belongs_to_the_claim(scene: Scene) -> None:
    """It rises only, for the holder only, and a new claim begins without one."""
    await scene.submit(lines=(5,))
    await scene.claim(3)
    assert await scene.ledger.mark_sent("J1.0", 3, 2, NOW)
    assert await scene.ledger.mark_sent("J1.0", 3, 1, NOW)
    assert not await scene.ledger.mark_sent("J1.0", 2, 4, NOW)
    assert await scene.ledger.rescue(REGISTRY, frozenset(), NOW, idempotent=False) == 1
    assert await scene.states() == ["uuppp"]
    assert not await scene.ledger.mark_sent("J1.0", 3, 5, NOW)
    assert (await scene.claim(4)).watermark == 0


async def test_rescue_takes_only_what_no_live_lease_holds(scene: Scene) -> None:
    """With idempotency every unsettled line of a lost claim is unknown; a live claim is left alone."""
    await scene.submit(lines=(3, 3))
    await scene.claim(1)
    await scene.claim(2)
    await scene.settle("J1.0", {1: ACCEPTED})
    assert await scene.ledger.rescue(REGISTRY, frozenset({2}), NOW, idempotent=True) == 1
    assert await scene.ledger.rescue(REGISTRY, frozenset({2}), NOW, idempotent=True) == 0
    assert await scene.states() == ["uau", "ppp"]
    (waiting,) = await scene.ledger.backlog(REGISTRY, NOW)
    assert (waiting.ready, waiting.in_hand, waiting.unknown, waiting.pending) == (2, 3, 2, 3)


async def test_nothing_of_a_cancelled_job_is_given_out_for_sending(scene: Scene) -> None:
    """What a dead session held of a cancelled job is given out to be asked about, and only that."""
    settle_ms = await settling_ms(scene)
    await scene.submit(lines=(2,))
    assert not (await scene.claim(1)).ask_only
    await scene.ledger.cancel("J1", BY, NOW)
    await scene.ledger.rescue(REGISTRY, frozenset(), NOW, idempotent=True)
    assert await scene.ledger.claim(lease(2), NOW + settle_ms - 1) is None
    again = await scene.claim(2, NOW + settle_ms)
    assert (again.states, again.ask_only) == (b"uu", True)
    await scene.settle("J1.0", {0: PENDING, 1: ACCEPTED})
    assert await scene.states() == ["xa"]
    assert (await scene.ledger.job("J1")).state is JobState.CANCELLED


async def test_unknown_records_of_a_job_cancelled_later_are_asked_about_after_the_settling_time(
    scene: Scene,
) -> None:
    """Nobody holds them when the job is cancelled: they too wait until a late original would have surfaced."""
    settle_ms = await settling_ms(scene)
    await scene.submit(lines=(2,))
    await scene.claim(1)
    await scene.ledger.give_back("J1.0", 1, [0], NOW)
    await scene.ledger.cancel("J1", BY, NOW)
    assert await scene.states() == ["ux"]
    assert await scene.ledger.claim(lease(2), NOW + settle_ms - 1) is None
    assert (await scene.claim(2, NOW + settle_ms)).ask_only


async def test_a_rescued_record_is_asked_about_only_when_a_late_original_would_have_surfaced(
    scene: Scene,
) -> None:
    """Without idempotency the time to wait is in the ledger, so that every process and every restart keeps it."""
    settle_ms = await settling_ms(scene)
    await scene.submit(lines=(3,))
    await scene.claim(1)
    await scene.ledger.mark_sent("J1.0", 1, 1, NOW)
    await scene.ledger.rescue(REGISTRY, frozenset(), NOW, idempotent=False)
    assert await scene.ledger.claim(lease(2), NOW + settle_ms - 1) is None
    assert (await scene.claim(2, NOW + settle_ms)).states == b"upp"


async def test_a_paused_jobs_slices_in_hand_are_seen(scene: Scene) -> None:
    """The backlog leaves them out; a dead session's are fetched back all the same."""
    await scene.submit(lines=(2,))
    assert not await scene.ledger.has_claims(REGISTRY)
    await scene.claim(1)
    await scene.ledger.pause("J1", "", BY, NOW)
    assert await scene.ledger.backlog(REGISTRY, NOW) == []
    assert await scene.ledger.has_claims(REGISTRY)
    await scene.ledger.rescue(REGISTRY, frozenset(), NOW, idempotent=True)
    assert not await scene.ledger.has_claims(REGISTRY)


async def test_what_a_session_gives_back_of_a_cancelled_job_waits_for_the_settling_time(scene: Scene) -> None:
    """Cancelled under it: what it had sent may still surface, so nobody believes an absence before; a later time is kept."""
    settle_ms = await settling_ms(scene)
    await scene.submit(lines=(1, 1))
    assert [(await scene.claim(token)).slice_id for token in (1, 2)] == ["J1.0", "J1.1"]
    await scene.ledger.cancel("J1", BY, NOW)
    await scene.ledger.give_back("J1.0", 1, [0], NOW)
    await scene.ledger.give_back("J1.1", 2, [0], NOW, not_before=NOW + 2 * settle_ms)
    assert await scene.ledger.claim(lease(3), NOW + settle_ms - 1) is None
    assert (await scene.claim(3, NOW + settle_ms)).slice_id == "J1.0"
    assert await scene.ledger.claim(lease(4), NOW + 2 * settle_ms - 1) is None
    assert (await scene.claim(4, NOW + 2 * settle_ms)).ask_only


async def settling_ms(scene: Scene) -> int:
    """Put a policy in force, and return the time after which no late original can surface (ms)."""
    rules = policy("P001")
    await scene.ledger.apply_policy(policy_draft(rules), BY, NOW)
    return round(rules.registries[REGISTRY].settle_s * 1000)
