"""The limited process: a file that brings it down costs an attempt, and nothing but words comes back."""

import asyncio
import os
import signal
from dataclasses import replace

import psutil
import pytest

from domain.errors import BadFile
from domain.events import LoopFailed
from domain.states import JobState
from intake.check_job import check_job
from intake.frames import Limits, Look, Piece, ReadTask
from intake.keeper import ChildDied, keep_child
from intake.limits import NICE
from intake.spooled import rows_waiting
from tests.intake.conftest import REGISTRY, Desk, living_children
from tests.intake.samples import as_csv, as_xlsx, grid, members

SMALL = Limits(96 << 20, 60)
REAL = Limits(2 << 30, 60)


async def test_three_crashes_refuse_the_file_in_words(desk: Desk) -> None:
    """Each costs an attempt; the last one tells the party what to do."""
    job = await desk.submit(as_csv(grid(members(3))))
    desk.parts = replace(desk.parts, start_child=keep_child, limits=SMALL)
    for _ in range(4):
        assert await check_job(job.job, desk.parts, desk.clock.now()) is None
        desk.clock.advance(61_000)
    refused = await desk.ledger.job(job.job)
    assert refused.state is JobState.REFUSED
    assert "CSV UTF-8" in refused.fault_en
    assert [type(event) for event in desk.events] == [LoopFailed] * 3


async def test_a_reader_that_dies_refuses_the_file_and_leaves_nothing(desk: Desk) -> None:
    """The submitter hears at once, and what it died of."""
    desk.parts = replace(desk.parts, start_child=keep_child, limits=SMALL)
    with pytest.raises(BadFile, match=r"within the limits .* \((exit|\w+ at intake/)"):
        await desk.submit(as_csv(grid(members(3))))
    assert list((desk.home / "spool").iterdir()) == []


async def test_csv_and_workbook_go_through_the_real_process(desk: Desk) -> None:
    """End to end, and no child is left."""
    desk.parts = replace(desk.parts, start_child=keep_child, limits=REAL)
    job = await desk.take(as_csv(grid(members(30))))
    assert job.records.pending == 30
    assert await rows_waiting(job, desk.parts.spool, desk.parts.keys) == 30
    assert (await desk.submit(as_xlsx({"a": grid(members(3))}), party="P002")).state is JobState.RECEIVED
    assert not living_children()


async def test_a_killed_child_is_noticed_and_the_limits_really_stand() -> None:
    """Memory, CPU, core size and rank as asked; SIGKILL is an end without a result."""
    async with keep_child(REAL) as child:
        await child.say(ReadTask(REGISTRY, None, True, None, 10))
        await child.say(Piece(as_csv(grid(members(2)))))
        await child.say(Piece(b""))
        assert isinstance(await child.hear(), Look)
        process = psutil.Process(child.pid)
        assert process.rlimit(psutil.RLIMIT_AS) == (2 << 30, 2 << 30)
        assert process.rlimit(psutil.RLIMIT_CORE) == (0, 0)
        assert process.rlimit(psutil.RLIMIT_CPU)[0] == 60
        assert process.nice() == min(19, os.nice(0) + NICE)
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(ChildDied):
            await child.hear()


async def test_a_check_whose_right_is_gone_stops(desk: Desk) -> None:
    """Another process took over: this one commits nothing more."""
    job = await desk.submit(as_csv(grid(members(3))))

    class Lost:
        """A ledger in which the right to check is gone at once, and the index never free."""

        def __getattr__(self, name: str) -> object:
            if name == "keep_check":
                return self._no
            if name == "begin_index":
                return self._never
            return getattr(desk.ledger, name)

        async def _no(self, *args: object, **named: object) -> bool:
            return False

        async def _never(self, *args: object, **named: object) -> bool:
            await asyncio.Event().wait()
            return False

    parts = replace(desk.parts, ledger=Lost())  # type: ignore[arg-type]  # only the verbs that the check uses
    assert await check_job(job.job, parts, desk.clock.now()) is None
    assert [one async for one in desk.ledger.slices(job.job)] == []


async def test_a_small_file_checks_the_party_s_earlier_one_first(desk: Desk) -> None:
    """Order is that of taking in; nobody waits for a check that nobody runs."""
    first = await desk.submit(as_csv(grid(members(20))))
    second = await desk.submit(as_csv(grid(members(3))))
    job = await desk.check(second)
    assert (await desk.ledger.job(first.job)).state is JobState.QUEUED
    assert job.records.pending == 3
    assert set(await desk.ledger.blockers(job.job))
