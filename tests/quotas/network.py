"""A made-up network for the tests of quotas: workers that die, answers that are lost, records that take their time; and a registrar's log.

The log knows nothing of the gate: it holds instants of arrival, and judges them against burst + rate × t with no allowance.
"""

import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.quota import AccountQuota, Lease, Permit, RegistryQuota, Share
from tests.quotas.rig import REGISTRY, Gate, Session

PARTIES: Mapping[str, tuple[str, ...]] = {"P1": ("a1", "a2"), "P2": ("b1", "b2"), "P3": ("c1",)}
ACCOUNT = AccountQuota(40, 8)
CEILINGS: Mapping[str, tuple[float, int]] = {"P1": (60, 12), "P2": (50, 10), "P3": (30, 9)}


def worst_excess(arrivals_us: list[int], rate: float, burst: int) -> float:
    """By how many records the arrivals pass burst + rate × t in the worst interval; zero or less is within the limit."""
    worst, level, last = -float(burst), 0, 0
    micro_rate = round(
        rate * 1000
    )  # thousandths of a record a second are millionths of one in 1 ms: all integers
    for at in sorted(arrivals_us):
        level = max(0, level - micro_rate * (at - last)) + 1_000_000_000
        worst, last = max(worst, level / 1e9 - burst), at
    return worst


@dataclass
class Worker:
    """One session of a worker, its permits and its records under way."""

    session: Session
    permits: list[tuple[int, int]] = field(default_factory=list)
    answers_at: list[int] = field(default_factory=list)
    #: when its newest answer was read
    read_at: int = 0


@dataclass
class Network:
    """Everything between the gate and the registrar, driven by one seeded dice."""

    gate: Gate
    quota: RegistryQuota
    dice: random.Random
    longest_delay_ms: int
    arrivals: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    workers: dict[str, Worker] = field(default_factory=dict)
    tick_no: int = 0
    generation: int = 1
    shares_until: int = 0

    async def step(self) -> None:
        """Let some ms pass and everybody act once."""
        self.gate.clock.advance(self.dice.choice([3, 11, 20, 27, 45]))
        now = self.gate.clock()
        if now >= self.shares_until:
            await self.gate.share({p: self._share(p) for p in PARTIES}, self.quota.rate)
            self.shares_until = now + 250_000
        for worker in self.workers.values():
            read = [at for at in worker.answers_at if at <= now]
            worker.session.settled += len(read)
            worker.read_at = max([worker.read_at, *read])
            worker.answers_at = [at for at in worker.answers_at if at > now]
        for account in [a for a in self.workers if self.dice.random() < 0.004]:
            del self.workers[account]  # the process died: its records go on their way, nobody settles them
        await self._seek_leases()
        await self._tick()
        self._send()

    async def lose_everything(self) -> None:
        """Redis is lost; the scheduler begins the next generation; workers learn of it at their next tick."""
        await self.gate.client.flushall()
        self.generation += 1
        await self.gate.quotas.begin(self.generation, self.quota)
        accounts = {a: ACCOUNT for names in PARTIES.values() for a in names}
        await self.gate.quotas.configure(self.quota, accounts)
        self.shares_until = 0

    def _share(self, party: str) -> Share:
        rate, burst = CEILINGS[party]
        part = self.dice.choice([0.0, 0.4, 1.0, 1.0])
        return Share(rate * part, self.dice.choice([burst, burst, max(1, burst // 2)]), 5000)

    async def _seek_leases(self) -> None:
        for party, names in PARTIES.items():
            for account in names:
                if account in self.workers or self.dice.random() < 0.5:
                    continue
                lease = await self.gate.quotas.lease(REGISTRY, party, account, "w1")
                if isinstance(lease, Lease) and await self.gate.quotas.renew(lease):
                    if (
                        self.dice.random() < 0.9
                    ):  # the log-in was answered; else it was lost, and fences nobody
                        self._end_older_sessions(account)
                        await self.gate.quotas.fenced(lease)
                    self.workers[account] = Worker(Session(lease))

    def _end_older_sessions(self, account: str) -> None:
        """The newest session wins: what older ones still have on the way is refused, and counts for nothing."""
        now = self.gate.clock()
        self.arrivals[account] = [at for at in self.arrivals[account] if at <= now]

    async def _tick(self) -> None:
        asked_at, number = self.gate.clock(), self.tick_no + 1
        asking = [account for account in self.workers if self.dice.random() < 0.6]
        for worker in self.workers.values():
            worker.session.ago = max(0, (asked_at - worker.read_at) // 1000)
        lines = [self.workers[account].session.line(self.dice.randrange(0, 9)) for account in asking]
        permits = await self.gate.quotas.tick(REGISTRY, "w1", number, lines)
        self.tick_no = number
        fate = self.dice.random()
        if fate < 0.05:
            return  # the answer was lost
        if fate < 0.08:  # it was sent twice, and the second answer is the one that is read
            permits = await self.gate.quotas.tick(REGISTRY, "w1", number, lines)
        if fate > 0.97 and number > 2:  # an older tick comes late
            await self.gate.quotas.tick(REGISTRY, "w1", number - 2, lines)
        for account, permit in zip(asking, permits, strict=True):
            self._learn(account, permit, asked_at)

    def _learn(self, account: str, permit: Permit, asked_at: int) -> None:
        if not permit.alive:
            del self.workers[account]
            return
        worker = self.workers[account]
        if worker.session.learn(permit):
            worker.permits.append((permit.granted, asked_at + permit.valid_ms * 1000))

    def _send(self) -> None:
        now = self.gate.clock()
        for account, worker in self.workers.items():
            session, held = worker.session, worker.permits
            session.lapsed += sum(count for count, until in held if until <= now)
            held[:] = [(count, until) for count, until in held if until > now]
            while held and self.dice.random() < 0.8:
                count, _ = held.pop()
                session.sent += count
                for _ in range(count):
                    arrives = now + self.dice.randrange(1, self.longest_delay_ms * 1000)
                    self.arrivals[account].append(arrives)
                    worker.answers_at.append(arrives + self.dice.randrange(1, 30_000))

    def excesses(self) -> dict[str, float]:
        """By how much each limit was passed in its worst interval."""
        told = {a: worst_excess(self.arrivals[a], ACCOUNT.rate, ACCOUNT.burst) for a in self.arrivals}
        for party, names in PARTIES.items():
            rate, burst = CEILINGS[party]
            told[party] = worst_excess([at for a in names for at in self.arrivals[a]], rate, burst)
        everything = [at for log in self.arrivals.values() for at in log]
        return told | {REGISTRY: worst_excess(everything, self.quota.rate, self.quota.burst)}
