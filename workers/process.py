"""One worker process: dramatiq's worker and everything that its actors use, on the loop that is running.

1. Open the gate, the stations (none yet) and the broker; declare the actors.
2. Start dramatiq's worker: as many threads as sessions, and some beside them for checks and notices.
3. Wait until told to stop.
4. Stop politely: sessions end between records, settle, give back. What has not ended after the grace is cut off.
5. Close: whatever was promised is in the ledger.
"""

import asyncio
import logging
import os
import secrets
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from dramatiq.worker import Worker

from domain.clock import Clock
from domain.errors import NotFound
from domain.events import Emit
from domain.jobs import ClaimedSlice
from domain.loop import Loop
from domain.ports import Spool
from ledger.boxes import SliceBox, open_slice
from ledger.keystore import KeyStore
from ledger.protocols import Ledger
from profiles.codes import codes_of
from quotas.quotas import RedisQuotas
from workers.actors import BESIDE_SESSIONS, Actors
from workers.broker import RING_CHANNEL, LoopAsIs, RedisDoorbell, TakenTold, listen_for_wakes, make_broker
from workers.notices import NoticeParts, Notices
from workers.prompt_worker import PromptWorker
from workers.session import run_session
from workers.stations import StationParts, Stations
from workers.wires.http import HttpWire

#: how often an idle queue is looked at where no ring is heard (ms), and how long an idle thread of dramatiq sleeps: there is one a session
LISTEN_MS = 2_000
#: sessions that have not ended so long after a polite stop are cut off (s)
GRACE_S = 15.0
#: and have so long to give back what they have (s)
AFTER_CUT_S = 5.0
#: threads give way to the loop after so long (s): fifty of them at work when many sessions begin at once would stall it for their turns
SWITCH_S = 0.001
#: a file with this chunk in the spool is large
LARGE_FROM_CHUNK = 5


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What `pratunam/` hands in. `check` is intake's `check_job` with its parts; `sessions` is how many may run at once."""

    ledger: Ledger
    keys: KeyStore
    spool: Spool
    clock: Clock
    emit: Emit
    redis_url: str
    home: Path
    check: Callable[[str], Awaitable[object]]
    sessions: int = 64
    sender: str = "pratunam@localhost"
    webhook_key: bytes = b""
    maybe_ours: Callable[[str], frozenset[str]] | None = None
    grace_s: float = GRACE_S
    is_ready: Callable[[], None] = field(default=lambda: None)


class WorkerProcess:
    """Runs until told to stop."""

    def __init__(self, parts: WorkerParts) -> None:
        """Name this run: the gate remembers tick numbers by holder, so a name is never used twice."""
        self._parts = parts
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until `stopping` is set, then end politely."""
        logging.getLogger("dramatiq").setLevel(logging.ERROR)
        sys.setswitchinterval(SWITCH_S)
        parts = self._parts
        quotas, bell = RedisQuotas(parts.redis_url), RedisDoorbell(parts.redis_url)
        place = Workplace(parts, self._stations(quotas, bell), bell)
        loop = asyncio.get_running_loop()
        broker = make_broker(parts.redis_url, [LoopAsIs(loop), TakenTold(loop, parts.clock, parts.emit)])
        Actors(place, parts.sessions, bell.check_large, parts.emit).declare(broker)
        worker = PromptWorker(broker, listen_ms=LISTEN_MS, threads=parts.sessions + BESIDE_SESSIONS)
        policies = Loop("policy", place.stations.run_once, parts.emit)
        policies.start()
        listening = asyncio.create_task(
            listen_for_wakes(parts.redis_url, broker.heed_ring, channel=RING_CHANNEL)
        )
        await asyncio.to_thread(worker.start)
        parts.is_ready()
        try:
            await stopping.wait()
        finally:
            await self._stop(worker, place)
            await policies.stop()
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await place.stations.close()
            await quotas.close()
            bell.close()
            broker.client.close()

    async def _stop(self, worker: Worker, place: "Workplace") -> None:
        """Let sessions end between records; cut off those that take too long."""
        place.stations.stopping.set()
        longest_ms = round((self._parts.grace_s + AFTER_CUT_S) * 1000)
        stop = asyncio.create_task(asyncio.to_thread(worker.stop, longest_ms))
        done, _ = await asyncio.wait([stop], timeout=self._parts.grace_s)
        if not done:
            place.cut_off()
            await stop

    def _stations(self, quotas: RedisQuotas, bell: RedisDoorbell) -> Stations:
        parts = self._parts

        def open_with_key(claimed: ClaimedSlice) -> SliceBox:
            return open_slice(
                claimed.box, parts.keys.sealer(claimed.job), claimed.party, claimed.job, claimed.seq
            )

        return Stations(
            StationParts(
                ledger=parts.ledger,
                quotas=quotas,
                clock=parts.clock,
                emit=parts.emit,
                holder=self.holder,
                open_slice=open_with_key,
                make_wire=HttpWire,
                maybe_ours=parts.maybe_ours or codes_of,
                wake=bell.wake,
            )
        )


class Workplace:
    """What the actors call; see `workers.actors.Work`."""

    def __init__(self, parts: WorkerParts, stations: Stations, bell: RedisDoorbell) -> None:
        """Hold the parts."""
        self._parts = parts
        self.stations = stations
        self._bell = bell
        self._notices = Notices(
            NoticeParts(
                parts.ledger,
                parts.clock,
                parts.emit,
                parts.home,
                stations.policy,
                parts.sender,
                parts.webhook_key,
            )
        )
        self._under_way: set[asyncio.Task[object]] = set()

    async def look(self, job: str) -> tuple[str, bool]:
        """Return a job's party, and whether the spool holds many chunks of its file."""
        found = await self._parts.ledger.job(job)
        try:
            await self._parts.spool.get(found.blob, LARGE_FROM_CHUNK)
        except NotFound:
            return found.party, False
        return found.party, True

    async def check(self, job: str) -> None:
        """Check a job's file, and have the scheduler look at what came of it."""
        await self._cuttable(self._parts.check(job))
        self._bell.wake()

    async def serve(self, registry: str, party: str) -> None:
        """Run a session of a party, unless the process is stopping."""
        if self.stations.stopping.is_set():
            return
        station = await self.stations.station(registry)
        await self._cuttable(run_session(station, party))

    async def deliver(self, notice: str) -> None:
        """Deliver a notice."""
        await self._cuttable(self._notices.deliver(notice))

    def cut_off(self) -> None:
        """End whatever is under way now; sessions still give back what they have."""
        for task in list(self._under_way):
            task.cancel()

    async def _cuttable(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        try:
            await asyncio.wait([task])
        finally:
            self._under_way.discard(task)
        if not task.cancelled():
            task.result()
