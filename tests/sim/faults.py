"""What each kind of fault does to the world. Where a fault finds nothing to harm, the network is slow instead."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from domain.errors import PratunamError
from domain.states import ENDED_JOB_STATES, AccountKind, JobState
from domain.wire import LoginRefused
from ledger.values import PolicyDraft
from tests.sim.doings import Doings
from tests.sim.scenario import REGISTRY, Fault
from tests.sim.world import BY, SchedulerHost, World


class Faults:
    """Does faults to one world."""

    def __init__(self, world: World) -> None:
        """Nothing is wrong yet."""
        self.world = world
        self.done = Doings()
        self.injected = 0
        self._copy = b""
        self._kinds: dict[str, Callable[[Fault], Awaitable[None]]] = {
            "kill worker": self._kill_worker,
            "freeze worker": self._freeze_worker,
            "stop worker": self._stop_worker,
            "kill scheduler": self._kill_scheduler,
            "freeze scheduler": self._freeze_scheduler,
            "freeze schedulers": self._freeze_schedulers,
            "lose gate": self._lose_gate,
            "pause gate": self._pause_gate,
            "lossy gate": self._lossy_gate,
            "registrar restarts": self._restart_registrar,
            "session ended": self._end_session,
            "someone else logs in": self._intrude,
            "link reset": self._reset_link,
            "registrar stands still": self._stand_still,
            "clock steps": self._step_clock,
            "gate clock steps": self._step_gate,
            "hold party": self._hold,
            "hold registry": self._hold,
            "account withdrawn": self._withdraw,
            "job cancelled": self._cancel,
            "power cut": self._cut_power,
            "ledger restored": self._restore,
        }

    async def do(self, fault: Fault) -> None:
        """Do one fault."""
        if fault.kind == "ledger copied":
            self._copy = self.world.disk.copy()
            return
        self.injected += 1
        self.world.sometimes[f"fault: {fault.kind}"] += 1
        special = self._kinds.get(fault.kind)
        if special is not None:
            await special(fault)
        else:
            self._trouble(fault)

    def _instead(self, fault: Fault) -> None:
        """What it would harm is not there: the network is slow instead."""
        self.world.sometimes[f"fault: {fault.kind}"] -= 1
        self.world.sometimes["fault: link slow"] += 1
        self._trouble(replace(fault, kind="link slow"))

    def _trouble(self, fault: Fault) -> None:
        """Faults that are a state until an instant."""
        world, until = self.world, self.world.loop.time() + fault.for_s
        link, trouble = world.rng.choice(list(world.links.values())), world.registrar.trouble
        whom, name = {
            "registrar overloaded": (trouble, "overloaded"),
            "registrar slow": (trouble, "slow"),
            "registrar busy": (trouble, "busy"),
            "500 after the effect": (trouble, "failing_after"),
            "garbled answers": (trouble, "garbled"),
            "link stalls": (link, "stalled_until"),
            "link slow": (link, "slow_until"),
            "link lossy": (link, "lossy_until"),
            "link cut": (link, "cut_until"),
            "link holds": (link, "held_until"),
            "lines repeated": (link, "repeating_until"),
            "disk failing": (world.disk, "failing_until"),
            "disk slow": (world.disk, "slow_until"),
        }[fault.kind]
        setattr(whom, name, max(until, getattr(whom, name)))
        if name.startswith(("failing_until", "slow_until")) and whom is world.disk:
            self._rough(fault.for_s)

    async def _kill_worker(self, fault: Fault) -> None:
        host = self.world.rng.choice(list(self.world.workers.values()))
        if host.place.is_dead:
            self._instead(fault)
        else:
            self._kill_host(host.name, fault.for_s)

    def _kill_host(self, name: str, for_s: float) -> None:
        world = self.world
        host = world.workers[name]
        host.place.is_dead = True
        for wire in world.wires:
            if wire.link is world.links[name]:
                wire.cut_all()
        world.loop.call_outside(for_s, world.start_worker, name)

    async def _freeze_worker(self, fault: Fault) -> None:
        host = self.world.rng.choice(list(self.world.workers.values()))
        began, to = self.world.loop.time(), self.world.loop.time() + fault.for_s * 1.5
        host.place.frozen_until = to
        self.done.still.append((host.name, began, to))

    async def _stop_worker(self, fault: Fault) -> None:
        world = self.world
        host = world.rng.choice(list(world.workers.values()))
        if host.place.is_dead or host.stations.stopping.is_set():
            self._instead(fault)
            return
        host.stations.stopping.set()

        def start_anew() -> None:
            host.place.is_dead = True
            if world.workers[host.name] is host:
                world.start_worker(host.name)

        world.loop.call_outside(15 + fault.for_s, start_anew)

    async def _kill_scheduler(self, fault: Fault) -> None:
        world = self.world
        hosts = list(world.schedulers.values())
        host = next((one for one in hosts if one.scheduler.is_leading and not one.place.is_dead), hosts[0])
        if host.place.is_dead:
            self._instead(fault)
            return
        host.place.is_dead = True
        self._rough(fault.for_s)
        world.loop.call_outside(fault.for_s, world.start_scheduler, host.name)

    async def _freeze_scheduler(self, fault: Fault) -> None:
        self._freeze(fault, self.world.rng.choice(list(self.world.schedulers.values())))

    async def _freeze_schedulers(self, fault: Fault) -> None:
        """All of them: nobody takes over, and nobody looks until they go on."""
        self._freeze(fault, *self.world.schedulers.values())

    def _freeze(self, fault: Fault, *hosts: SchedulerHost) -> None:
        for host in hosts:
            host.place.frozen_until = self.world.loop.time() + fault.for_s
        self._rough(fault.for_s)

    async def _lose_gate(self, fault: Fault) -> None:
        self.world.gate.flush()
        self._rough(3.0)

    async def _pause_gate(self, fault: Fault) -> None:
        self.world.gate.paused_until = self.world.loop.time() + fault.for_s
        self._rough(fault.for_s)

    async def _lossy_gate(self, fault: Fault) -> None:
        self.world.gate.lossy_until = self.world.loop.time() + fault.for_s
        self._rough(fault.for_s)

    async def _restart_registrar(self, fault: Fault) -> None:
        registrar = self.world.registrar
        for session in list(registrar.sessions.values()):
            registrar.end(session, "restart")
        registrar.trouble.overloaded = self.world.loop.time() + fault.for_s / 4

    async def _end_session(self, fault: Fault) -> None:
        registrar = self.world.registrar
        live = [one for one in registrar.sessions.values() if registrar.is_live(one)]
        if live:
            registrar.end(self.world.rng.choice(live), "ended by the registrar")
        else:
            self._instead(fault)

    async def _intrude(self, fault: Fault) -> None:
        """Someone else uses a code, and logs out a little later."""
        registrar = self.world.registrar
        account = self.world.rng.choice(list(registrar.party_of))
        answer = registrar.log_in(account, self.world.loop.time())
        if isinstance(answer, LoginRefused):
            self._instead(fault)
            return
        session = registrar.sessions[answer.session]
        session.by_someone_else = True
        self.world.loop.call_outside(0.2, registrar.end, session, "someone else")

    async def _stand_still(self, fault: Fault) -> None:
        """The registrar takes nothing in: its machine's network holds what comes, and all of it comes in when it goes on."""
        until = self.world.loop.time() + fault.for_s
        for link in self.world.links.values():
            link.held_until = max(until, link.held_until)

    async def _reset_link(self, fault: Fault) -> None:
        name = self.world.rng.choice(list(self.world.links))
        for wire in self.world.wires:
            if wire.link is self.world.links[name]:
                wire.cut_all()

    async def _step_clock(self, fault: Fault) -> None:
        name = self.world.rng.choice(list(self.world.clocks))
        step_ms = self.world.rng.choice([-5_000, 5_000, self.world.rng.randint(-5_000, 5_000)])
        self.world.clocks[name].off_ms += step_ms
        self.done.gate_leaps += name == "gate" and step_ms > 0
        self._rough(1.0)

    async def _step_gate(self, fault: Fault) -> None:
        self.world.clocks["gate"].off_ms += 5_000
        self.done.gate_leaps += 1
        self._rough(1.0)

    async def _hold(self, fault: Fault) -> None:
        world = self.world
        party = world.rng.choice(list(world.policy.parties)) if fault.kind == "hold party" else None
        if any(one == party and to is None for one, _, to in self.done.holds):
            self._instead(fault)
            return
        await world.ledger.hold(REGISTRY, party, "sim", (), BY, world.truth.now())
        world.wake(REGISTRY)
        place, began = len(self.done.holds), world.loop.time()
        self.done.holds.append((party, began, None))
        world.loop.call_outside(
            fault.for_s, lambda: world.loop.create_task(self._release(place, party, began))
        )

    async def _release(self, place: int, party: str | None, began: float) -> None:
        world = self.world
        self.done.holds[place] = (party, began, world.loop.time())
        await world.ledger.release(REGISTRY, party, "sim", (), BY, world.truth.now())
        world.wake(REGISTRY)

    async def _withdraw(self, fault: Fault) -> None:
        """Take an added account away by another version of the policy."""
        world = self.world
        added = [
            (party, account)
            for party in world.policy.parties.values()
            for account in party.accounts
            if account.kind is AccountKind.ADDED
        ]
        if not added:
            self._instead(fault)
            return
        party, gone = world.rng.choice(added)
        left = tuple(account for account in party.accounts if account is not gone)
        parties = dict(world.policy.parties) | {party.id: replace(party, accounts=left)}
        world.policy = replace(world.policy, parties=parties)
        now = world.truth.now()
        draft = PolicyDraft("format = 1", world.policy, "sim", "sim", now, removed=frozenset({gone.id}))
        await world.ledger.apply_policy(draft, BY, now)
        self.done.withdrawn[gone.id] = world.loop.time()
        world.wake(REGISTRY)

    async def _cancel(self, fault: Fault) -> None:
        """Cancel a job, and hand in what was not processed once it is over."""
        world = self.world
        jobs = [job for job in await world.ledger.jobs() if job.state not in ENDED_JOB_STATES]
        jobs = [job for job in jobs if job.state is not JobState.CANCELLING]
        if not jobs:
            self._instead(fault)
            return
        job = world.rng.choice(sorted(jobs, key=lambda one: one.job))
        try:
            await world.ledger.cancel(job.job, BY, world.truth.now())
        except PratunamError:
            self._instead(fault)
            return
        self.done.cancelled.add(job.job)

    async def _restore(self, fault: Fault) -> None:
        """Everything dies, and the ledger is put back from a copy; the gate may live on."""
        self._kill_all(fault)
        self.world.disk.put_back(self._copy)
        if self.world.rng.random() < 0.5:
            self.world.gate.flush()

    async def _cut_power(self, fault: Fault) -> None:
        """Everything dies at once, and the gate with it; the ledger keeps what it answered."""
        self._kill_all(fault)
        self.world.gate.flush()

    def _kill_all(self, fault: Fault) -> None:
        world = self.world
        for name in world.links:
            if not world.workers[name].place.is_dead:
                self._kill_host(name, fault.for_s)
        for name, host in list(world.schedulers.items()):
            if not host.place.is_dead:
                host.place.is_dead = True
                world.loop.call_outside(fault.for_s, world.start_scheduler, name)
        self._rough(fault.for_s + 3)

    def _rough(self, for_s: float) -> None:
        now = self.world.loop.time()
        self.done.rough.append((now - 0.5, now + for_s + 6))
