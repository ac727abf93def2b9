"""The stations of one process: one a registry, made when first needed, and kept in step with the policy in force.

A change of limits reaches running sessions within a second. A change of endpoint or shape makes another wire for later sessions; those
that run keep theirs. It must not read files: policy comes from the ledger.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from domain.clock import Clock
from domain.errors import NotFound
from domain.events import Emit
from domain.loop import Loop
from domain.policy import Policy, PolicyVersion, RegistryRules
from domain.quota import Quotas
from domain.windows import window_state
from domain.wire import Wire
from ledger.protocols import Ledger
from workers.budget import RetryBudget, SignalBook
from workers.endings import Endings
from workers.owed import Owed
from workers.pacer import Pacer
from workers.settling import RIPE_MS, RIPE_SOON_MS, Settler
from workers.station import OpenSlice, Station
from workers.watch import Watch

#: between two looks at the policy in force (ms)
POLICY_EVERY_MS = 1_000
#: how far ahead the end of a window matters to a session (ms)
HORIZON_MS = 24 * 3600 * 1000
#: a window's end is looked up again after so long (ms)
CLOSING_EVERY_MS = 60_000

MakeWire = Callable[[RegistryRules, Clock], Wire]
MaybeOurs = Callable[[str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class StationParts:
    """What all stations of a process share."""

    ledger: Ledger
    quotas: Quotas
    clock: Clock
    emit: Emit
    holder: str
    open_slice: OpenSlice
    make_wire: MakeWire
    maybe_ours: MaybeOurs
    wake: Callable[[str], None]


class Closing:
    """When each party's window ends, from the policy in force; looked up seldom, asked for often."""

    def __init__(self, registry: str) -> None:
        """Know nothing until `heed`."""
        self._registry = registry
        self._policy: Policy | None = None
        #: from when to when (registrar's clock, ms) it holds, and the end
        self._known: dict[str, tuple[int, int, int | None]] = {}

    def heed(self, policy: Policy) -> None:
        """Take another policy."""
        if policy is not self._policy:
            self._policy = policy
            self._known.clear()

    def closes_at(self, party: str, now: int) -> int | None:
        """Return when the party's window ends (ms, registrar's clock): `now` when it is closed, None when the end is far off."""
        known = self._known.get(party)
        # also before it was looked up: where our clock was stepped and is measured anew, the registrar's seems to go back
        if known is None or not known[0] <= now < known[1]:
            known = self._known[party] = (now, *self._look_up(party, now))
        return known[2]

    def _look_up(self, party: str, now: int) -> tuple[int, int | None]:
        """When to look again, also when a closed window opens before that, and when the window ends."""
        policy, again_at = self._policy, now + CLOSING_EVERY_MS
        if policy is None or self._registry not in policy.registries or party not in policy.parties:
            return again_at, now
        rules = policy.registries[self._registry]
        state = window_state(
            policy.windows_of(self._registry, party), rules.closed, rules.timezone, now, HORIZON_MS
        )
        if state.until_at is not None:
            again_at = min(again_at, state.until_at)
        return again_at, state.until_at if state.is_open else now


