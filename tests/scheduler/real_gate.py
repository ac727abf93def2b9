"""The scheduler's loop on the real gate (Lua in a real server) in virtual time, with sessions that send and are answered."""

import heapq
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import cast

import redis.asyncio as aioredis

from domain.clock import ManualClock
from domain.events import Event
from domain.jobs import PartyBacklog
from domain.policy import Policy
from domain.quota import Lease, Permit, TickLine
from ledger.protocols import Ledger
from quotas.quotas import RedisQuotas
from scheduler.loop import Scheduler
from tests.scheduler.fakes import REGISTRY, FakeDoorbell, FakeLedger


@dataclass
class Sitting:
    """One session's totals."""

    lease: Lease
    granted: int = 0
    sent: int = 0
    settled: int = 0
    is_ending: bool = False


@dataclass
class Town:
    """Parties with records, one worker process, one scheduler, the real gate, one clock for all."""

    client: aioredis.Redis
    rules: Policy
    records: dict[str, int]
    answer_ms: int = 10
    start_ms: int = 50
    clock: ManualClock = field(default_factory=ManualClock)
    events: list[Event] = field(default_factory=list)
    sessions: dict[str, Sitting] = field(default_factory=dict)
    sent: Counter[str] = field(default_factory=Counter)
    arrivals: list[tuple[int, str]] = field(default_factory=list)
    most_sessions: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Wire everything; nothing runs yet."""
        self.ledger = FakeLedger([(0, self.rules)])
        self.doorbell = FakeDoorbell()
        self.quotas = RedisQuotas(self.client, test_clock=lambda: self.clock.now() * 1000)
        self.scheduler = self.another("s1")
        self._dice = random.Random(7)
        self._answers: list[tuple[int, str, int]] = []
        self._starts: list[tuple[int, str]] = []
        self._tick_no = 0
        self._next_round = self._next_tick = self.clock.now()

    def another(self, holder: str) -> Scheduler:
        """One more scheduler."""
        return Scheduler(
            cast("Ledger", self.ledger), self.quotas, self.doorbell, self.clock, self.events.append, holder
        )

    async def fill(self, ms: int) -> None:
        """Let the buckets fill while nothing is asked for."""
        records, self.records = self.records, {}
        await self.run(ms)
        self.records = records

    async def run(self, ms: int) -> None:
        """Let so much virtual time pass."""
        end = self.clock.now() + ms
        while (now := self.clock.now()) < end:
            if now >= self._next_round:
                self._tell_backlog()
                self._next_round = now + min(250, round(1000 * await self.scheduler.run_once()))
                self._starts += [(now + self.start_ms, party) for party in self.doorbell.sessions]
                self.doorbell.sessions.clear()
            for at, party in list(self._starts):
                if at <= now:
                    self._starts.remove((at, party))
                    await self._sit(party)
            if now >= self._next_tick:
                self._next_tick = now + self._dice.randint(10, 30)
                await self._tick(now)
            self.clock.advance(5)

    def _tell_backlog(self) -> None:
        out: Counter[str] = Counter()
        for one in self.sessions.values():
            out[one.lease.party] += one.sent - one.settled
        self.ledger.waiting = [
            PartyBacklog(party, left + out[party], 0, left, out[party])
            for party, count in self.records.items()
            if (left := count - self.sent[party]) + out[party] > 0
        ]

    async def _sit(self, party: str) -> None:
        for account in self.rules.parties[party].accounts:
            if account.id not in self.sessions:
                lease = await self.quotas.lease(REGISTRY, party, account.id, "w1")
                if isinstance(lease, Lease):
                    self.sessions[account.id] = Sitting(lease)
                    await self.quotas.fenced(lease)
                    sitting = sum(1 for one in self.sessions.values() if one.lease.party == party)
                    self.most_sessions[party] = max(self.most_sessions[party], sitting)
                return

    async def _tick(self, now: int) -> None:
        while self._answers and self._answers[0][0] <= now:
            _, account, count = heapq.heappop(self._answers)
            if account in self.sessions:
                self.sessions[account].settled += count
        for account, one in list(self.sessions.items()):
            left = self.records.get(one.lease.party, 0) - self.sent[one.lease.party]
            if one.sent == one.settled and (one.is_ending or left <= 0):
                del self.sessions[account]
                await self.quotas.release(self._line(one, 0), logged_out=True)
        sitting = list(self.sessions.values())
        self._dice.shuffle(sitting)
        wants = [min(10, self.records.get(s.lease.party, 0) - self.sent[s.lease.party]) for s in sitting]
        lines = [self._line(s, max(0, want)) for s, want in zip(sitting, wants, strict=True)]
        self._tick_no += 1
        for one, permit in zip(
            sitting, await self.quotas.tick(REGISTRY, "w1", self._tick_no, lines), strict=True
        ):
            self._send(one, permit, now)

    def _send(self, one: Sitting, permit: Permit, now: int) -> None:
        party = one.lease.party
        one.is_ending = permit.ending or not permit.alive
        # Permits beyond what is left are sent too late to matter here: wants were cut to it, sessions of a party share it.
        count = min(permit.granted, self.records.get(party, 0) - self.sent[party])
        one.granted += count
        one.sent += count
        self.sent[party] += count
        self.arrivals += [(now + self.answer_ms // 2, party)] * count
        if count:
            heapq.heappush(self._answers, (now + self.answer_ms, one.lease.account, count))

    @staticmethod
    def _line(one: Sitting, want: int) -> TickLine:
        return TickLine(one.lease, one.granted, 0, one.sent, one.settled, want)
