"""Reads from the ledger what a forecast starts from; the forecast itself reads nothing."""

from domain.quota import Usage
from ledger.protocols import Ledger
from planner.forecast import ForecastWorld
from scheduler.accounts import out_of_use, usable_accounts
from scheduler.brake import BrakeState
from scheduler.openings import ClockOffset


async def read_world(
    ledger: Ledger, registry: str, now: int, *, usage: Usage | None = None, brake_level: float = 1.0
) -> ForecastWorld | None:
    """Return what is known of one registry; None when no policy in force has it.

    `usage` (if the gate can be asked) tells how far the registrar's clock is off; `brake_level` how far the brake is released.
    """
    version = await ledger.policy(now)
    if version is None or registry not in version.policy.registries:
        return None
    unusable = out_of_use(await ledger.accounts(registry))
    usable = usable_accounts(version.policy, registry, unusable)
    holds = [hold for hold in await ledger.holds() if hold.registry == registry]
    return ForecastWorld(
        policy=version.policy,
        registry=registry,
        jobs=await ledger.open_jobs(registry, now),
        accounts={party: len(accounts) for party, accounts in usable.items()},
        held=any(hold.party is None for hold in holds),
        held_parties=frozenset(hold.party for hold in holds if hold.party is not None),
        brake=BrakeState(level=brake_level),
        clock=ClockOffset.measured(usage.signals, ClockOffset()) if usage else ClockOffset(),
    )