class Stations:
    """All of them."""

    def __init__(self, parts: StationParts) -> None:
        """Make none yet."""
        self._parts = parts
        self._stations: dict[str, Station] = {}
        self._closings: dict[str, Closing] = {}
        self._watches: dict[str, Watch] = {}
        self._loops: list[Loop] = []
        self._old_wires: list[Wire] = []
        self._version: PolicyVersion | None = None
        self._looked_at = -POLICY_EVERY_MS
        self.stopping = asyncio.Event()

    async def policy(self) -> Policy:
        """Return the policy in force, at most a second old; raises NotFound for a home without one."""
        now = self._parts.clock.monotonic()
        if self._version is None or now - self._looked_at >= POLICY_EVERY_MS:
            self._looked_at = now
            self._heed(await self._parts.ledger.policy(self._parts.clock.now()))
        if self._version is None:
            raise NotFound("This home has no policy yet.", message_th="ยังไม่มีนโยบายของนายทะเบียน")
        return self._version.policy

    async def station(self, registry: str) -> Station:
        """Return the station of a registry; raises NotFound when the policy has none of that name."""
        policy = await self.policy()
        if registry not in policy.registries:
            raise NotFound(f"The policy has no registry {registry}.", message_th=f"ไม่มีระบบทะเบียน {registry}")
        if registry not in self._stations:
            self._open(policy.registries[registry], policy)
        return self._stations[registry]

    async def run_once(self) -> float:
        """Keep in step with the policy; a loop of the process."""
        await self.policy()
        return POLICY_EVERY_MS / 1000

    async def close(self) -> None:
        """Stop every loop, and let go of connections; sessions are over by now."""
        for loop in self._loops:
            await loop.stop()
        for station in self._stations.values():
            await station.pacer.stop()
            await station.owed.stop()
            await station.settler.stop()
        for wire in [*self._old_wires, *(station.wire for station in self._stations.values())]:
            await wire.close()

    def _open(self, rules: RegistryRules, policy: Policy) -> None:
        parts = self._parts
        closing = self._closings[rules.name] = Closing(rules.name)
        closing.heed(policy)
        station = Station(
            rules=rules,
            holder=parts.holder,
            quotas=parts.quotas,
            ledger=parts.ledger,
            wire=parts.make_wire(rules, parts.clock),
            pacer=Pacer(rules.name, parts.holder, parts.quotas, parts.clock, parts.emit),
            owed=Owed(rules.name, parts.quotas, parts.clock, parts.emit),
            settler=Settler(rules.name, parts.ledger, parts.clock, parts.emit, ripe_ms(rules)),
            budget=RetryBudget(parts.clock),
            signals=SignalBook(),
            clock=parts.clock,
            emit=parts.emit,
            open_slice=parts.open_slice,
            closes_at=closing.closes_at,
            endings=Endings(parts.clock),
            maybe_ours=parts.maybe_ours(rules.profile),
            stopping=self.stopping,
            wake=parts.wake,
        )
        station.pacer.start()
        station.owed.start()
        station.settler.start()
        watch = self._watches[rules.name] = Watch(station)
        loop = Loop("watch", watch.run_once, parts.emit)
        loop.start()
        self._loops.append(loop)
        self._stations[rules.name] = station

    def _heed(self, version: PolicyVersion | None) -> None:
        """Bring stations in step with another version."""
        if version is None or (self._version is not None and version.version == self._version.version):
            return
        self._version = version
        for name, station in list(self._stations.items()):
            self._closings[name].heed(version.policy)
            rules = version.policy.registries.get(name)
            if rules is not None and rules != station.rules:
                self._change(station, rules)

    def _change(self, station: Station, rules: RegistryRules) -> None:
        station.settler.ripe_ms = ripe_ms(rules)
        if reached_alike(station.rules, rules):
            station.rules = rules
            return
        self._old_wires.append(station.wire)
        wire = self._parts.make_wire(rules, self._parts.clock)
        maybe_ours = self._parts.maybe_ours(rules.profile)
        changed = replace(station, rules=rules, wire=wire, maybe_ours=maybe_ours)
        self._stations[rules.name] = changed
        self._watches[rules.name].listen(changed)


def ripe_ms(rules: RegistryRules) -> int:
    """Return how long an outcome may wait to be settled (ms)."""
    return RIPE_MS if rules.idempotent else RIPE_SOON_MS


def reached_alike(before: RegistryRules, after: RegistryRules) -> bool:
    """Say whether the registrar is reached in the same way, so that a wire can stay."""
    return _way(before) == _way(after)


def _way(rules: RegistryRules) -> Mapping[str, object]:
    names = ("endpoint", "ca_file", "shape", "batch", "answer_timeout_s", "idempotent", "profile")
    return {name: getattr(rules, name) for name in names}
