"""Faults of the machine itself: disks full or failing, no file descriptors, no memory, clocks that step."""

import asyncio
import resource
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from tests.gauntlet.disks import NO_ROOM, SmallDisk
from tests.gauntlet.kinds import Kind, NotInjected, Scene
from tests.gauntlet.wishes import NO_LIBRARY, Wishes

_PAGE = resource.getpagesize()


async def fill_database_disk(scene: Scene) -> None:
    """Leave PostgreSQL no room: it refuses, or goes down, until there is room again."""
    await _filled(scene, scene.ground.database_disk, 6.0)
    await asyncio.to_thread(scene.ground.postgres.revive)


async def fill_home(scene: Scene) -> None:
    """Leave a host's home no room: files cannot be checked there, records flow."""
    await _filled(scene, scene.host().disk, 8.0)


async def _filled(scene: Scene, disk: SmallDisk, usual_s: float) -> None:
    if not disk.is_small:
        raise NotInjected(NO_ROOM)
    await asyncio.to_thread(disk.fill)
    try:
        await asyncio.sleep(scene.span_s(usual_s))
    finally:
        disk.free()


async def fail_syncs(scene: Scene) -> None:
    """Have every fsync of PostgreSQL fail with EIO: it must go down, and recover from what was synced."""
    wishes = _able(scene.ground.wishes["postgres"])
    wishes.fail_syncs(fails=True)
    try:
        await asyncio.sleep(scene.span_s(3.0))
    finally:
        wishes.fail_syncs(fails=False)
    await asyncio.to_thread(scene.ground.postgres.revive)


def limited(which: int, least: Callable[[int], int]) -> Callable[[Scene], Awaitable[None]]:
    """Return a fault that leaves one worker as much of a resource as `least` says of its process, for a while."""

    async def do(scene: Scene) -> None:
        kept = scene.host().worker
        pid = kept.pid
        if pid is None or not kept.is_ready:
            raise NotInjected(f"{kept.name} is not ready at this moment")
        before = resource.prlimit(pid, which)
        resource.prlimit(pid, which, (least(pid), before[1]))
        try:
            await asyncio.sleep(scene.span_s(8.0, short=5.0))
        finally:
            with suppress(
                ProcessLookupError
            ):  # it may have died of it: whoever starts it again starts it unlimited
                resource.prlimit(pid, which, before)
        await kept.ready()

    return do


def _open_files(pid: int) -> int:
    return max(int(each.name) for each in Path(f"/proc/{pid}/fd").iterdir()) + 1


def _address_space(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * _PAGE + (1 << 20)


def stepped(whose: str, *steps_s: float) -> Callable[[Scene], Awaitable[None]]:
    """Return a fault that steps a clock forth and back: of `redis` (the gate's own) or of a `host`."""

    async def do(scene: Scene) -> None:
        name = scene.host().name if whose == "host" else whose
        wishes = _able(scene.ground.wishes[name])
        try:
            before_s = 0.0
            for step_s in (*steps_s, 0.0):
                if whose == "redis" and step_s > before_s:
                    scene.leaps.append(time.time_ns() // 1_000_000)
                wishes.step_clock(step_s)
                before_s = step_s
                await asyncio.sleep(scene.span_s(4.0, short=2.0))
        finally:
            wishes.step_clock(0.0)

    return do


async def registrar_clock(scene: Scene) -> None:
    """Step the registrar's own wall clock by five seconds, forth and back."""
    for offset_s in (5.0, -5.0, 0.0):
        await scene.ground.registrar.control(clock_offset_s=offset_s)
        await asyncio.sleep(scene.span_s(3.0, short=1.0))


def _able(wishes: Wishes) -> Wishes:
    if not wishes.can:
        raise NotInjected(NO_LIBRARY)
    return wishes


_CLAIM = "claim before send; none lost"
_LIMITS = "limits and windows in every interval"
MACHINE = (
    Kind(
        "disk full under postgres",
        "a tmpfs filled to the last byte",
        _CLAIM,
        fill_database_disk,
        "18",
        is_alone=True,
    ),
    Kind(
        "disk full under a home",
        "a tmpfs filled to the last byte",
        "records flow; no half-checked file",
        fill_home,
        "18",
    ),
    Kind(
        "EIO on fsync of postgres",
        "preloaded library",
        "nothing acknowledged is lost",
        fail_syncs,
        "19",
        is_alone=True,
    ),
    Kind(
        "no file descriptors",
        "prlimit of a worker to what it has open",
        _CLAIM,
        limited(resource.RLIMIT_NOFILE, _open_files),
        "22",
    ),
    Kind(
        "no memory",
        "prlimit of a worker's address space",
        _CLAIM,
        limited(resource.RLIMIT_AS, _address_space),
        "21",
    ),
    Kind(
        "no room for a file",
        "prlimit of a worker's file size to 0",
        _CLAIM,
        limited(resource.RLIMIT_FSIZE, lambda _: 0),
        "20",
    ),
    Kind(
        "redis' clock steps",
        "preloaded library: +5 s, -5 s, 0",
        _LIMITS,
        stepped("redis", 5.0, -5.0),
        "41",
        is_alone=True,
    ),
    Kind(
        "a host's clock steps", "preloaded library: +5 s, -5 s, 0", _LIMITS, stepped("host", 5.0, -5.0), "41"
    ),
    Kind(
        "a host's clock is two minutes off",
        "preloaded library: +120 s, -120 s, 0",
        "doubled messages find nothing to do",
        stepped("host", 120.0, -120.0),
        "40, D2",
    ),
    Kind("registrar's clock steps", "its `Date` +5 s, -5 s, 0", _LIMITS, registrar_clock, "41"),
)
