"""The simulated world: two worker hosts and two schedulers, each a process that can die, round one ledger, one gate, one registrar."""

import asyncio
import atexit
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from domain.clock import Clock
from domain.events import Event, LoopFailed, Pushback, SessionEnded
from domain.jobs import By, ClaimedSlice, NewJob, SliceDraft
from domain.loop import Loop
from domain.policy import RegistryRules
from domain.windows import window_state
from domain.wire import Wire
from ledger.boxes import SliceBox, open_slice, pack_index, seal_slice
from ledger.keystore import KeyStore
from ledger.values import CheckResult, PolicyDraft
from ledger.verbs import SqlLedger
from scheduler.loop import SOONEST_S, Scheduler
from tests.sim.gate import GateClient
from tests.sim.gate_server import GateServer
from tests.sim.link import Link
from tests.sim.network import SimWire
from tests.sim.registrar import Record, Registrar, Session
from tests.sim.scenario import EPOCH_MS, REGISTRY, Scenario
from tests.sim.store import Disk, SimEngine
from tests.sim.virtual_loop import Place, VirtualLoop
from workers.session import run_session
from workers.stations import StationParts, Stations

BY = By("ops:sim", "simulator")
SESSIONS = 16


@cache
def keystore() -> KeyStore:
    """Return the key store of this run of the simulator: keys have no part in what happens."""
    fast = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="sim-", dir=fast if fast.is_dir() else None)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return KeyStore(Path(folder) / "keys.db", b"m" * 32)


class SimClock:
    """A machine's clock: the wall may be wrong, and stepped, and both run too fast or too slow by a little."""

    def __init__(self, loop: VirtualLoop, off_ms: int = 0, drift: float = 0.0) -> None:
        """Be wrong by so much."""
        self._loop = loop
        self.off_ms = off_ms
        self._pace = 1000 * (1 + drift)

    def now(self) -> int:
        """Return the wall clock (ms)."""
        return EPOCH_MS + self.off_ms + int(self._loop.time() * self._pace)

    def monotonic(self) -> int:
        """Return the monotonic clock (ms)."""
        return int(self._loop.time() * self._pace)


