"""What one seed's world is like: parties, accounts, rules, windows, files, and which faults come when. Draws only; runs nothing."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain.policy import AccountRules, PartyLimits, PartyRules, Policy, RegistryRules
from domain.states import AccountKind, Shape
from domain.windows import WindowRule
from tests.sim.registrar import Record

REGISTRY = "members"
#: virtual instants (s): work begins, faults are over by, everything must have ended by
BEGIN_S, CALM_S, END_S = 1_000.0, 1_075.0, 1_600.0
#: 2026-03-02 (a Monday) 10:00 in Bangkok is virtual instant `BEGIN_S` of the registrar's clock (ms)
EPOCH_MS = 1_772_420_400_000 - int(BEGIN_S * 1000)
#: ten o'clock (s of a day), and every day of the week
TEN_S = 10 * 3600
DAYS = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class File:
    """One file: whose, when it is handed in (s), its records, and how many stand in a slice."""

    job: str
    party: str
    at: float
    records: Sequence[Record]
    lines: int


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what, when (s), and how long it lasts (s) where it lasts."""

    kind: str
    at: float
    for_s: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """All of it."""

    seed: int
    policy: Policy
    expires_s: float
    strict: bool
    files: Sequence[File]
    faults: Sequence[Fault]
    #: clock errors by process (ms)
    skews: dict[str, int]
    base_s: float
    #: faults are over by this instant (s)
    calm_s: float = CALM_S
    #: it tells what became of a key
    can_be_asked: bool = True
    #: it takes no request of more lines than this
    most_lines: int | None = None
    #: how much faster each process's monotonic clock runs than true time
    drifts: Mapping[str, float] = field(default_factory=dict)

    @property
    def rules(self) -> RegistryRules:
        """The one registry's rules."""
        return self.policy.registries[REGISTRY]


KINDS = (
    "kill worker", "kill worker", "freeze worker", "stop worker", "kill scheduler", "freeze scheduler", "lose gate", "pause gate",
    "lossy gate", "registrar overloaded", "registrar slow", "registrar busy", "500 after the effect", "registrar restarts",
    "session ended", "garbled answers", "link stalls", "link slow", "link lossy", "link cut", "link reset", "lines repeated",
    "disk failing", "disk slow", "clock steps", "hold party", "hold registry", "account withdrawn", "job cancelled", "power cut",
    "someone else logs in",
)  # fmt: skip


#: of two worlds one streams
SHAPES = (Shape.STREAM, Shape.STREAM, Shape.BATCH, Shape.SINGLE)
#: how much too fast or slow a machine's clock may run; the gate's is better, since its buckets leave room for so much only
DRIFT, GATE_DRIFT = 200e-6, 50e-6


#: in so many worlds the ledger is put back from a copy; what people decided since then is theirs to decide again, so nothing is, there
RESTORED = 0.15
DECIDED = {"hold party", "hold registry", "account withdrawn", "job cancelled"}


def _restored(rng: random.Random) -> list[Fault]:
    at = rng.uniform(BEGIN_S + 15, CALM_S - 20)
    return [
        Fault("ledger copied", at - rng.uniform(0.5, 14), 0),
        Fault("ledger restored", at, rng.uniform(0.5, 6)),
    ]


#: in so many worlds the gate is lost while the way to the registrar stands still, for longer than an answer is waited for
STILL = 0.2
#: a worker that dies, stands still or is cut off then cannot tell what it sent (docs/invariants.md, promise 2)
SPEECHLESS = {"kill worker", "freeze worker", "stop worker", "power cut", "pause gate"}


def _stood_still(rng: random.Random, rules: RegistryRules, drawn: list[Fault]) -> list[Fault]:
    """The way stands still for as long as a late record may be under way; what else would silence a worker is not done about then."""
    at, for_s = rng.uniform(BEGIN_S + 5, CALM_S - 30), rules.settle_s * rng.uniform(0.6, 0.75)
    lost_at = at + rng.uniform(0.2, for_s * 0.4)
    kind = rng.choice(["registrar stands still", "registrar stands still", "link holds"])
    others = [
        fault for fault in drawn if fault.kind not in SPEECHLESS or not at - 20 < fault.at < at + for_s + 2
    ]
    return [*others, Fault(kind, at, for_s), Fault("lose gate", lost_at, 0)]


