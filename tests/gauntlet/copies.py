"""The ledger put back from a copy, and a host that is lost with a file that nobody has checked."""

import asyncio
import shutil
import subprocess

from domain.states import JobState
from tests.gauntlet.field import DATABASE
from tests.gauntlet.kinds import Broken, Kind, NotInjected, Scene
from tests.gauntlet.stores import Postgres

_SCHEMA = "pratunam"
_CHECKED_WITHIN_S = 90


async def restore(scene: Scene) -> None:
    """Copy the ledger under load, let records flow, stop the gate, put the copy back, start: what it calls unsettled is asked about."""
    ground = scene.ground
    ledger = ground.parts.ledger
    await scene.traffic.pause()
    copy = ground.folder / "ledger.dump"
    await asyncio.to_thread(_dump, ground.postgres, str(copy))
    await asyncio.sleep(scene.span_s(8.0, short=4.0))
    await asyncio.gather(*(kept.stop() for kept in ground.processes))
    before = ground.arrivals()
    await asyncio.to_thread(_put_back, ground.postgres, str(copy))
    scene.traffic.look_again()
    for kept in ground.processes:
        kept.start()
    await ground.ready()

    async def is_noticed() -> bool:
        return await ledger.restored() is not None

    async def goes_on() -> bool:
        return ground.arrivals() > before

    await scene.until(is_noticed, 30, "that the ledger was put back was not noticed")
    await scene.until(goes_on, 60, "nothing was sent after the ledger was put back")
    scene.traffic.go_on()


def _dump(postgres: Postgres, copy: str) -> None:
    _tool(
        postgres,
        "pg_dump",
        "--format=custom",
        f"--schema={_SCHEMA}",
        f"--file={copy}",
        postgres.url(DATABASE),
    )


def _put_back(postgres: Postgres, copy: str) -> None:
    postgres.sql(
        "postgres",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
        DATABASE,
    )
    _tool(
        postgres,
        "pg_restore",
        "--clean",
        "--if-exists",
        "--single-transaction",
        f"--dbname={postgres.url(DATABASE)}",
        copy,
    )


def _tool(postgres: Postgres, name: str, *words: str) -> None:
    done = subprocess.run([postgres.program(name), *words], check=False, capture_output=True)
    if done.returncode:
        raise Broken(f"{name} failed: {done.stderr.decode()[-300:]}")


async def lose_host(scene: Scene) -> None:
    """Hand a file in at a third host while no worker can check it, throw that host away, and see it checked elsewhere."""
    ground = scene.ground
    await scene.traffic.pause()
    await scene.traffic.all_checked()
    workers = [host.worker for host in ground.hosts.values()]
    for kept in workers:
        await kept.stop()
    home = ground.folder / "third"
    try:
        home.mkdir(mode=0o700)
        handed = await asyncio.to_thread(scene.traffic.made, scene.dice.choice(sorted(ground.plan.parties)))
        words = (
            "submit",
            str(handed.file),
            "--party",
            handed.party,
            "--max-invalid",
            "100",
            "--yes",
            "--json",
        )
        code, out, err = await ground.command(*words, home=home)
        if code:
            raise NotInjected(f"the file was not taken: {err[-200:]}")
        job = scene.traffic.taken_elsewhere(handed, out)
        if (await ground.parts.ledger.job(job)).state is not JobState.RECEIVED:
            raise NotInjected("the file was checked at once")
    finally:
        shutil.rmtree(home, ignore_errors=True)
        for kept in workers:
            kept.start()
        scene.traffic.go_on()

    async def is_checked() -> bool:
        return (await ground.parts.ledger.job(job)).state not in {JobState.RECEIVED, JobState.CHECKING}

    await scene.until(is_checked, _CHECKED_WITHIN_S, f"{job} was not checked elsewhere")


COPIES = (
    Kind(
        "ledger from an old copy",
        "pg_dump in mid-load, pg_restore some seconds later",
        "unsettled records are asked about first; one effect",
        restore,
        "35",
        is_alone=True,
    ),
    Kind(
        "host lost with a file",
        "submitted there, its home deleted before any check",
        "the file is checked elsewhere",
        lose_host,
        "6, 7",
        is_alone=True,
    ),
)