class World:
    """Everything of one seed."""

    def __init__(self, scenario: Scenario, loop: VirtualLoop, rng: random.Random) -> None:
        """Put it together; nothing runs yet."""
        self.scenario, self.loop, self.rng = scenario, loop, rng
        self.policy = scenario.policy
        self.truth = SimClock(loop)
        self.clocks = {
            name: SimClock(loop, off, scenario.drifts.get(name, 0.0)) for name, off in scenario.skews.items()
        }
        self.disk = Disk(loop, rng)
        self.gate = GateServer(loop, lambda: self.clocks["gate"].now() * 1000, rng)
        rules = scenario.rules
        self.links = {
            name: Link(rng, scenario.base_s, rules.settle_s * 0.8)
            for name in scenario.skews
            if name.startswith("w")
        }
        self.registrar = Registrar(
            loop.time, lambda: self.truth.now() / 1000, rng, rules.idempotent, scenario.strict, rules.newest_wins,
            scenario.can_be_asked, scenario.most_lines, scenario.expires_s,
            {a.id: p.id for p in self.policy.parties.values() for a in p.accounts}, self.is_open,
        )  # fmt: skip
        self.registrar.on_end = self._session_over
        self.ledger = SqlLedger(SimEngine(self.disk), keystore())
        self.sometimes: Counter[str] = Counter()
        self.workers: dict[str, WorkerHost] = {}
        self.schedulers: dict[str, SchedulerHost] = {}
        self.records: dict[str, Record] = {}
        self.wires: list[SimWire] = []
        #: what was handed in, by job: party, records, lines in a slice
        self.submitted: dict[str, tuple[str, Sequence[Record], int]] = {}
        self._incarnations = 0

    def is_open(self, party: str) -> bool:
        """Say whether the registry is open to the party now, by the registrar's own clock."""
        rules, now = self.scenario.rules, self.truth.now()
        windows = self.scenario.policy.windows_of(REGISTRY, party)
        return window_state(windows, (), rules.timezone, now, 1).is_open

    async def begin(self) -> None:
        """Apply the policy and start all processes."""
        accounts = [account for party in self.policy.parties.values() for account in party.accounts]
        secrets = {(REGISTRY, account.id): "secret" for account in accounts}
        now = self.truth.now()
        draft = PolicyDraft("format = 1", self.policy, "sim", "sim", now, secrets=secrets)
        await self.ledger.apply_policy(draft, BY, now)
        for name in self.links:
            self.start_worker(name)
        for name in ("s0", "s1"):
            self.start_scheduler(name)

    def start_worker(self, name: str) -> None:
        """Start a worker host (again)."""
        self.workers[name] = WorkerHost(self, name, self._name(name))

    def start_scheduler(self, name: str) -> None:
        """Start a scheduler (again)."""
        self.schedulers[name] = SchedulerHost(self, name, self._name(name))

    def emit(self, event: Event) -> None:
        """Remember which kinds of things happened."""
        detail = ""
        if isinstance(event, SessionEnded):
            detail = f" {event.reason}"
        elif isinstance(event, LoopFailed):
            detail = f" {event.loop} {event.error}"
        elif isinstance(event, Pushback):
            detail = f" {event.reason}"
        self.sometimes[type(event).__name__ + detail] += 1

    def wake(self, registry: str) -> None:
        """Wake the schedulers a moment later; some rings are lost."""
        for host in self.schedulers.values():
            if self.rng.random() < 0.1:
                continue
            self.loop.call_outside(self.rng.uniform(0.0005, 0.005), host.wake)

    def make_wire(self, name: str, rules: RegistryRules, clock: Clock) -> Wire:
        """Make a host's wire."""
        wire = SimWire(name, self.loop, self.links[name], self.registrar, clock, rules)
        self.wires.append(wire)
        return wire

    async def submit(self, job: str, party: str, records: Sequence[Record], lines: int) -> None:
        """Put a checked job into the ledger, in slices that keep a person's records together."""
        now, ledger = self.truth.now(), self.ledger
        digest = job.rjust(64, "0")
        taken = NewJob(job, party, REGISTRY, "party-members", 1, f"{job}.csv", digest, f"blob-{job}", "ADD")
        await ledger.receive(taken, BY, now)
        while (ticket := await ledger.begin_check(job, now)) is None:  # noqa: ASYNC110 - nobody rings a bell for that
            await asyncio.sleep(0.5)  # the ledger was put back from a copy, and nobody has seen to that yet
        drafts = [self._slice(job, party, seq, part) for seq, part in enumerate(_parts(records, lines))]
        await ledger.accept(job, drafts, [], now, ticket=ticket)
        await ledger.finish_check(ticket, CheckResult(len(records), 0, len(records), {}), BY, now)
        self.submitted[job] = (party, records, lines)
        self.wake(REGISTRY)

    def _slice(self, job: str, party: str, seq: int, part: Sequence[Record]) -> SliceDraft:
        keys = tuple(f"{job}-{seq}-{line}" for line in range(len(part)))
        self.records |= dict(zip(keys, part, strict=True))
        after = {
            line: line - 1
            for line, record in enumerate(part)
            if line and part[line - 1].person == record.person
        }
        box = SliceBox(keys, tuple(one.body() for one in part), tuple(range(len(part))), after)
        index = pack_index(
            [one.person.encode().rjust(16, b".")[-16:] for one in part],
            [one.natural.encode().rjust(8, b".")[-8:] for one in part],
        )
        return SliceDraft(seq, len(part), seal_slice(box, keystore().create(job), party, job, seq), index)

    def _session_over(self, session: Session) -> None:
        if session.why == "logged out":
            return
        for wire in self.wires:
            for exchange in wire.exchanges:
                if exchange.session_name == session.name:
                    exchange.close_there()

    def _name(self, name: str) -> str:
        self._incarnations += 1
        return f"{name}.{self._incarnations}"


