"""The real things around workers: Valkey, a SQLite ledger, the reference registrar, and a stand-in for the scheduler."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

import registrar
from domain.clock import SystemClock
from domain.events import Event
from domain.jobs import By, Job, NewJob, SliceDraft
from domain.loop import Loop
from domain.policy import AccountRules, NoticeRules, PartyRules, Policy, RegistryRules
from domain.quota import AccountQuota, RegistryQuota, Share
from domain.states import AccountKind
from domain.windows import WindowRule
from ledger.boxes import SliceBox, pack_index, seal_slice
from ledger.keystore import KeyStore
from ledger.ledger import open_ledger
from ledger.protocols import Ledger
from ledger.spool import FolderSpool
from ledger.values import CheckResult, PolicyDraft
from quotas.quotas import RedisQuotas
from workers.broker import RedisDoorbell
from workers.process import WorkerParts, WorkerProcess

REGISTRY = "party-members"
BY = By("test", "test")
ALWAYS = WindowRule(0, 86400, weekdays=frozenset(range(7)))


@dataclass
class Town:
    """One installation and its registrar."""

    endpoint: str
    redis_url: str
    home: Path
    keys: KeyStore
    ledger: Ledger
    quotas: RedisQuotas
    policy: Policy
    bell: RedisDoorbell
    clock: SystemClock = field(default_factory=SystemClock)
    events: list[Event] = field(default_factory=list)
    rate: float = 0.0

    @property
    def rules(self) -> RegistryRules:
        """The registry's rules."""
        return self.policy.registries[REGISTRY]

    async def open_gate(self) -> None:
        """Begin a generation and configure limits, as the scheduler does."""
        now = self.clock.now()
        generation = await self.ledger.begin_generation(REGISTRY, "test", BY, now)
        quota = registry_quota(self.rules)
        await self.quotas.begin(generation, quota)
        accounts = {
            account.id: AccountQuota(self.rules.account_rate, self.rules.account_burst)
            for party in self.policy.parties.values()
            for account in party.accounts
        }
        await self.quotas.configure(quota, accounts)

    async def schedule(self) -> float:
        """Give every party its share, ring a session for each of its free accounts, and rescue dead leases: one round."""
        epoch = await self.quotas.lead("test", 5_000)
        if epoch is not None:
            await self._round(epoch)
        return 0.2

    async def _round(self, epoch: int) -> None:
        given = {party: Share(self.rules.rate, self.rules.burst, 5_000) for party in self.policy.parties}
        await self.quotas.set_shares(REGISTRY, epoch, given, self.rules.rate)
        usage = await self.quotas.usage(REGISTRY)
        live = frozenset(session.token for session in usage.sessions if not session.quarantined)
        await self.ledger.rescue(REGISTRY, live, self.clock.now(), idempotent=self.rules.idempotent)
        at_work = Counter(session.party for session in usage.sessions if not session.quarantined)
        for backlog in await self.ledger.backlog(REGISTRY, self.clock.now()):
            if backlog.ready > 0:
                for _ in range(len(self.policy.parties[backlog.party].accounts) - at_work[backlog.party]):
                    self.bell.run_sessions(REGISTRY, [backlog.party])

    async def submit(self, party: str, job: str, rows: int, lines: int = 40) -> Job:
        """Put a checked job of `rows` records into the ledger, in slices of `lines`."""
        now = self.clock.now()
        await self.ledger.receive(
            NewJob(job, party, REGISTRY, "party-members", 1, f"{job}.csv", job.rjust(64, "0"), f"blob-{job}", "ADD"), BY, now
        )  # fmt: skip
        ticket = await self.ledger.begin_check(job, now)
        assert ticket is not None
        sealer = self.keys.create(job)
        drafts = []
        for seq, first in enumerate(range(0, rows, lines)):
            numbers = range(first, min(first + lines, rows))
            box = SliceBox(
                tuple(f"{job}-{seq}-{n}" for n in numbers),
                tuple(body(party, job, n) for n in numbers),
                tuple(numbers),
            )
            index = pack_index(
                [f"{job}{n:015d}".encode()[-16:] for n in numbers], [b"%08d" % n for n in numbers]
            )
            drafts.append(SliceDraft(seq, len(numbers), seal_slice(box, sealer, party, job, seq), index))
        for first in range(0, len(drafts), 50):
            await self.ledger.accept(job, drafts[first : first + 50], [], now)
        return await self.ledger.finish_check(ticket, CheckResult(rows, 0, rows, {}), BY, now)

    async def report(self, bins: int = 0) -> dict[str, Any]:
        """What the registrar saw."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.endpoint}/report?bins={bins}") as answer,
        ):
            told: dict[str, Any] = json.loads(await answer.read())
            return told

    async def control(self, **orders: Any) -> None:
        """Have the registrar do something (see its control door)."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.endpoint}/control", json=orders) as answer,
        ):
            assert answer.status == 204, await answer.text()

    def worker(self, **changes: Any) -> WorkerProcess:
        """A worker process on this installation."""

        async def nothing_to_check(job: str) -> None:
            raise AssertionError(job)

        parts: dict[str, Any] = {
            "ledger": self.ledger, "keys": self.keys, "spool": FolderSpool(self.home / "spool"), "clock": self.clock,
            "emit": self.events.append, "redis_url": self.redis_url, "home": self.home, "check": nothing_to_check,
            "sessions": 16, "maybe_ours": lambda profile: frozenset({"already-member"}),
        }  # fmt: skip
        return WorkerProcess(WorkerParts(**(parts | changes)))


