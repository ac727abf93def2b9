"""Places for files that are taken in at once: so many a machine, half of them a party, and a word for who finds none."""

import asyncio
import io
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import Busy
from intake.places import a_place
from intake.receive import receive
from tests.intake.conftest import BY, REGISTRY, Desk
from tests.intake.samples import as_csv, grid, members


async def test_a_place_is_free_again_when_its_block_ends(tmp_path: Path) -> None:
    """Whoever waited gets it."""
    order: list[str] = []
    entered, leave = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with a_place(tmp_path, "P1", 1, 5):
            order.append("first")
            entered.set()
            await leave.wait()
            order.append("first leaves")

    async def second() -> None:
        await entered.wait()
        leave.set()
        async with a_place(tmp_path, "P2", 1, 5):
            order.append("second")

    await asyncio.gather(first(), second())
    assert order == ["first", "first leaves", "second"]


async def test_a_party_has_no_more_than_half_of_the_places(tmp_path: Path) -> None:
    """However many files it hands in at once, another party finds a place at once."""
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(a_place(tmp_path, "flood", 4, 0))
        with pytest.raises(Busy, match=r"^flood has .* \(2\)"):
            await stack.enter_async_context(a_place(tmp_path, "flood", 4, 0))
        for party in ("P1", "P2"):
            await stack.enter_async_context(a_place(tmp_path, party, 4, 0))
        with pytest.raises(Busy, match=r"^The gate .* \(4\)"):
            await stack.enter_async_context(a_place(tmp_path, "P3", 4, 0))


async def test_whoever_finds_no_place_is_told_when_to_come_back_and_nothing_is_half_done(desk: Desk) -> None:
    """No job, no blob, no key: the same file can be handed in again as if nothing had been."""
    parts = replace(desk.parts, places=1, wait_s=0)
    source = io.BytesIO(as_csv(grid(members(3))))
    async with a_place(parts.scratch / "places", "P002", 1, 0):
        with pytest.raises(Busy) as refusal:
            await receive(source, desk.request("P001"), parts, BY, desk.clock.now())
    assert 30_000 <= refusal.value.retry_after_ms <= 90_000
    assert f"in {round(refusal.value.retry_after_ms / 1000)} s" in refusal.value.remedy_en
    assert "วินาที" in refusal.value.remedy_th
    assert "ระบบยังไม่ได้รับแฟ้มนี้" in refusal.value.message_th
    assert await desk.ledger.jobs() == []
    assert list((desk.home / "spool").iterdir()) == []
    assert parts.keys.jobs() == []
    job = await receive(source, desk.request("P001"), parts, BY, desk.clock.now())
    assert job.registry == REGISTRY


async def test_a_party_with_all_its_jobs_open_leaves_nothing_in_spool_or_key_store(desk: Desk) -> None:
    """The refusal comes when the file has been read: what was kept of it is gone with its key."""
    desk.parts = replace(desk.parts, most_open=1)
    first = await desk.submit(as_csv(grid(members(3))))
    spooled = sorted((desk.home / "spool").rglob("*"))
    assert spooled
    with pytest.raises(Busy):
        await desk.submit(as_csv(grid(members(4))))
    assert [job.job for job in await desk.ledger.jobs()] == [first.job]
    assert sorted((desk.home / "spool").rglob("*")) == spooled
    assert desk.parts.keys.jobs() == [first.job]
