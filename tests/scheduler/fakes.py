"""Ledger, gate and doorbell as the scheduler sees them, held in plain fields that a test sets and reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import cast

from domain.clock import ManualClock
from domain.errors import Busy, Conflict, GateLost
from domain.events import Event
from domain.jobs import By, PartyBacklog
from domain.policy import AccountRules, PartyRules, Policy, PolicyVersion, RegistryRules
from domain.quota import AccountQuota, Quotas, RegistryQuota, SessionUse, Share, Usage
from domain.states import AccountKind
from domain.windows import WindowRule
from ledger.protocols import Ledger
from ledger.values import AccountRow, HoldRow, Restored, Standing
from scheduler.loop import Scheduler

REGISTRY = "members"
ALWAYS = WindowRule(from_s=0, to_s=86400)


def policy(parties: Mapping[str, int], **rules: object) -> Policy:
    """So many accounts for each party; always open unless told otherwise."""
    told: dict[str, object] = {"windows": (ALWAYS,), "newest_wins": True} | rules
    registry = replace(RegistryRules(REGISTRY, "party-members", "http://127.0.0.1"), **told)  # type: ignore[arg-type]  # told by name
    return Policy(
        registries={REGISTRY: registry},
        parties={
            name: PartyRules(
                name,
                accounts=tuple(
                    AccountRules(f"{name}-{n:02}", REGISTRY, AccountKind.BASE) for n in range(count)
                ),
            )
            for name, count in parties.items()
        },
    )


@dataclass
class FakeLedger:
    """What the scheduler reads, and what it asked for."""

    policies: list[tuple[int, Policy]] = field(default_factory=list)
    rows: list[AccountRow] = field(default_factory=list)
    standing_holds: list[HoldRow] = field(default_factory=list)
    waiting: list[PartyBacklog] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    due: list[str] = field(default_factory=list)
    due_erasures: list[str] = field(default_factory=list)
    unerasable: set[str] = field(default_factory=set)
    erased: list[str] = field(default_factory=list)
    rescues: list[tuple[frozenset[int], bool]] = field(default_factory=list)
    claims_unseen: bool = False
    generations: list[str] = field(default_factory=list)
    copy: Restored | None = None
    is_away: bool = False

    async def policy(self, now: int) -> PolicyVersion | None:
        """The newest whose time has come."""
        for number in range(len(self.policies), 0, -1):
            effective_at, rules = self.policies[number - 1]
            if effective_at <= now:
                return PolicyVersion(number, effective_at, effective_at, "a", "r", "", rules)
        return None

    async def accounts(self, registry: str | None = None, party: str | None = None) -> Sequence[AccountRow]:
        """The rows."""
        return self.rows

    async def holds(self) -> Sequence[HoldRow]:
        """The holds."""
        return self.standing_holds

    async def standing(self, now: int) -> Standing:
        """The policy, the holds, and what is to be checked and sent."""
        if self.is_away:
            raise Busy
        return Standing(await self.policy(now), self.standing_holds, self.unchecked, self.due)

    async def backlog(self, registry: str, now: int) -> Sequence[PartyBacklog]:
        """What waits."""
        return self.waiting

    async def due_for_erasure(self, now: int) -> Sequence[str]:
        """Jobs to erase."""
        return [job for job in self.due_erasures if job not in self.erased]

    async def erase(self, job: str, by: By, now: int) -> SimpleNamespace:
        """Erase one; of the job that it was only the blob is asked for."""
        if job in self.unerasable:
            raise Conflict
        self.erased.append(job)
        return SimpleNamespace(blob=f"blob-{job}")

    async def has_claims(self, registry: str) -> bool:
        """Whether slices are in hand that no backlog tells of."""
        return self.claims_unseen

    async def rescue(self, registry: str, live_tokens: frozenset[int], now: int, *, idempotent: bool) -> int:
        """Note who is said to live."""
        self.rescues.append((live_tokens, idempotent))
        return 0

    async def generation(self, registry: str) -> int:
        """How many have begun."""
        return len(self.generations)

    async def restored(self) -> Restored | None:
        """What the test set."""
        return self.copy

    async def ask_about_restored(self, by: By, now: int) -> None:
        """See to a copy that nobody has seen to."""
        if self.copy is not None and self.copy.since_at is None:
            self.copy = replace(self.copy, since_at=now, kept_until_at=now)

    async def forget_restored(self, by: By, now: int) -> None:
        """It is over."""
        self.copy = None

    async def begin_generation(self, registry: str, reason: str, by: By, now: int) -> int:
        """Begin the next."""
        self.generations.append(reason)
        return len(self.generations)


@dataclass
class FakeQuotas:
    """The gate's side: one registry, leaders by time, whatever usage the test sets."""

    clock: ManualClock
    use: Usage = field(default_factory=lambda: Usage(0, 0, 0.0, 0, 0, is_new=True))
    quota: RegistryQuota | None = None
    accounts: dict[str, AccountQuota] = field(default_factory=dict)
    configured: int = 0
    shares: dict[str, Share] = field(default_factory=dict)
    written: list[dict[str, Share]] = field(default_factory=list)
    rate: float | None = None
    ended: list[str] = field(default_factory=list)
    held: dict[str | None, bool] = field(default_factory=dict)
    hold_calls: int = 0
    leader: tuple[str, int, int] = ("", 0, 0)
    is_lost: bool = False
    epochs: list[int] = field(default_factory=list)

    async def lead(self, holder: str, ttl_ms: int) -> int | None:
        """A lease by the manual clock; every change of leader is a new epoch."""
        if self.is_lost:
            raise GateLost
        who, until, epoch = self.leader
        now = self.clock.monotonic()
        if who != holder:
            if now < until:
                return None
            epoch += 1
        self.leader = (holder, now + ttl_ms, epoch)
        return epoch

    async def usage(self, registry: str) -> Usage:
        """What the test set."""
        limit = self.quota.rate if self.quota is not None else 0.0
        rate = limit if self.rate is None else min(limit, self.rate)
        return replace(self.use, gate_at=self.clock.monotonic(), held=self.held.get(None, False), rate=rate)

    def _refuse_deposed(self, epoch: int) -> None:
        self.epochs.append(epoch)
        if epoch < self.leader[2]:
            raise GateLost

    async def begin(self, generation: int, quota: RegistryQuota, *, epoch: int = 0) -> None:
        """Begin it: all is forgotten."""
        self._refuse_deposed(epoch)
        self.quota = quota
        self.use = Usage(generation, 0, 0.0, 0, 0)
        self.accounts, self.shares, self.held = {}, {}, {}

    async def configure(
        self, quota: RegistryQuota, accounts: Mapping[str, AccountQuota], *, epoch: int = 0
    ) -> None:
        """Keep the limits."""
        self._refuse_deposed(epoch)
        self.quota, self.accounts = quota, dict(accounts)
        self.configured += 1

    async def set_shares(self, registry: str, epoch: int, shares: Mapping[str, Share], rate: float) -> None:
        """Keep the shares, unless a newer leader was here."""
        self._refuse_deposed(epoch)
        self.shares.update(shares)
        self.written.append(dict(shares))
        self.rate = rate

    async def end_sessions(self, registry: str, accounts: Sequence[str], *, epoch: int = 0) -> None:
        """Keep who was told."""
        self._refuse_deposed(epoch)
        self.ended.extend(accounts)

    async def hold(self, registry: str, party: str | None, *, on: bool, epoch: int = 0) -> None:
        """Keep the hold."""
        self._refuse_deposed(epoch)
        self.held[party] = on
        self.hold_calls += 1

    def sit(self, *accounts: str, token: int | None = None, quarantined: bool = False) -> None:
        """Let these accounts' sessions live (tokens of the present generation, by their place)."""
        self.use = replace(
            self.use,
            sessions=tuple(
                SessionUse(
                    account.split("-")[0],
                    account,
                    "w1",
                    0 if quarantined else (token or self.use.generation * 2**32 + number),
                    5000,
                    0,
                    0,
                    0,
                    quarantined,
                )
                for number, account in enumerate(accounts, 1)
            ),
        )


