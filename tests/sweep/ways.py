"""The ways that are swept: small worlds of the simulator without any fault of chance, each taking records through other doors.

Draws nothing and runs nothing. The swept process is the only worker host, or the schedulers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.policy import AccountRules, PartyRules, Policy, RegistryRules
from domain.states import AccountKind
from tests.sim.registrar import Record
from tests.sim.scenario import BEGIN_S, REGISTRY, Fault, File, Scenario
from tests.sim.small import ALWAYS

#: neither one effect a key nor newest-wins: a second try would count twice, and a dead session stays open for a while
_NO_PROMISES = RegistryRules(
    REGISTRY, "party-members", "sim://registrar", settle_s=4.0, rate=20, burst=6, sessions=4, account_rate=6,
    account_burst=3, answer_timeout_s=2.0, turn_s=2.0, windows=ALWAYS, idempotent=False, newest_wins=False,
)  # fmt: skip
_PROMISES = replace(_NO_PROMISES, idempotent=True, newest_wins=True)


@dataclass(frozen=True, slots=True)
class Way:
    """One way: its world, and how the swept processes' names begin (w: the worker, s: both schedulers)."""

    name: str
    scenario: Scenario
    victim: str = "w"


def _records(job: str, persons: Sequence[int]) -> list[Record]:
    """So many records of each person; the third person's first one is wrong."""
    return [
        Record(f"{job}.{person}.{order}", f"{job}.{person}", order, is_good=(person, order) != (2, 0))
        for person, many in enumerate(persons)
        for order in range(many)
    ]


def _world(seed: int, rules: RegistryRules, *faults: Fault, parties: int = 1) -> Scenario:
    """Each party has two accounts and a file of fourteen records, in slices of four to six."""
    granted = {
        f"P{n}": tuple(AccountRules(f"P{n}-{account}", REGISTRY, AccountKind.BASE) for account in (1, 2))
        for n in range(parties)
    }
    files = [
        File(f"S{seed}-J{n}", party, BEGIN_S + 0.5, _records(f"J{n}", (1, 3, 1, 2, 1, 1, 2, 1, 1, 1)), 4)
        for n, party in enumerate(granted)
    ]
    return Scenario(
        seed,
        Policy({REGISTRY: rules}, {name: PartyRules(name, accounts=own) for name, own in granted.items()}),
        expires_s=6.0,
        strict=False,
        files=files,
        faults=faults,
        skews=dict.fromkeys(("w0", "s0", "s1", "gate"), 0),
        base_s=0.01,
        calm_s=BEGIN_S + 4,
    )


_CRASH = Fault("kill worker", BEGIN_S + 0.9, 0.5)
_INTRUDERS = tuple(Fault("someone else logs in", BEGIN_S + at, 0) for at in (0.7, 1.1, 1.5))

#: by name
WAYS: dict[str, Way] = {
    way.name: way
    for way in (
        Way("one effect a key", _world(1, _PROMISES)),
        Way("asked about", _world(2, _NO_PROMISES)),
        Way("turns end", _world(3, replace(_NO_PROMISES, sessions=1, turn_s=1.0), parties=2)),
        Way("cancelled", _world(4, _NO_PROMISES, Fault("job cancelled", BEGIN_S + 1.5, 0))),
        Way("effect without answer", _world(5, _NO_PROMISES, Fault("500 after the effect", BEGIN_S + 1, 3))),
        Way("busy", _world(20, _PROMISES, Fault("registrar busy", BEGIN_S + 0.9, 2))),
        Way("overloaded", _world(23, _NO_PROMISES, Fault("registrar overloaded", BEGIN_S + 0.6, 1.5))),
        Way("someone else", _world(22, _PROMISES, *_INTRUDERS)),
        Way("worker stops", _world(9, _NO_PROMISES, Fault("stop worker", BEGIN_S + 0.9, 1))),
        Way("after a crash", _world(24, _NO_PROMISES, _CRASH), victim="w0.4"),
        Way("rescue", _world(23, _NO_PROMISES, _CRASH), victim="s"),
    )
}
