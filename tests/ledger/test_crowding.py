"""A party may have so many open jobs: what comes beyond is refused with when to come back, and leaves nothing behind."""

import pytest

from domain.errors import Busy
from tests.ledger.scene import ACCEPTED, BY, NOW, REGISTRY, Scene, new_job


async def test_a_party_with_all_its_jobs_open_is_told_when_to_come_back(scene: Scene) -> None:
    """The refusal names the number and the minutes in both languages; no job, no number and no line of audit stay."""
    for name in ("J1", "J2"):
        await scene.ledger.receive(new_job(name), BY, NOW, most_open=2)
    with pytest.raises(Busy) as refusal:
        await scene.ledger.receive(new_job("J3"), BY, NOW, most_open=2)
    assert refusal.value.retry_after_ms == 600_000
    assert "2 jobs" in refusal.value.message_en
    assert "10 min" in refusal.value.remedy_en
    assert "10 นาที" in refusal.value.remedy_th
    assert "2 งาน" in refusal.value.message_th
    assert sorted(job.job for job in await scene.ledger.jobs()) == ["J1", "J2"]


async def test_a_file_that_is_in_already_is_not_refused(scene: Scene) -> None:
    """Asking again for what the gate has is answered with that job, however many are open."""
    await scene.ledger.receive(new_job("J1"), BY, NOW, most_open=1)
    again = new_job("J2", digest=new_job("J1").digest)
    assert (await scene.ledger.receive(again, BY, NOW, most_open=1)).job == "J1"


async def test_other_parties_are_not_bound_by_it(scene: Scene) -> None:
    """One party's flood costs that party alone."""
    await scene.ledger.receive(new_job("J1"), BY, NOW, most_open=1)
    other = new_job("J2", party="P002")
    assert (await scene.ledger.receive(other, BY, NOW, most_open=1)).job == "J2"
    elsewhere = new_job("J3", registry="x")
    assert (await scene.ledger.receive(elsewhere, BY, NOW, most_open=1)).registry != REGISTRY


async def test_a_job_that_has_ended_makes_room_and_tells_the_pace(scene: Scene) -> None:
    """When to come back is read from how soon the party's jobs ended lately."""
    await scene.submit("J1", lines=(1,))
    await scene.settle("J1.0", {0: ACCEPTED})
    now = NOW + 120_000
    await scene.ledger.receive(new_job("J2"), BY, now, most_open=1)
    with pytest.raises(Busy) as refusal:
        await scene.ledger.receive(new_job("J3"), BY, now, most_open=1)
    assert 120_000 <= refusal.value.retry_after_ms <= 125_000
    assert "in about" in refusal.value.remedy_en
