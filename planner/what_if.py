"""What a change of policy would do to finish times, party by party; open hours are the policy's own reckoning.

Files that nobody has checked yet count as if each of their rows were a record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from domain.policy import Policy
from ledger.protocols import Ledger
from planner.forecast import ForecastWorld, forecast
from planner.world import RowsOf, unchecked_files
from scheduler.accounts import out_of_use, usable_accounts

#: finish times that differ by less than this part of the time to them are the same
SAME_WITHIN = 0.01


@dataclass(frozen=True, slots=True)
class FinishTimes:
    """When one party's open jobs at one registry would be done, before and after the change (None: not in sight)."""

    registry: str
    party: str
    before_at: int | None
    after_at: int | None


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Parties whose end would move, and how many files nobody has checked yet were counted, by how many rows."""

    finish: Sequence[FinishTimes] = ()
    unchecked_files: int = 0
    unchecked_rows: int = 0


async def finish_times(
    ledger: Ledger, before: Policy | None, after: Policy, rows_of: RowsOf, now: int
) -> WhatIf:
    """Return finish times of every party with open jobs that the change would touch. Reads the ledger, writes nothing."""
    told: list[FinishTimes] = []
    holds = await ledger.holds()
    if before is None:
        return WhatIf()
    files = rows = 0
    for registry in before.registries:
        unchecked = await unchecked_files(ledger, registry, rows_of, now)
        files += len(unchecked)
        rows += sum(job.pending for job in unchecked)
        unusable = out_of_use(await ledger.accounts(registry))
        world = ForecastWorld(
            policy=before,
            registry=registry,
            jobs=[*await ledger.open_jobs(registry, now), *unchecked],
            accounts={},
            held=any(hold.registry == registry and hold.party is None for hold in holds),
            held_parties=frozenset(h.party for h in holds if h.registry == registry and h.party is not None),
        )
        old = _ends(world, before, unusable, now)
        new = _ends(world, after, unusable, now)
        told += [
            FinishTimes(registry, party, old.get(party), new.get(party))
            for party in sorted({*old, *new})
            if _differ(old.get(party), new.get(party), now)
        ]
    return WhatIf(told, files, rows)


def _ends(
    world: ForecastWorld, policy: Policy, unusable: frozenset[str], now: int
) -> Mapping[str, int | None]:
    if world.registry not in policy.registries:
        return {}
    usable = usable_accounts(policy, world.registry, unusable)
    accounts = {party: len(of_party) for party, of_party in usable.items()}
    return forecast(replace(world, policy=policy, accounts=accounts), now).parties


def _differ(before: int | None, after: int | None, now: int) -> bool:
    if before is None or after is None:
        return before is not after
    return abs(after - before) > SAME_WITHIN * max(1, before - now)
