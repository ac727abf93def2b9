"""Kills: each kind of process by force while records flow. Whoever keeps the processes starts them again."""

import asyncio
import signal
import time

import msgspec
import psutil

from quotas.keys import LEADER as LEADER_KEY
from tests.gauntlet.field import DATABASE, Host
from tests.gauntlet.kinds import Kind, NotInjected, Scene
from tests.gauntlet.processes import Kept
from tests.gauntlet.stores import Valkey

_SEEN_WITHIN_S = 10.0
CHECK = "kill the check of a file"
WORKER, LEADER, STANDBY, REDIS = (
    "kill worker",
    "kill acting scheduler",
    "kill standby scheduler",
    "kill redis",
)


async def leader_of(scene: Scene) -> Host:
    """Return the host whose scheduler acts now; raises NotInjected while none does."""
    async with scene.ground.valkey.client() as client:
        told = await client.get(LEADER_KEY)
    holder = str(msgspec.msgpack.decode(told)["holder"]) if isinstance(told, bytes) else ""
    for host in scene.ground.hosts.values():
        pid = host.scheduler.pid
        if pid is not None and holder.endswith(f":{pid}"):
            return host
    raise NotInjected("no scheduler acts at this moment")


async def kill_worker(scene: Scene) -> None:
    """Kill one host's worker and all that it runs.

    A file whose check dies with its worker waits a minute for the next try, so in a quick run none is checked just then.
    """
    kept = scene.host().worker
    await _ready(kept)
    if scene.is_short:
        await scene.traffic.pause()
        await scene.traffic.all_checked()
    await _strike(scene, WORKER, kept)
    scene.traffic.go_on()


async def kill_leader(scene: Scene) -> None:
    """Kill the scheduler that acts."""
    host = await leader_of(scene)
    await _strike(scene, LEADER, host.scheduler)


async def kill_standby(scene: Scene) -> None:
    """Kill a scheduler that does not act."""
    acting = await leader_of(scene)
    other = next(host for host in scene.ground.hosts.values() if host is not acting)
    await _strike(scene, STANDBY, other.scheduler)


async def kill_redis(scene: Scene) -> None:
    """Kill Redis and start it empty."""
    note(scene, REDIS)
    await start_empty(scene.ground.valkey)


async def start_empty(valkey: Valkey) -> None:
    """Kill this server and start it with nothing in it."""
    await valkey.kill()
    valkey.forget_copy()
    await valkey.start()


async def crash_database(scene: Scene) -> None:
    """Crash PostgreSQL as a power cut would, and start it again."""
    note(scene, "crash database")
    await asyncio.to_thread(scene.ground.postgres.stop, signal.SIGQUIT)
    await asyncio.sleep(scene.span_s(1.0))
    await asyncio.to_thread(scene.ground.postgres.start)


async def kill_database_session(scene: Scene) -> None:
    """Kill one session's process of PostgreSQL: the server throws all sessions out and recovers."""
    rows = scene.ground.postgres.sql(
        "postgres",
        "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
        DATABASE,
    )
    if not rows:
        raise NotInjected("the database has no session")
    note(scene, "kill a database session")
    psutil.Process(scene.dice.choice(rows)[0]).kill()


async def kill_check(scene: Scene) -> None:
    """Kill the child that checks a file, at the moment at which one is seen."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _SEEN_WITHIN_S
    while loop.time() < until:
        for host in scene.ground.hosts.values():
            for child in host.worker.children():
                child.kill()
                note(scene, CHECK)
                return
        await asyncio.sleep(0.02)
    raise NotInjected("no file was checked at this moment")


async def kill_host(scene: Scene) -> None:
    """Kill everything on one host at once."""
    host = scene.host()
    note(scene, "kill a host")
    for kept in host.processes.values():
        kept.kill()


async def power_cut(scene: Scene) -> None:
    """Kill every process of the gate, Redis and PostgreSQL at once, and start all again."""
    ground = scene.ground
    note(scene, "power cut")
    for kept in ground.processes:
        kept.kill()
    await ground.valkey.kill()
    await asyncio.to_thread(ground.postgres.stop, signal.SIGQUIT)
    ground.valkey.forget_copy()
    await asyncio.to_thread(ground.postgres.start)
    await ground.valkey.start()
    await ground.ready()


def note(scene: Scene, name: str) -> None:
    """Write down when a blow struck."""
    scene.blows.append((name, time.time_ns() // 1_000_000))


async def _strike(scene: Scene, name: str, kept: Kept) -> None:
    note(scene, name)
    kept.kill()


async def _ready(kept: Kept) -> None:
    if not kept.is_ready:
        raise NotInjected(f"{kept.name} is not ready at this moment")


_ONCE = "each record in effect once, none lost; limits"
KILLS = (
    Kind(WORKER, "SIGKILL of a worker and its children", _ONCE, kill_worker, "1-4, D1"),
    Kind(LEADER, "SIGKILL of the scheduler that acts", f"{_ONCE}; windows close by themselves", kill_leader, "5, 50"),
    Kind(STANDBY, "SIGKILL of the scheduler that stands by", _ONCE, kill_standby, "5"),
    Kind(REDIS, "SIGKILL of Valkey, started empty", f"{_ONCE}; no burst afterwards", kill_redis, "8, D5, D10"),
    Kind("crash database", "SIGQUIT of PostgreSQL, started again", f"{_ONCE}; audit chain", crash_database, "17"),
    Kind(
        "kill a database session", "SIGKILL of one backend: the server throws all out", _ONCE, kill_database_session, "17"
    ),
    Kind(CHECK, "SIGKILL of the child that checks", "no row lost or doubled", kill_check, "6, 49"),
    Kind("kill a host", "SIGKILL of worker and scheduler of a host at once", _ONCE, kill_host, "1-5"),
)  # fmt: skip
CUT = Kind(
    "power cut", "SIGKILL of gate, Redis and PostgreSQL at once", _ONCE, power_cut, "16", is_alone=True
)