def _parts(records: Sequence[Record], lines: int) -> list[list[Record]]:
    parts: list[list[Record]] = [[]]
    for record in records:
        if len(parts[-1]) >= lines and parts[-1][-1].person != record.person:
            parts.append([])
        parts[-1].append(record)
    return parts


class Bell:
    """`domain.ports.Doorbell`: rings travel through the broker; some are lost, some come twice."""

    def __init__(self, world: World) -> None:
        """Ring in this world."""
        self._world = world

    def check_job(self, job: str) -> None:
        """Files come checked."""

    def send_notice(self, notice: str) -> None:
        """Notices are not delivered here."""

    def run_sessions(self, registry: str, parties: Sequence[str]) -> None:
        for party in parties:
            self._run_session(registry, party)

    def _run_session(self, registry: str, party: str) -> None:
        world = self._world
        wait_s = max(0.0, world.gate.paused_until - world.loop.time()) + world.rng.uniform(0.001, 0.02)
        for _ in range(world.rng.choices([1, 0, 2], [96, 2, 2])[0]):
            world.loop.call_outside(wait_s, self._take_up, registry, party)

    def _take_up(self, registry: str, party: str) -> None:
        alive = [host for host in self._world.workers.values() if not host.place.is_dead]
        if alive:
            self._world.rng.choice(alive).serve_soon(registry, party)


class WorkerHost:
    """One worker process."""

    def __init__(self, world: World, name: str, holder: str) -> None:
        """Start."""
        self.place = Place(holder)
        self.name = name
        self._world = world
        self._free = SESSIONS
        clock = world.clocks[name]
        ledger = SqlLedger(SimEngine(world.disk), keystore())

        def make_wire(rules: RegistryRules, clock: Clock) -> Wire:
            return world.make_wire(name, rules, clock)

        maybe_ours = frozenset({"already-member"}) if world.scenario.strict else frozenset[str]()
        self.stations = Stations(
            StationParts(
                ledger, GateClient(world.gate), clock, world.emit, holder, _open, make_wire, lambda _: maybe_ours,
                world.wake,
            )
        )  # fmt: skip
        self.begin(Loop("policy", self.stations.run_once, world.emit).run)

    def begin(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Begin a task of this process."""
        self._world.loop.begin_in(self.place, work)

    def serve_soon(self, registry: str, party: str) -> None:
        """Take a message up."""
        self.begin(lambda: self._serve(registry, party))

    async def _serve(self, registry: str, party: str) -> None:
        if self._free <= 0 or self.stations.stopping.is_set():
            return
        self._free -= 1
        try:
            await run_session(await self.stations.station(registry), party)
        except Exception as error:  # noqa: BLE001 - as the actors do
            self._world.emit(LoopFailed(loop="run_session", error=type(error).__name__))
        finally:
            self._free += 1


class SchedulerHost:
    """One scheduler process."""

    def __init__(self, world: World, name: str, holder: str) -> None:
        """Start."""
        self.place = Place(holder)
        self.name = name
        ledger = SqlLedger(SimEngine(world.disk), keystore())
        self.scheduler = Scheduler(
            ledger, GateClient(world.gate), Bell(world), world.clocks[name], world.emit, holder
        )
        self._loop = Loop("scheduler", self.scheduler.run_once, world.emit, SOONEST_S)
        world.loop.begin_in(self.place, self._loop.run)

    def wake(self) -> None:
        """Have it look now."""
        self._loop.wake()


def _open(claimed: ClaimedSlice) -> SliceBox:
    return open_slice(claimed.box, keystore().sealer(claimed.job), claimed.party, claimed.job, claimed.seq)