def draw(seed: int, *, faults: int | None = None) -> Scenario:
    """Draw a world: at least five parties, two worker hosts, 500 records and ten faults."""
    rng, way, still = random.Random(seed), random.Random(-seed - 1), random.Random(f"still {seed}")
    rules = _rules(rng)
    rules = replace(rules, shape=way.choice(SHAPES), batch=way.choice([3, 8, 20]))
    parties = {f"P{n}": rng.choice([1, 1, 2, 3]) for n in range(1, rng.randint(6, 8))}
    policy = Policy(
        {REGISTRY: rules}, {name: _party(rng, name, many, rules) for name, many in parties.items()}
    )
    many = rng.randint(10, 16) if faults is None else faults
    kinds = [kind for kind in KINDS if rules.idempotent or kind != "lines repeated"]
    if not rules.newest_wins:
        kinds.remove("someone else logs in")
    drawn = [
        Fault(rng.choice(kinds), rng.uniform(BEGIN_S + 1, CALM_S - 15), rng.uniform(0.5, 9))
        for _ in range(many)
    ]
    if way.random() < RESTORED:
        drawn = [fault for fault in drawn if fault.kind not in DECIDED] + _restored(way)
        while len(drawn) <= many:
            drawn.append(Fault("kill worker", way.uniform(BEGIN_S + 1, CALM_S - 15), way.uniform(0.5, 9)))
    elif still.random() < STILL:
        drawn = _stood_still(still, rules, drawn)
        while len(drawn) <= many:
            drawn.append(Fault("link slow", still.uniform(BEGIN_S + 1, CALM_S - 15), still.uniform(0.5, 9)))
    return Scenario(
        seed,
        policy,
        expires_s=rules.answer_timeout_s + rules.settle_s,
        strict=rng.random() < 0.5,
        files=_files(rng, list(parties), seed),
        faults=sorted(drawn, key=lambda fault: fault.at),
        skews={
            name: rng.choice([0, rng.randint(-2_000, 2_000)]) for name in ("w0", "w1", "s0", "s1", "gate")
        },
        base_s=rng.choice([0.002, 0.01, 0.04]),
        can_be_asked=way.random() < 0.75,
        most_lines=way.choice([None, 5]) if rules.shape is Shape.BATCH else None,
        drifts={
            name: way.uniform(-1, 1) * (GATE_DRIFT if name == "gate" else DRIFT)
            for name in ("w0", "w1", "s0", "s1", "gate")
        },
    )


def _rules(rng: random.Random) -> RegistryRules:
    rate = rng.choice([12, 20, 30])
    return RegistryRules(
        REGISTRY,
        "party-members",
        "sim://registrar",
        idempotent=rng.random() < 0.65,
        newest_wins=rng.random() < 0.8,
        settle_s=rng.choice([6.0, 10.0]),
        rate=rate,
        burst=rng.choice([6, rate]),
        sessions=rng.randint(3, 12),
        account_rate=rng.choice([3, 6, 10]),
        account_burst=rng.choice([3, 8]),
        answer_timeout_s=rng.choice([3.0, 5.0]),
        turn_s=rng.choice([3.0, 8.0]),
        windows=(WindowRule(0, 86_400, weekdays=DAYS),),
    )


def _party(rng: random.Random, name: str, accounts: int, rules: RegistryRules) -> PartyRules:
    windows: dict[str, tuple[WindowRule, ...]] = {}
    if rng.random() < 0.3:
        shuts, opens = TEN_S + rng.randint(8, 50), TEN_S + rng.randint(70, 110)
        first = WindowRule(TEN_S - 3600 if rng.random() < 0.7 else TEN_S + 5, shuts, weekdays=DAYS)
        windows[REGISTRY] = (first, WindowRule(opens, 86_400, weekdays=DAYS))
    limits = {}
    if rng.random() < 0.5:
        limits[REGISTRY] = PartyLimits(rate=rng.choice([4.0, 9.0]), burst=rng.choice([4, 10]))
    granted = tuple(
        AccountRules(f"{name}-{n}", REGISTRY, AccountKind.BASE if n == 1 else AccountKind.ADDED)
        for n in range(1, accounts + 1)
    )
    return PartyRules(name, contact="x@party.example", accounts=granted, limits=limits, windows=windows)


def _files(rng: random.Random, parties: Sequence[str], seed: int) -> list[File]:
    """One to three files a party, some sizes far larger than others, at least 500 records in all."""
    names = [*parties, *rng.choices(parties, k=rng.randint(2, 6))]
    weights = [rng.choice([1, 1, 4]) for _ in names]
    whole = rng.randint(520, 640)
    files = []
    for number, (party, weight) in enumerate(zip(names, weights, strict=True)):
        size = -(-whole * weight // sum(weights))
        job = f"S{seed}-J{number}"
        at = BEGIN_S + 0.5 if number < 3 else rng.uniform(BEGIN_S + 0.5, CALM_S - 35)
        files.append(File(job, party, at, _records(rng, job, size), rng.choice([10, 15, 25])))
    return files


def _records(rng: random.Random, job: str, size: int) -> list[Record]:
    records: list[Record] = []
    while len(records) < size:
        person = f"{job}.{len(records)}"
        for order in range(rng.choice([1, 1, 1, 1, 3])):
            records.append(Record(f"{person}.{order}", person, order, is_good=rng.random() > 0.05))
    return records
