"""A small simulation of gate and registrar on a virtual clock: buckets that reserve and settle, a pacer's tick, rounds of `decide`."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from scheduler.decide import Decision, decide
from scheduler.snapshot import ROUND_MS, LiveSession, PartyView, RegistryView, Snapshot


@dataclass
class Bucket:
    """Reserve when sent, debit when answered; refilled by the caller's clock."""

    rate: float
    burst: float
    level: float = 0.0
    out: int = 0
    at: int = 0

    def refill(self, now: int) -> None:
        """Let in what has come since."""
        self.level = min(self.burst, self.level + self.rate * (now - self.at) / 1000)
        self.at = now

    @property
    def free(self) -> int:
        """Whole permits that may go out now."""
        return max(0, int(self.level - self.out + 1e-9))


@dataclass
class Plant:
    """Parties with accounts and records, against one registry."""

    records: list[int]
    accounts: list[int]
    rate: float = 800
    burst: int = 800
    account_rate: float = 20
    account_burst: int = 20
    answer_ms: int = 10
    seed: int = 1
    start_ms: int = 100
    sent: list[int] = field(default_factory=list)
    arrivals: list[tuple[int, int]] = field(default_factory=list)
    world: Callable[[Snapshot, int], Snapshot] = lambda snapshot, _now: snapshot

    def run(self, until_ms: int) -> None:
        """Run from full account and registry buckets and empty party buckets."""
        dice = random.Random(self.seed)
        count = len(self.records)
        self.sent = [0] * count
        own = [
            [Bucket(self.account_rate, self.account_burst, self.account_burst) for _ in range(n)]
            for n in self.accounts
        ]
        shared = [Bucket(0, 1) for _ in range(count)]
        pool = Bucket(self.rate, self.burst, self.burst)
        answers: list[tuple[int, int, int]] = []
        seats = [0] * count
        next_tick = 0
        serve: Mapping[str, int] = {}
        for now in range(0, until_ms, 5):
            if now >= next_tick:
                next_tick = now + round(20 * dice.uniform(0.5, 1.5))
                due = [answer for answer in answers if answer[0] <= now]
                answers = [answer for answer in answers if answer[0] > now]
                for bucket in [pool, *shared, *(b for party in own for b in party)]:
                    bucket.refill(now)
                for _, party, account in due:
                    for bucket in (pool, shared[party], own[party][account]):
                        bucket.level -= 1
                        bucket.out -= 1
                lines = [(p, a) for p in range(count) for a in range(min(seats[p], self.accounts[p]))]
                dice.shuffle(lines)
                for party, account in lines:
                    buckets = (pool, shared[party], own[party][account])
                    live = max(1, seats[party])
                    left = self.records[party] - self.sent[party]
                    grant = min(left, *(b.free for b in buckets), -(-shared[party].free // live) + 1)
                    for bucket in buckets:
                        bucket.out += grant
                    self.sent[party] += grant
                    self.arrivals.extend([(now + self.answer_ms // 2, party)] * grant)
                    answers.extend([(now + self.answer_ms, party, account)] * grant)
            if now % ROUND_MS == 0:
                decision = self._decide(now, pool, shared, own, seats)
                serve = decision.serve
                for name, share in decision.shares.items():
                    bucket = shared[int(name)]
                    bucket.refill(now)
                    bucket.rate, bucket.burst = share.rate, share.burst
            if now % ROUND_MS == self.start_ms:
                for name, more in serve.items():
                    seats[int(name)] += more

    def _decide(
        self, now: int, pool: Bucket, shared: list[Bucket], own: list[list[Bucket]], seats: list[int]
    ) -> Decision:
        views = []
        for bucket in [pool, *shared, *(b for party in own for b in party)]:
            bucket.refill(now)
        for party, left in enumerate(r - s for r, s in zip(self.records, self.sent, strict=True)):
            sitting = tuple(LiveSession(f"{party}-{n}", 0) for n in range(seats[party]))
            standing = sum(max(0.0, bucket.level - bucket.out) for bucket in own[party])
            level = shared[party].level - shared[party].out
            views.append(
                PartyView(
                    str(party),
                    left,
                    self.accounts[party],
                    60_000,
                    left,
                    level=level,
                    standing=standing,
                    sessions=sitting,
                )
            )
        view = RegistryView(
            "members",
            self.rate,
            self.burst,
            1000,
            self.account_rate,
            self.account_burst,
            available=pool.level - pool.out,
            latency_ms=self.answer_ms,
        )
        return decide(self.world(Snapshot(view, tuple(views)), now), now)
