"""What a session needs around it: a station on fakes, with pacer and settler running, and a wire to a scripted registrar."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from domain.clock import SystemClock
from domain.policy import RegistryRules
from domain.states import Shape
from tests.workers.bench import Bench, bench
from tests.workers.waiting import WAIT_S
from tests.workers.wires.scripted import Scripted
from workers.session import SessionReport, run_session
from workers.wires.http import HttpWire


async def surroundings(server: Scripted, **rules: Any) -> AsyncIterator[Bench]:
    """Make and start them for any rules."""
    given = {"shape": Shape.STREAM, "answer_timeout_s": 0.8, **rules}
    policy = RegistryRules("reg", "party-members", server.endpoint, **given)
    made = bench(policy, HttpWire(policy, SystemClock()), accounts=("A1", "A2"))
    made.station.pacer.start()
    made.station.settler.start()
    yield made
    await made.station.pacer.stop()
    await made.station.settler.stop()
    await made.station.wire.close()


async def serve(work: Bench) -> SessionReport:
    """Run one session to its end."""
    async with asyncio.timeout(WAIT_S):
        return await run_session(work.station, "P1")
