"""The backlog: what the scheduler and the forecast see."""

from domain.states import JobState
from tests.ledger.scene import ACCEPTED, BY, NOW, REGISTRY, UNKNOWN, Scene


async def test_the_backlog_adds_up_a_party_s_jobs(scene: Scene) -> None:
    """Pending, unknown, ready and in hand, in all and by job."""
    await scene.submit("J1", lines=(3, 2), priority=4, deadline_at=NOW + 7)
    await scene.submit("J2", lines=(5,))
    await scene.submit("J3", lines=(1,), party="P002")
    await scene.claim(1)
    await scene.settle("J1.0", {0: ACCEPTED, 1: UNKNOWN})
    first, second = await scene.ledger.backlog(REGISTRY, NOW)
    assert (first.party, first.pending, first.unknown, first.ready, first.in_hand) == ("P001", 8, 1, 7, 2)
    assert [(job.job, job.pending, job.unknown, job.ready_lines) for job in first.jobs] == [
        ("J1", 3, 1, 2),
        ("J2", 5, 0, 5),
    ]
    assert (first.jobs[0].priority, first.jobs[0].deadline_at, first.jobs[0].submitted_at) == (
        4,
        NOW + 7,
        NOW,
    )
    assert (second.party, second.ready, second.next_due_at) == ("P002", 1, None)


async def test_paused_jobs_have_no_backlog_and_cancelled_ones_only_what_is_unknown(scene: Scene) -> None:
    """Only what may be sent or asked about counts."""
    await scene.submit("J1", lines=(2, 2))
    await scene.claim(1)
    await scene.ledger.give_back("J1.0", 1, [0], NOW)
    await scene.ledger.pause("J1", "", BY, NOW)
    assert await scene.ledger.backlog(REGISTRY, NOW) == []
    await scene.ledger.cancel("J1", BY, NOW)
    (left,) = await scene.ledger.backlog(REGISTRY, NOW)
    assert (left.pending, left.unknown, left.ready, left.in_hand) == (0, 1, 1, 0)


async def test_a_waiting_slice_is_pending_and_not_ready(scene: Scene) -> None:
    """The party's backlog counts it, its ready lines do not."""
    await scene.submit("J1", lines=(2,))
    await scene.submit("J2", lines=(3,), waits={0: ("J1.0",)})
    (waiting,) = await scene.ledger.backlog(REGISTRY, NOW)
    assert (waiting.pending, waiting.ready) == (5, 2)
    await scene.settle("J1.0", {0: ACCEPTED, 1: ACCEPTED})
    (waiting,) = await scene.ledger.backlog(REGISTRY, NOW)
    assert (waiting.pending, waiting.ready) == (3, 3)


async def test_open_jobs_are_the_backlog_without_parties(scene: Scene) -> None:
    """The forecast sees the jobs that are queued, running or being cancelled."""
    await scene.submit("J1")
    await scene.submit("J2", party="P002")
    await scene.submit("J3")
    await scene.ledger.pause("J3", "", BY, NOW)
    assert [job.job for job in await scene.ledger.open_jobs(REGISTRY, NOW)] == ["J1", "J2"]
    assert (await scene.ledger.job("J3")).state is JobState.PAUSED


async def test_another_registry_has_a_backlog_of_its_own(scene: Scene) -> None:
    """Nothing of one registry shows in another's."""
    await scene.submit("J1")
    assert await scene.ledger.backlog("local-elections", NOW) == []
