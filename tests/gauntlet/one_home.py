"""Faults of a gate that keeps all on one machine: `pratunam up` on SQLite, on a field of its own, judged by its registrar's report."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.gate import Gate
from benchmarks.town import Town, TownPlan, party, town, write_members
from domain.jobs import Job
from tests.end_to_end.verdicts import assert_all_in_effect, assert_limits_held
from tests.gauntlet.disks import NO_ROOM, SmallDisk
from tests.gauntlet.kinds import Broken, NotInjected
from tests.gauntlet.stores import Postgres
from tests.gauntlet.wishes import NO_LIBRARY, Wishes, built_library

ROWS = 300
_HOME_MIB, _AGAIN_S, _DONE_WITHIN_S = 512, 4.0, 90.0
Harm = Callable[[Town, Path], Awaitable[None]]


async def harmed(harm: Harm, folder: Path, *, small: bool = False, preload: bool = False) -> None:
    """Run two parties through one home, do harm once records flow, and judge the end; raises Broken or NotInjected."""
    wishes = Wishes(
        await asyncio.to_thread(built_library, folder) if preload else None, folder / "home.wishes"
    )
    if preload and not wishes.can:
        raise NotInjected(NO_LIBRARY)
    home = folder / "home"
    home.mkdir(mode=0o700)
    disk = SmallDisk(home, _HOME_MIB, is_wanted=small)
    if small and not disk.is_small:
        raise NotInjected(NO_ROOM)
    plan = TownPlan(
        [2, 1],
        [ROWS, ROWS],
        90,
        30,
        30,
        10,
        environment=dict(wishes.environment),
        extra_policy="answer_timeout_s = 2",
    )
    try:
        async with town(plan, folder) as place:
            files = {party(number): write_members(folder, party(number), ROWS, number) for number in (0, 1)}
            jobs = await place.submit(files)
            await place.until_arrived(ROWS // 4)
            await harm(place, folder)
            await _judged(place, jobs)
    finally:
        disk.close()


async def _judged(place: Town, jobs: list[Job]) -> None:
    try:
        await _all_in_effect(place)
        report = await place.report()
        assert_limits_held(report)
        assert report["effects"]["more"] == 0
        if not place.gate.runs:
            return  # its ledger was moved, and has been judged where it is now
        assert_all_in_effect(report, await place.until_done(jobs, _DONE_WITHIN_S))
    except (AssertionError, TimeoutError) as error:
        raise Broken(f"{type(error).__name__}: {error}") from None


async def _all_in_effect(place: Town) -> None:
    """Wait until the registrar has every record; raises TimeoutError."""
    async with asyncio.timeout(_DONE_WITHIN_S):
        while (await place.report())["effects"]["exactly_one"] < 2 * ROWS:  # noqa: ASYNC110 -- the registrar rings no bell
            await asyncio.sleep(0.2)


async def fill(place: Town, _: Path) -> None:
    """Leave the home no byte, then give the room back."""
    disk = SmallDisk(place.gate.home, 0, is_wanted=False)
    await asyncio.to_thread(disk.fill)
    try:
        await asyncio.sleep(_AGAIN_S)
        said = await place.gate.command(
            "submit", str(place.folder / "P000.csv"), "--party", party(1), "--json"
        )
        if said.code == 0:
            raise Broken("a file was taken in though the disk was full")
    finally:
        disk.free()


async def fail_syncs(place: Town, folder: Path) -> None:
    """Have every fsync of the gate fail, then no more."""
    wishes = Wishes(folder / "shim.so", folder / "home.wishes")
    wishes.fail_syncs(fails=True)
    await asyncio.sleep(_AGAIN_S)
    wishes.fail_syncs(fails=False)


async def second_gate(place: Town, _: Path) -> None:
    """Start `up` once more on the same home."""
    second = Gate(place.gate.home, place.folder / "policy.toml", place.folder / "second.log", {})
    try:
        await second.start()
    except RuntimeError:
        return
    await second.stop()
    raise Broken("a second gate started on the same home")


async def migrate(place: Town, folder: Path) -> None:
    """Move the home while it runs (refused), then once it is stopped; the old home is locked, the new one goes on."""
    (folder / "pg").mkdir()
    postgres = await asyncio.to_thread(_database, folder)
    try:
        postgres.sql("postgres", "CREATE DATABASE gate TEMPLATE template0")
        await _moved(place, folder, postgres)
    except BaseException:
        await asyncio.to_thread(postgres.stop)
        raise


def _database(folder: Path) -> Postgres:
    folder.chmod(0o755)  # PostgreSQL runs as somebody else where this is root
    postgres = Postgres(folder / "pg", {})
    postgres.start()
    return postgres


async def _moved(place: Town, folder: Path, postgres: Postgres) -> None:
    secret = folder / "db.password"
    secret.write_text(postgres.password)
    words = ("migrate", "--to", postgres.loopback_url("gate"), "--password-file", str(secret))
    if (await place.gate.command(*words)).code == 0:
        raise Broken("a home was moved while it ran")
    await place.gate.stop()
    before = await place.arrivals()
    moved = await place.gate.command(*words)
    if moved.code:
        raise Broken(f"a stopped home was not moved: {moved.err[-200:]}")
    try:
        await place.gate.start()
    except RuntimeError:
        pass
    else:
        await place.gate.stop()
        raise Broken("the old home started after it was moved")
    if await place.arrivals() != before:
        raise Broken("the old home sent something after it was moved")
    there = {
        "PRATUNAM_LEDGER_URL": postgres.loopback_url("gate"),
        "PRATUNAM_LEDGER_PASSWORD_FILE": str(secret),
        "PRATUNAM_MASTER_KEY_FILE": str(place.parts.settings.master_key_path),
    }
    new = Gate(place.gate.home, folder / "policy.toml", folder / "new.log", there)
    await new.start()
    try:
        await _all_in_effect(place)
        for job in (await new.command("jobs", "--json")).json:
            if job["state"] != "finished":
                raise Broken(f"{job['job']} is {job['state']} in the new home")
    finally:
        await new.stop()
        await asyncio.to_thread(postgres.stop)


@dataclass(frozen=True, slots=True)
class Apart:
    """One kind of fault on a home of its own."""

    name: str
    how: str
    stake: str
    harm: Harm
    covers: str = ""
    small: bool = False
    preload: bool = False

    async def do(self, folder: Path) -> None:
        """Build a home in `folder`, do it, and judge; raises Broken or NotInjected."""
        await harmed(self.harm, folder, small=self.small, preload=self.preload)


async def kill_all(place: Town, _: Path) -> None:
    """Kill the supervisor: everything of the gate dies with it; start it again."""
    family = place.gate.family()
    await place.gate.kill()
    await asyncio.to_thread(psutil.wait_procs, family[1:], 30)
    await place.gate.start()


_ONCE = "each record in effect once, none lost; limits"
HOMES = (
    Apart(
        "migrate while it runs",
        "`pratunam migrate --to`",
        "refused; the old home is locked afterwards",
        migrate,
    ),
    Apart("disk full under SQLite", "a tmpfs filled to the last byte", _ONCE, fill, "18", small=True),
    Apart("EIO on fsync of SQLite", "preloaded library", _ONCE, fail_syncs, "19", preload=True),
    Apart("second gate on a home", "`pratunam up` twice", "one acts", second_gate, "50"),
    Apart("kill the supervisor", "SIGKILL of `pratunam up`", _ONCE, kill_all, "5, 16"),
)
