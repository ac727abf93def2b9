"""What the slow model of the gate is made of: buckets, parties, leases, accounts. Only the model uses it."""

from dataclasses import dataclass, field
from math import ceil

from domain.quota import AccountQuota, BoundBy

UNIT = 10**10
NEVER = -(10**18)


@dataclass
class Bucket:
    """A level that refills, and records reserved in it."""

    filled: int
    rate: int = 0
    cap: int = 0
    level: int = 0
    out: int = 0

    def level_at(self, at: int) -> int:
        """Its level at gate time `at`; looking changes nothing."""
        return min(self.cap, self.level + self.rate * (at - self.filled)) if at > self.filled else self.level

    def standing(self, at: int) -> int:
        """What would be free if all that is out had been answered when its level was last written down."""
        return min(self.cap, self.level + self.rate * max(0, at - self.filled) - self.out * UNIT)

    def to(self, at: int) -> None:
        """Bring it to gate time `at`."""
        self.level, self.filled = self.level_at(at), max(self.filled, at)

    def limit(self, rate: float, burst: int, at: int) -> None:
        """Set another limit from now on; the same again changes nothing."""
        if (int(rate * 9999), burst * UNIT) == (self.rate, self.cap):
            return
        self.to(at)
        self.rate, self.cap = int(rate * 9999), burst * UNIT
        self.level = min(self.level, self.cap)

    def room(self, at: int) -> int:
        """How many records could be drawn."""
        return max(0, (self.level_at(at) - self.out * UNIT) // UNIT)

    def wait_ms(self, at: int) -> int:
        """When one more could be drawn."""
        missing = (self.out + 1) * UNIT - self.level_at(at)
        if missing <= 0 or (self.out + 1) * UNIT > self.cap:
            return 20
        return min(1000, max(1, ceil(missing / (self.rate * 1000))))


@dataclass
class Party:
    """A party as the gate knows it."""

    name: str
    bucket: Bucket
    open_at: int = 0
    wall_at: int = 0
    sessions: int = 0
    held: bool = False
    blocked: int = 0
    sent: int = 0
    bound: BoundBy = BoundBy.NOTHING
    changed_at: int = 0
    short_at: int = NEVER
    served: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def claims(self, name: str, at: int) -> tuple[int, list[int]]:
        """What this account was served, and what those were served who were left wanting lately."""
        recently = at - 200_000
        served, drew_at, _ = self.served.get(name, (0, NEVER, NEVER))
        others = [x for other, x in self.served.items() if other != name]
        active = [x[0] for x in others if x[1] > recently]
        if active and drew_at <= recently:
            served = max(served, min(active))
        return served, [x[0] for x in others if x[2] > recently]

    def note(self, name: str, served: int | None, granted: int, at: int, *, is_short: bool) -> None:
        """Remember a draw; `served` None: the party becomes contended now, and everyone begins anew."""
        if served is None:
            self.served = {}
        _, drew_at, short_at = self.served.get(name, (0, NEVER, NEVER))
        was_short = short_at > NEVER
        news = granted > 0 or at - drew_at >= 50_000
        news = news or (is_short and at - short_at >= 50_000) or (was_short and not is_short)
        if news:
            if is_short:
                self.short_at = at
            self.served[name] = ((served or 0) + granted, at, at if is_short else NEVER)


@dataclass
class Live:
    """A lease that lives."""

    token: int
    holder: str
    ends: int
    out: int = 0
    sent: int = 0
    settled: int = 0
    renewed: bool = False
    ending: bool = False


@dataclass
class Account:
    """An account as the gate knows it."""

    name: str
    bucket: Bucket
    quota: AccountQuota
    party: str = ""
    live: Live | None = None
    told: AccountQuota | None = None
    withdrawn: bool = False
    blocked: int = 0
    barred: int = 0
    linger: int = 0
    dead: int = 0
    dead_at: int = 0
    #: this generation's newest lease of it has sent something: its log-in was answered
    has_sent: bool = False
    #: by token of an older generation's lease, how many of `dead` were told of it
    owed: dict[int, int] = field(default_factory=dict)

    def counts(self) -> bool:
        """Whether a session of it may be open."""
        return self.live is not None or self.linger > 0

    def limit(self, at: int) -> None:
        """Have the lower of policy and what was told bind."""
        told = self.told or self.quota
        self.bucket.limit(min(self.quota.rate, told.rate), min(self.quota.burst, told.burst), at)


def dealt(have: int, served: int, claims: list[int]) -> int:
    """Deal `have` records one at a time to whoever was served least, this account first among equals; its part."""
    part, claims = 0, list(claims)
    for _ in range(have):
        least = min(claims)
        if served + part <= least:
            part += 1
        else:
            claims[claims.index(least)] += 1
    return part
