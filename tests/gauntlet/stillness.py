"""SIGSTOP and SIGCONT: processes that neither die nor live, and wake up believing that no time has passed."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.gauntlet.deaths import leader_of, start_empty
from tests.gauntlet.kinds import Kind, Scene
from tests.gauntlet.plan import ANSWER_TIMEOUT_S
from tests.gauntlet.processes import Kept

_PAUSE_S = 90.0


async def stop_worker(scene: Scene) -> None:
    """Stop one worker for longer than its leases last."""
    await _stopped(scene, scene.host().worker, 12.0)


async def stop_leader(scene: Scene) -> None:
    """Stop the acting scheduler: another takes over, the sleeper wakes and finds itself fenced."""
    await _stopped(scene, (await leader_of(scene)).scheduler, 8.0)


async def stop_redis(scene: Scene) -> None:
    """Stop Redis for long: every lease is over by then."""
    pid = scene.ground.valkey.pid
    with _still(lambda number: os.kill(pid, number)):
        await asyncio.sleep(6.0 if scene.is_short else _PAUSE_S)


async def stop_database(scene: Scene) -> None:
    """Stop all of PostgreSQL."""
    with _still(scene.ground.postgres.signal):
        await asyncio.sleep(scene.span_s(8.0))


async def stop_registrar(scene: Scene) -> None:
    """Stop the registrar: what was sent meanwhile reaches it at one instant."""
    with _still(scene.ground.registrar.signal):
        await asyncio.sleep(scene.span_s(6.0))


async def stop_registrar_and_kill_redis(scene: Scene) -> None:
    """Stop the registrar for longer than an answer time-out, and lose Redis while answers are still waited for."""
    with _still(scene.ground.registrar.signal):
        await asyncio.sleep(ANSWER_TIMEOUT_S / 2)
        await start_empty(scene.ground.valkey)
        await asyncio.sleep(scene.span_s(6.0, short=4.0))


async def _stopped(scene: Scene, kept: Kept, usual_s: float) -> None:
    with _still(kept.signal):
        await asyncio.sleep(scene.span_s(usual_s, short=8.0))


@contextmanager
def _still(tell: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Have something stand still meanwhile."""
    tell(signal.SIGSTOP)
    try:
        yield
    finally:
        tell(signal.SIGCONT)


STOPS = (
    Kind(
        "stop worker",
        "SIGSTOP, SIGCONT after its leases ended",
        "a sleeper that wakes sends nothing",
        stop_worker,
        "43, D3",
    ),
    Kind(
        "stop acting scheduler",
        "SIGSTOP, SIGCONT after another took over",
        "one acts; shares fenced",
        stop_leader,
        "50",
    ),
    Kind(
        "pause redis",
        "SIGSTOP for 90 s (6 s in a quick run)",
        "nothing sent without a permit",
        stop_redis,
        "11",
        is_alone=True,
    ),
    Kind(
        "stop database",
        "SIGSTOP of every process of PostgreSQL",
        "claim before send; none lost",
        stop_database,
        "17",
        is_alone=True,
    ),
    Kind(
        "stop registrar",
        "SIGSTOP: what was sent arrives at one instant",
        "limits in every interval",
        stop_registrar,
        "24",
        is_alone=True,
    ),
)
#: what is sent anew comes on top of what was sent before, of which the new Redis knows only what workers tell it
STILL_AND_LOST = Kind(
    "registrar stopped while redis dies",
    "SIGSTOP for longer than an answer time-out; SIGKILL of Valkey meanwhile, started empty",
    "limits in every interval",
    stop_registrar_and_kill_redis,
    "8, 24",
    is_alone=True,
)