@dataclass
class FakeDoorbell:
    """Keeps who was rung for."""

    checks: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def check_job(self, job: str) -> None:
        """Keep it."""
        self.checks.append(job)

    def run_sessions(self, registry: str, parties: Sequence[str]) -> None:
        """Keep them."""
        self.sessions += parties

    def send_notice(self, notice: str) -> None:
        """Keep it."""
        self.notices.append(notice)


class Stage:
    """One scheduler, or several, on fakes and a manual clock."""

    def __init__(self, rules: Policy | None = None, start: int = 1_800_000_000_000) -> None:
        """Everything fresh; a policy in force if given."""
        self.clock = ManualClock(start)
        self.ledger = FakeLedger([(0, rules)] if rules else [])
        self.quotas = FakeQuotas(self.clock)
        self.doorbell = FakeDoorbell()
        self.events: list[Event] = []
        self.forgotten: list[str] = []
        self.scheduler = self.another("s1")

    def another(self, holder: str, ledger: FakeLedger | None = None) -> Scheduler:
        """One more scheduler on the same gate, and on the same ledger unless it has one of its own."""
        return Scheduler(
            cast("Ledger", ledger or self.ledger),
            cast("Quotas", self.quotas),
            self.doorbell,
            self.clock,
            self.events.append,
            holder,
            self._forget,
        )

    async def _forget(self, blob: str) -> None:
        self.forgotten.append(blob)

    def waits(self, **ready: int) -> None:
        """So many ready records for each party."""
        self.ledger.waiting = [PartyBacklog(name, count, 0, count, 0) for name, count in ready.items()]

    async def run(self, ms: int = 0, step_ms: int = 250) -> None:
        """One round now, and one every `step_ms` for `ms` more."""
        await self.scheduler.run_once()
        for _ in range(ms // step_ms):
            self.clock.advance(step_ms)
            await self.scheduler.run_once()
