"""What no event tells is counted in a real ledger: jobs by state, doubtful records, notices that have not arrived."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.clock import ManualClock
from domain.events import Event, LedgerLooked
from ledger.keystore import KeyStore
from ledger.ledger import open_ledger
from scheduler.ledger_look import EVERY_S, LedgerLook
from tests.ledger.scene import (
    BY,
    DOUBTFUL,
    MINUTE,
    NOW,
    REGISTRY,
    UNKNOWN,
    Scene,
    new_job,
    notice_draft,
    policy,
    policy_draft,
)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """A real ledger with two parties."""
    keys = KeyStore(tmp_path / "keys" / "keys.db", b"m" * 32)
    ledger = await open_ledger(tmp_path / "home", keys)
    await ledger.apply_policy(policy_draft(policy("P001", "P002")), BY, NOW)
    yield Scene(ledger, keys)
    await ledger.close()
    keys.close()


async def count(scene: Scene) -> LedgerLooked:
    """One count."""
    told: list[Event] = []
    look = LedgerLook(scene.ledger, ManualClock(NOW + MINUTE), told.append)
    assert await look.run_once() == EVERY_S
    (event,) = told
    assert isinstance(event, LedgerLooked)
    assert event.looked_at == NOW + MINUTE
    return event


async def test_an_empty_ledger_counts_nothing(scene: Scene) -> None:
    """No job, no doubtful record, no notice."""
    event = await count(scene)
    assert (event.jobs, event.doubtful, event.notices) == ({}, {}, {})


async def test_jobs_are_counted_by_state(scene: Scene) -> None:
    """Each job stands under its registry and state."""
    await scene.submit("J1")
    await scene.submit("J2", "P002")
    await scene.ledger.pause("J2", "asked", BY, NOW)
    assert (await count(scene)).jobs == {(REGISTRY, "queued"): 1, (REGISTRY, "paused"): 1}


async def test_records_that_people_must_decide_are_counted_by_party(scene: Scene) -> None:
    """Doubtful records of all jobs of a party add up; a party without any is not named."""
    for job, lines in (("J1", 3), ("J2", 2)):
        await scene.submit(job, lines=(lines,))
        await scene.settle(f"{job}.0", dict.fromkeys(range(lines), UNKNOWN))
        await scene.settle(f"{job}.0", {0: DOUBTFUL})
    await scene.submit("J3", "P002")
    assert (await count(scene)).doubtful == {(REGISTRY, "P001"): 2}


async def test_notices_count_until_they_have_arrived(scene: Scene) -> None:
    """A delivery waits, fails, and is no longer counted once it has arrived."""
    (notice,) = await scene.ledger.add_notices([notice_draft()], BY, NOW)
    assert (await count(scene)).notices == {("folder", "waiting"): 1}
    await scene.ledger.undelivered(notice, "folder", "OSError", NOW + 1, NOW)
    assert (await count(scene)).notices == {("folder", "failing"): 1}
    await scene.ledger.delivered(notice, "folder", NOW)
    assert (await count(scene)).notices == {}


async def test_what_is_older_than_a_thousand_others_is_counted_too(scene: Scene) -> None:
    """The oldest job's doubtful record and a notice that never arrived are those that people forget."""
    await scene.submit("J1", lines=(1,))
    await scene.settle("J1.0", {0: UNKNOWN})
    await scene.settle("J1.0", {0: DOUBTFUL})
    await scene.ledger.add_notices([notice_draft()] * 1_100, BY, NOW)
    for number in range(2, 1_010):
        await scene.ledger.receive(new_job(f"J{number}"), BY, NOW)
    event = await count(scene)
    assert event.doubtful == {(REGISTRY, "P001"): 1}
    assert event.notices == {("folder", "waiting"): 1_100}
    assert event.jobs == {(REGISTRY, "finished"): 1, (REGISTRY, "received"): 1_008}
