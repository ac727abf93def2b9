"""SIGSTOP and SIGCONT: processes that neither die nor live, and wake up believing that no time has passed."""

import asyncio
import os
import signal

from tests.gauntlet.deaths import leader_of
from tests.gauntlet.kinds import Kind, Scene
from tests.gauntlet.processes import Kept


async def stop_worker(scene: Scene) -> None:
    """Stop one worker for longer than its leases last."""
    await _stopped(scene, scene.host().worker, 12.0)


async def stop_leader(scene: Scene) -> None:
    """Stop the acting scheduler: another takes over, the sleeper wakes and finds itself fenced."""
    await _stopped(scene, (await leader_of(scene)).scheduler, 8.0)


async def stop_redis(scene: Scene) -> None:
    """Stop Redis for as long as the plan says."""
    seconds = 6.0 if scene.is_short else scene.ground.plan.pause_s
    os.kill(scene.ground.valkey.pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        os.kill(scene.ground.valkey.pid, signal.SIGCONT)


async def stop_database(scene: Scene) -> None:
    """Stop all of PostgreSQL."""
    scene.ground.postgres.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(scene.span_s(8.0))
    finally:
        scene.ground.postgres.signal(signal.SIGCONT)


async def stop_registrar(scene: Scene) -> None:
    """Stop the registrar: what was sent meanwhile reaches it at one instant."""
    scene.ground.registrar.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(scene.span_s(6.0))
    finally:
        scene.ground.registrar.signal(signal.SIGCONT)


async def _stopped(scene: Scene, kept: Kept, usual_s: float) -> None:
    kept.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(scene.span_s(usual_s, short=8.0))
    finally:
        kept.signal(signal.SIGCONT)


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
