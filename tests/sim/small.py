"""Small worlds, each drawn so that one guard has something to do: seconds of work, the faults it is there for, and nothing else."""

from collections.abc import Sequence
from dataclasses import replace

from domain.policy import AccountRules, PartyRules, Policy, RegistryRules
from domain.states import AccountKind, Shape
from domain.windows import WindowRule
from tests.sim.registrar import Record
from tests.sim.scenario import BEGIN_S, DAYS, REGISTRY, Fault, File, Scenario

ALWAYS = (WindowRule(0, 86_400, weekdays=DAYS),)
RULES = RegistryRules(
    REGISTRY, "party-members", "sim://registrar", idempotent=True, newest_wins=True, settle_s=4.0, rate=20, burst=20,
    sessions=6, account_rate=10, account_burst=8, answer_timeout_s=2.0, turn_s=8.0, windows=ALWAYS,
)  # fmt: skip
#: neither one effect a key, nor a word on a second try, nor newest-wins
STRICT = replace(RULES, idempotent=False, newest_wins=False)
SINGLE = replace(RULES, shape=Shape.SINGLE)


def fault(kind: str, at: float, for_s: float = 0.0) -> Fault:
    """One fault, so many seconds after the beginning."""
    return Fault(kind, BEGIN_S + at, for_s)


def small(
    rules: RegistryRules,
    *faults: Fault,
    seed: int = 1,
    parties: int = 2,
    records: int = 120,
    windows: Sequence[WindowRule] = (),
    skews: dict[str, int] | None = None,
    kind: AccountKind = AccountKind.BASE,
    base_s: float = 0.01,
    lines: int = 10,
    expires_s: float | None = None,
    of_one: int = 1,
) -> Scenario:
    """Each party has two accounts and one file from the beginning, `of_one` records of each person in it."""
    own = {REGISTRY: tuple(windows)} if windows else {}
    granted = {
        f"P{n}": PartyRules(
            f"P{n}",
            accounts=tuple(AccountRules(f"P{n}-{account}", REGISTRY, kind) for account in (1, 2)),
            windows=own,
        )
        for n in range(parties)
    }
    files = [
        File(f"S{seed}-J{n}", party, BEGIN_S + 0.5, _records(f"J{n}", records, of_one), lines)
        for n, party in enumerate(granted)
    ]
    last = max((one.at + one.for_s for one in faults), default=BEGIN_S)
    return Scenario(
        seed,
        Policy({REGISTRY: rules}, granted),
        expires_s=expires_s or rules.answer_timeout_s + rules.settle_s,
        strict=False,
        files=files,
        faults=faults,
        skews=dict.fromkeys(("w0", "w1", "s0", "s1", "gate"), 0) | (skews or {}),
        base_s=base_s,
        calm_s=max(last, BEGIN_S + 4) + 1,
    )


def _records(job: str, many: int, of_one: int) -> list[Record]:
    """So many records, `of_one` of each person."""
    return [
        Record(f"{job}.{n}.{order}", f"{job}.{n}", order, is_good=True)
        for n in range(many // of_one)
        for order in range(of_one)
    ]
