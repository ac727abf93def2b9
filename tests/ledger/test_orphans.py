"""What a killed submit leaves behind is swept away; what somebody may still need is not."""

import os
from pathlib import Path

import pytest

from domain.clock import ManualClock
from ledger.orphans import SAFE_MS, SEEN_MS, Orphans
from ledger.spool import FolderSpool
from tests.ledger.scene import BY, NOW, Scene, new_job
from tests.ledger.test_restored import put_back


@pytest.fixture
def spool(tmp_path: Path) -> FolderSpool:
    """An empty spool."""
    return FolderSpool(tmp_path / "spool")


@pytest.fixture
def clock() -> ManualClock:
    """A clock that tests set."""
    return ManualClock(NOW)


@pytest.fixture
def orphans(scene: Scene, spool: FolderSpool, clock: ManualClock) -> Orphans:
    """The sweeper of the test's ledger."""
    return Orphans(scene.ledger, scene.keys, spool, clock)


async def put(spool: FolderSpool, tmp_path: Path, blob: str, at: int) -> None:
    """Write a blob as if at an instant."""
    await spool.put(blob, 0, b"sealed")
    os.utime(tmp_path / "spool" / blob, ns=(at * 1_000_000, at * 1_000_000))


async def sweep_for(orphans: Orphans, clock: ManualClock, ms: int) -> int:
    """Sweep now, then every hour for so long; returns how much went."""
    swept = await orphans.sweep()
    for _ in range(ms // SEEN_MS):
        clock.advance(SEEN_MS)
        swept += await orphans.sweep()
    return swept


async def test_only_what_no_job_names_goes_and_only_once_it_is_old(
    scene: Scene, spool: FolderSpool, clock: ManualClock, orphans: Orphans, tmp_path: Path
) -> None:
    """A day after its last chunk, and not at the first look; a job's own blob and key stay."""
    await scene.submit()
    for blob in ("blob-J1", "J9.table"):
        await put(spool, tmp_path, blob, NOW)
    scene.keys.create("J9")
    assert await sweep_for(orphans, clock, SAFE_MS - SEEN_MS) == 0
    assert await sweep_for(orphans, clock, SAFE_MS + SEEN_MS) == 2
    assert set(await spool.blobs()) == {"blob-J1"}
    assert scene.keys.jobs() == ["J1"]


async def test_a_submit_in_progress_never_loses_its_blob_whatever_the_clock_says(
    scene: Scene, spool: FolderSpool, clock: ManualClock, orphans: Orphans, tmp_path: Path
) -> None:
    """Chunks come in; a clock a week ahead makes nothing old at once; the ledger is asked last."""
    await put(spool, tmp_path, "J9.table", NOW)
    await orphans.sweep()
    clock.step(7 * SAFE_MS)
    assert await orphans.sweep() == 0
    await put(spool, tmp_path, "J9.table", NOW + 1)
    clock.advance(SEEN_MS)
    assert await orphans.sweep() == 0
    named = scene.ledger.named_blobs
    clock.advance(SEEN_MS)

    async def named_then_received(blobs: list[str]) -> frozenset[str]:
        found = await named(blobs)
        if len(await scene.ledger.jobs()) == 0:
            await scene.ledger.receive(new_job("J9", blob="J9.table"), BY, NOW)
        return found

    scene.ledger.named_blobs = named_then_received  # type: ignore[method-assign,assignment]  # a submit between two looks
    assert await orphans.sweep() == 0
    assert set(await spool.blobs()) == {"J9.table"}


async def test_the_file_of_an_erased_job_goes_where_its_deletion_was_cut_short(
    scene: Scene, spool: FolderSpool, clock: ManualClock, orphans: Orphans, tmp_path: Path
) -> None:
    """The ledger's row still names it, but its contents are gone."""
    await scene.submit()
    await scene.ledger.cancel("J1", BY, NOW)
    await scene.ledger.erase("J1", BY, NOW)
    await put(spool, tmp_path, "blob-J1", NOW)
    assert await sweep_for(orphans, clock, SAFE_MS + SEEN_MS) == 1
    assert await spool.blobs() == {}


async def test_nothing_goes_while_the_ledger_stands_in_for_a_lost_one(
    scene: Scene, spool: FolderSpool, clock: ManualClock, orphans: Orphans, tmp_path: Path
) -> None:
    """A better copy may name it: keys that are destroyed do not come back."""
    await put(spool, tmp_path, "J9.table", NOW)
    scene.keys.create("J8")
    await put_back(scene.ledger)
    assert await sweep_for(orphans, clock, 3 * SAFE_MS) == 0
    assert scene.keys.jobs() == ["J8"]
