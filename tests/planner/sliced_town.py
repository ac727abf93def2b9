"""The town of the scheduler's tests, with slices: each account works off its own, and the ledger hears of answers a while later."""

import heapq
from collections import Counter
from dataclasses import dataclass, field

from domain.jobs import JobBacklog, PartyBacklog
from domain.quota import Permit, Signals
from planner.forecast import Forecast, ForecastWorld, forecast
from planner.world import as_used
from tests.scheduler.fakes import REGISTRY
from tests.scheduler.real_gate import Sitting, Town

#: what the ledger has heard of by now, it has heard of once a second
HEARS_EVERY_MS = 1_000
#: what the worker tells of the registrar, it tells so often
REPORTS_EVERY_MS = 1_000


@dataclass
class SlicedTown(Town):
    """Sessions that claim slices of `lines` records; `coming`: records of files that are checked at some instant (ms)."""

    lines: int = 40
    coming: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Nothing is claimed yet."""
        super().__post_init__()
        self.hands: Counter[str] = Counter()
        self.claimed: Counter[str] = Counter()
        self.answered: list[tuple[int, str, int]] = []
        self.ends: dict[str, int] = {}
        self.reported_at = 0

    async def until_sent(self, count: int) -> None:
        """Let time pass until so many records have left."""
        while self.sent.total() < count:
            await self.run(100)

    async def until_all_done(self, most_ms: int, but: frozenset[str] = frozenset()) -> None:
        """Let time pass until every party has its last answer."""
        end = self.clock.now() + most_ms
        while {p for p, n in self.records.items() if n and p not in but} - self.ends.keys():
            assert self.clock.now() < end
            await self.run(250)

    async def foresee(self, held: frozenset[str] = frozenset()) -> Forecast:
        """Make the forecast from what ledger and gate say now."""
        now = self.clock.now()
        heard_at = now - now % HEARS_EVERY_MS
        heard: Counter[str] = Counter()
        for at, party, count in self.answered:
            heard[party] += count if at <= heard_at else 0
        jobs = [
            JobBacklog(party, party, 0, 0, None, count - heard[party], 0, self._unclaimed(party))
            for party, count in self.records.items()
            if count > heard[party]
        ]
        jobs += [
            JobBacklog(party, party, 0, 0, None, count, 0, 0, at)
            for party, (count, at) in self.coming.items()
        ]
        accounts = {name: len(party.accounts) for name, party in self.rules.parties.items()}
        world = ForecastWorld(self.rules, REGISTRY, jobs, accounts, held_parties=held)
        return forecast(as_used(world, await self.quotas.usage(REGISTRY)), now)

    def _unclaimed(self, party: str) -> int:
        return self.records.get(party, 0) - self.claimed[party]

    def _tell_backlog(self) -> None:
        now = self.clock.now()
        for party, (count, at) in list(self.coming.items()):
            if at <= now:
                self.records[party] = self.records.get(party, 0) + count
                del self.coming[party]
        out: Counter[str] = Counter()
        for one in self.sessions.values():
            out[one.lease.party] += one.sent - one.settled + self.hands[one.lease.account]
        self.ledger.waiting = [
            PartyBacklog(party, left + out[party], 0, left, out[party])
            for party in self.records
            if (left := self._unclaimed(party)) + out[party] > 0
        ]

    def _claim(self, one: Sitting) -> int:
        party, account = one.lease.party, one.lease.account
        if not self.hands[account] and not one.is_ending:
            self.hands[account] = min(self.lines, self._unclaimed(party))
            self.claimed[party] += self.hands[account]
        return self.hands[account]

    async def _tick(self, now: int) -> None:
        while self._answers and self._answers[0][0] <= now:
            at, account, count = heapq.heappop(self._answers)
            one = self.sessions[account]
            one.settled += count
            self.answered.append((at, one.lease.party, count))
            if sum(n for _, p, n in self.answered if p == one.lease.party) == self.records[one.lease.party]:
                self.ends[one.lease.party] = at
        for account, one in list(self.sessions.items()):
            if one.sent == one.settled and (one.is_ending or not self._claim(one)):
                self.claimed[one.lease.party] -= self.hands.pop(account, 0)
                del self.sessions[account]
                await self.quotas.release(self._line(one, 0), logged_out=True)
        if now >= self.reported_at + REPORTS_EVERY_MS and self.answered:
            self.reported_at = now
            count = sum(n for _, _, n in self.answered)
            signals = Signals(answers=count, latency_ms_sum=count * self.answer_ms)
            await self.quotas.report(REGISTRY, "w1", signals)
        sitting = list(self.sessions.values())
        self._dice.shuffle(sitting)
        lines = [self._line(one, min(10, self._claim(one))) for one in sitting]
        self._tick_no += 1
        for one, permit in zip(
            sitting, await self.quotas.tick(REGISTRY, "w1", self._tick_no, lines), strict=True
        ):
            self._send(one, permit, now)

    def _send(self, one: Sitting, permit: Permit, now: int) -> None:
        # A closed window ends a session as the session itself would end it.
        one.is_ending = permit.ending or not permit.alive or permit.bound_by.value in ("window", "hold")
        count = min(permit.granted, self.hands[one.lease.account])
        one.granted += count
        one.sent += count
        self.hands[one.lease.account] -= count
        self.sent[one.lease.party] += count
        self.arrivals += [(now + self.answer_ms // 2, one.lease.party)] * count
        if count:
            heapq.heappush(self._answers, (now + self.answer_ms, one.lease.account, count))
