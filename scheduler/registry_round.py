"""One registry's round: read ledger and gate, decide, write what changed, ring for sessions, fetch back what dead ones held.

Everything it keeps between rounds is rebuilt by whoever leads next. It never sends, never touches a record, and lets GateLost
through: a gate that is away, or that another scheduler leads, ends the round.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter

from domain.clock import Clock
from domain.events import Emit, GenerationBegun, RoundDecided
from domain.jobs import By, PartyBacklog
from domain.policy import PolicyVersion, RegistryRules
from domain.ports import Doorbell
from domain.quota import AccountQuota, BoundBy, Quotas, RegistryQuota, Usage
from ledger.protocols import Ledger
from ledger.values import AccountRow, HoldRow
from scheduler.accounts import out_of_use, usable_accounts
from scheduler.brake import BrakeState, brake, taken_up
from scheduler.decide import Decision, decide
from scheduler.looking import TELL_MS, look
from scheduler.memory import Memory
from scheduler.openings import ClockOffset, Openings
from scheduler.rescue import Rescuer
from scheduler.rings import SessionRings
from scheduler.snapshot import ROUND_MS
from scheduler.views import Scene, view_scene
from scheduler.writing import WrittenShares

#: states of accounts and dead sessions' slices are looked at so often, in ms
LOOK_MS = 1_000
#: a fresh gate knows its sessions after so long beside a lease, in ms: before that, nobody is taken for dead
SETTLED_MS = 1_000
#: a session that was rung for may still come after so long, in ms
COMING_MS = 10_000


@dataclass(frozen=True, slots=True)
class Parts:
    """What every round works with."""

    ledger: Ledger
    quotas: Quotas
    doorbell: Doorbell
    clock: Clock
    emit: Emit
    by: By


class RegistryRound:
    """Rounds of one registry, as long as this scheduler leads."""

    def __init__(self, registry: str, parts: Parts) -> None:
        """Know nothing yet: the first round reads it all."""
        self._registry = registry
        self._parts = parts
        self._epoch = 0
        self._generation: int | None = None
        self._trusted_at = parts.clock.monotonic()
        self._configured: object = None
        self._openings: tuple[int, Openings] | None = None
        self._accounts: dict[str, int] = {}
        self._rows: Sequence[AccountRow] = ()
        self._looked_at: int | None = None
        self._told_at: int | None = None
        self._rescued_at = 0
        self._rung_at = -COMING_MS
        self._held: frozenset[str | None] | None = None
        self._surely_free: set[str] | None = None
        self._brake: BrakeState | None = None
        self._clock = ClockOffset()
        self._memory = Memory()
        self._written = WrittenShares()
        self._rescuer = Rescuer()
        self._rings = SessionRings(registry, parts.doorbell)

    async def run(self, version: PolicyVersion, holds: Sequence[HoldRow], epoch: int, now: int) -> int:
        """Run one round; returns in how many ms the next is worth while."""
        rules = version.policy.registries[self._registry]
        self._epoch = epoch
        usage = await self._parts.quotas.usage(self._registry)
        if await self._begin_if_needed(rules, usage, now):
            return ROUND_MS
        await self._configure_if_needed(version, rules)
        held = frozenset(hold.party for hold in holds if hold.registry == self._registry)
        await self._mirror_holds(held, usage)
        backlog = await self._parts.ledger.backlog(self._registry, now)
        scene = self._look(version, rules, usage, backlog, held, now)
        decision = self._decide(scene, now)
        await self._carry_out(decision)
        self._tell(scene, decision, now)
        await self._rescue_if_needed(rules, usage, backlog, now)
        return self._sleep_ms(scene, decision, now)

    async def _begin_if_needed(self, rules: RegistryRules, usage: Usage, now: int) -> bool:
        if not usage.is_new and usage.generation == self._generation:
            return False
        ledger, monotonic = self._parts.ledger, self._parts.clock.monotonic()
        generation = await ledger.generation(self._registry)
        if not usage.is_new and usage.generation == generation:
            self._take_up(generation, rules, monotonic, is_fresh=False)
            return False
        reason = "redis" if usage.is_new else "older" if usage.generation < generation else "restored"
        generation = await ledger.begin_generation(self._registry, reason, self._parts.by, now)
        while generation <= usage.generation and not usage.is_new:
            # The ledger came from a copy: the gate has seen later generations than it knows of.
            generation = await ledger.begin_generation(self._registry, reason, self._parts.by, now)
        await self._parts.quotas.begin(generation, _quota(rules), epoch=self._epoch)
        self._take_up(generation, rules, monotonic, is_fresh=True)
        self._parts.emit(GenerationBegun(self._registry, generation=generation, reason=reason))
        return True

    def _take_up(self, generation: int, rules: RegistryRules, monotonic: int, *, is_fresh: bool) -> None:
        self._generation = generation
        self._configured, self._held, self._looked_at = None, None, None
        self._written = WrittenShares()
        self._trusted_at = monotonic + SETTLED_MS
        self._surely_free = None if is_fresh else set()
        if is_fresh:
            self._trusted_at += _quota(rules).lease_ms
            self._memory.begin()

    async def _configure_if_needed(self, version: PolicyVersion, rules: RegistryRules) -> None:
        monotonic = self._parts.clock.monotonic()
        is_new_version = self._openings is None or self._openings[0] != version.version
        if not is_new_version and self._looked_at is not None and monotonic - self._looked_at < LOOK_MS:
            return
        self._looked_at = monotonic
        self._rows = rows = await self._parts.ledger.accounts(self._registry)
        usable = usable_accounts(version.policy, self._registry, out_of_use(rows))
        self._accounts = {party: len(accounts) for party, accounts in usable.items()}
        quota = AccountQuota(rules.account_rate, rules.account_burst)
        active = {account: quota for accounts in usable.values() for account in accounts}
        if is_new_version:
            self._openings = (version.version, Openings(version.policy, self._registry))
        wanted = (version.version, frozenset(active))
        if wanted != self._configured:
            await self._parts.quotas.configure(_quota(rules), active, epoch=self._epoch)
            self._configured = wanted

    async def _mirror_holds(self, held: frozenset[str | None], usage: Usage) -> None:
        quotas = self._parts.quotas
        known = self._held
        if known is None or (None in held) != usage.held or (None in held) != (None in known):
            await quotas.hold(self._registry, None, on=None in held, epoch=self._epoch)
        before = {party for party in known or () if party is not None}
        parties = {party for party in held if party is not None}
        for party in sorted(before - parties):
            await quotas.hold(self._registry, party, on=False, epoch=self._epoch)
        for party in sorted(parties - (before if known is not None else set())):
            await quotas.hold(self._registry, party, on=True, epoch=self._epoch)
        self._held = held

    def _look(
        self,
        version: PolicyVersion,
        rules: RegistryRules,
        usage: Usage,
        backlog: Sequence[PartyBacklog],
        held: frozenset[str | None],
        now: int,
    ) -> Scene:
        if self._openings is None:  # set by _configure_if_needed in the first round
            raise AssertionError
        if self._brake is None:
            self._brake = taken_up(rules.brake, usage.rate / rules.rate if rules.rate > 0 else 1.0, now)
        self._brake = brake(rules.brake, self._brake, usage.signals, now)
        self._clock = ClockOffset.measured(usage.signals, self._clock)
        self._memory.note(usage, rules.account_rate, rules.account_burst, now)
        self._memory.forget_idle({party.party: party for party in backlog})
        self._rescuer.note(usage.generation, usage.sessions)
        return Scene(
            policy=version.policy,
            rules=rules,
            openings=self._openings[1],
            usage=usage,
            backlog=backlog,
            accounts=self._accounts,
            held=None in held,
            held_parties=frozenset(party for party in held if party is not None),
            brake=self._brake,
            clock=self._clock,
        )

    def _decide(self, scene: Scene, now: int) -> Decision:
        began = perf_counter()
        decision = decide(view_scene(scene, self._memory, now), now)
        took_ms = (perf_counter() - began) * 1000
        self._parts.emit(
            RoundDecided(self._registry, brake=scene.brake.level, parties=len(scene.backlog), took_ms=took_ms)
        )
        return decision

    async def _carry_out(self, decision: Decision) -> None:
        quotas, monotonic = self._parts.quotas, self._parts.clock.monotonic()
        due = self._written.due(decision.shares, monotonic)
        if due or self._written.is_rate_due(decision.rate):
            await quotas.set_shares(self._registry, self._epoch, due, decision.rate)
            self._written.wrote(due, decision.rate, monotonic)
        if decision.end:
            await quotas.end_sessions(self._registry, decision.end, epoch=self._epoch)
            self._memory.told_to_end(decision.end)
        await self._let_go(decision.serve)
        live = {party: len(sessions) for party, sessions in self._memory.sitting.items()}
        if self._rings.ring(decision.serve, live, monotonic):
            self._rung_at = monotonic

    async def _let_go(self, parties: Iterable[str]) -> None:
        """A hold that ended while nobody led may still stand in a gate that was taken over: lift it before the party's first ring."""
        if self._surely_free is not None:
            for party in parties:
                if party not in self._surely_free:
                    await self._parts.quotas.hold(self._registry, party, on=False, epoch=self._epoch)
                    self._surely_free.add(party)

    def _tell(self, scene: Scene, decision: Decision, now: int) -> None:
        monotonic = self._parts.clock.monotonic()
        if self._told_at is None or monotonic - self._told_at >= TELL_MS:
            self._told_at = monotonic
            self._parts.emit(look(scene, decision, self._rows, now))

    async def _rescue_if_needed(
        self, rules: RegistryRules, usage: Usage, backlog: Sequence[PartyBacklog], now: int
    ) -> None:
        monotonic = self._parts.clock.monotonic()
        if monotonic < max(self._trusted_at, self._rescued_at + LOOK_MS):
            return
        # a paused job is in no backlog, and its slices may be in hand all the same
        in_hand = any(party.in_hand for party in backlog)
        if not in_hand and not await self._parts.ledger.has_claims(self._registry):
            self._rescued_at = monotonic
            return
        self._rescued_at = monotonic
        tokens = self._rescuer.live_tokens(
            usage.sessions,
            idempotent=rules.idempotent,
            expects_more=monotonic - self._rung_at < COMING_MS,
        )
        if tokens is not None:
            await self._parts.ledger.rescue(self._registry, tokens, now, idempotent=rules.idempotent)

    def _sleep_ms(self, scene: Scene, decision: Decision, now: int) -> int:
        """A round while anybody can send or sits or is quarantined, else until a window opens or a slice falls due.

        The gate's clock goes on by 300 ms a call at most: looked at once a second, a quarantine would last three times too long.
        """
        is_busy = self._memory.sitting or self._memory.quarantined
        if is_busy or any(share.open_until_ms > 0 for share in decision.shares.values()):
            return ROUND_MS
        edges = [party.next_due_at - now for party in scene.backlog if party.next_due_at is not None]
        for party, reason in decision.reasons.items():
            if reason is BoundBy.WINDOW:
                opens_in = scene.openings.opens_in_ms(party, scene.clock, now)
                edges.append(opens_in if opens_in is not None else LOOK_MS)
        return max(1, min(edges, default=LOOK_MS))


def _quota(rules: RegistryRules) -> RegistryQuota:
    return RegistryQuota(
        registry=rules.name,
        rate=rules.rate,
        burst=rules.burst,
        sessions=rules.sessions,
        answer_timeout_ms=round(rules.answer_timeout_s * 1000),
        settle_ms=round(rules.settle_s * 1000),
        newest_wins=rules.newest_wins,
    )