def body(party: str, job: str, number: int) -> bytes:
    """A record as it stands on the wire."""
    return json.dumps(
        {
            "operation": "ADD", "national_id": f"{party}-{job}-{number}", "member_no": f"M{number}", "title": "นาย",
            "first_name": "สมชาย", "last_name": "ใจดี", "birth_date": "1985-02-00", "house_no": "99/1", "moo": "3",
            "tambon": "บางรัก", "amphoe": "บางรัก", "province": "กรุงเทพมหานคร", "postcode": "10500",
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()  # fmt: skip


def registry_quota(rules: RegistryRules) -> RegistryQuota:
    """The registry's limits as the gate takes them."""
    return RegistryQuota(
        rules.name, rules.rate, rules.burst, rules.sessions, int(rules.answer_timeout_s * 1000), int(rules.settle_s * 1000),
        rules.newest_wins,
    )  # fmt: skip


def make_policy(endpoint: str, parties: Mapping[str, int], **rules: Any) -> Policy:
    """A policy with these parties and so many accounts each, always open."""
    given = {"windows": (ALWAYS,), "answer_timeout_s": 2.0, "settle_s": 1.0, **rules}
    registry = RegistryRules(REGISTRY, "party-members", endpoint, **given)
    return Policy(
        {REGISTRY: registry},
        {
            party: PartyRules(
                party,
                contact=f"{party.lower()}@party.example",
                accounts=tuple(
                    AccountRules(f"{party}-{n:02d}", REGISTRY, AccountKind.BASE) for n in range(1, count + 1)
                ),
            )
            for party, count in parties.items()
        },
        NoticeRules(),
    )


@asynccontextmanager
async def town(
    redis_url: str, home: Path, parties: Mapping[str, int], their: registrar.Registry, **rules: Any
) -> AsyncIterator[Town]:
    """Everything, running, but for the worker process."""
    config = registrar.Config(registries={REGISTRY: their})
    async with registrar.running(config) as endpoint:
        policy = make_policy(endpoint, parties, **rules)
        keys = KeyStore(home / "keys.db", b"m" * 32)
        ledger = await open_ledger(home, keys)
        quotas, bell = RedisQuotas(redis_url), RedisDoorbell(redis_url)
        secrets = {
            (REGISTRY, account.id): "secret"
            for party in policy.parties.values()
            for account in party.accounts
        }
        made = Town(endpoint, redis_url, home, keys, ledger, quotas, policy, bell)
        draft = PolicyDraft("format = 1", policy, "test", "test", made.clock.now(), secrets=secrets)
        await ledger.apply_policy(draft, BY, made.clock.now())
        await made.open_gate()
        rounds = Loop("test-scheduler", made.schedule, lambda event: None)
        rounds.start()
        try:
            yield made
        finally:
            await rounds.stop()
            bell.close()
            await quotas.close()
            await ledger.close()
            keys.close()


@asynccontextmanager
async def working(process: WorkerProcess) -> AsyncIterator[None]:
    """Run a worker process in this loop, and stop it politely."""
    stopping = asyncio.Event()
    running = asyncio.create_task(process.run(stopping))
    try:
        yield
    finally:
        stopping.set()
        await running
