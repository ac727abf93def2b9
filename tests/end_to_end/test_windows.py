"""A window that closes under full load and opens again, by the registrar's clock, which may be wrong."""

import asyncio
from pathlib import Path

from benchmarks import windows
from tests.end_to_end.verdicts import assert_all_in_effect, assert_limits_held


async def test_nothing_arrives_outside_a_window_that_closes_under_load_whatever_the_registrar_s_clock_says(
    place: Path,
) -> None:
    """Its clock is half a minute ahead, then behind: what counts is its own time. The forecast knows of the window."""
    folders = {offset_s: place / f"{number}" for number, offset_s in enumerate((30, -30))}
    for folder in folders.values():
        folder.mkdir()
    runs = await asyncio.gather(
        *(windows.play(offset_s, 1_800, folder=folder) for offset_s, folder in folders.items())
    )
    for offset_s, run in zip(folders, runs, strict=True):
        assert_limits_held(run.report)
        assert_all_in_effect(run.report, run.jobs)
        assert {each.at < run.closes_at for each in run.arrivals} == {True, False}
        assert not any(run.closes_at <= each.at < run.opens_at for each in run.arrivals)
        ends = [foreseen for foreseen in run.foreseen if foreseen is not None]
        assert len(ends) == len(run.jobs)
        assert max(ends) >= run.opens_at - offset_s * 1000
