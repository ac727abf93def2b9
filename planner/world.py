"""Reads from the ledger what a forecast starts from; the forecast itself reads nothing."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from domain.jobs import Job, JobBacklog
from domain.policy import Policy
from domain.quota import Usage
from domain.states import JobState
from ledger.protocols import Ledger
from planner.forecast import ForecastWorld
from scheduler.accounts import out_of_use, usable_accounts
from scheduler.brake import BrakeState
from scheduler.openings import ClockOffset

#: files are checked at this pace (rows a second), one after another; each needs so long before its first row, in ms
CHECK_ROWS_A_SECOND, CHECK_STARTS_MS = 50_000, 1_500

#: says how many rows a file has that nobody has checked yet; 0 where that cannot be told
RowsOf = Callable[[Job], Awaitable[int]]

_UNCHECKED = frozenset({JobState.RECEIVED, JobState.CHECKING})
#: no more files than this are looked at
_MOST_FILES = 100_000


async def read_world(
    ledger: Ledger,
    registry: str,
    now: int,
    *,
    usage: Usage | None = None,
    brake_level: float = 1.0,
    rows_of: RowsOf | None = None,
) -> ForecastWorld | None:
    """Return what is known of one registry; None when no policy in force has it.

    `usage` (if the gate can be asked) tells who sends now, what stands in the registry's bucket, how fast it answers and how far its
    clock is off; `brake_level` how far the brake is released. `rows_of` tells the rows of files that nobody has checked yet: without it
    they take their time and bring nothing.
    """
    version = await ledger.policy(now)
    if version is None or registry not in version.policy.registries:
        return None
    policy = version.policy
    unusable = out_of_use(await ledger.accounts(registry))
    usable = usable_accounts(policy, registry, unusable)
    holds = [hold for hold in await ledger.holds() if hold.registry == registry]
    jobs = await ledger.open_jobs(registry, now)
    world = ForecastWorld(
        policy=policy,
        registry=registry,
        jobs=[*jobs, *await unchecked_files(ledger, registry, rows_of, now)],
        accounts={party: len(accounts) for party, accounts in usable.items()},
        held=any(hold.party is None for hold in holds),
        held_parties=frozenset(hold.party for hold in holds if hold.party is not None),
        brake=BrakeState(level=brake_level),
    )
    return world if usage is None else as_used(world, usage)


def as_used(world: ForecastWorld, usage: Usage) -> ForecastWorld:
    """Return the world with what the gate says of it."""
    rules, signals = world.policy.registries[world.registry], usage.signals
    live = Counter(session.party for session in usage.sessions if not session.quarantined)
    sending = {
        party: min(usage.parties[party].share if party in usage.parties else 0.0, count * rules.account_rate)
        for party, count in live.items()
    }
    return replace(
        world,
        accounts=_of_use(world.jobs, world.accounts, live),
        clock=ClockOffset.measured(signals, ClockOffset()),
        sending=sending,
        available=usage.standing,
        latency_ms=signals.latency_ms_sum / signals.answers if signals.answers else 0.0,
        tells_closed=bool(signals.load_state) and _is_alone(world.policy, world.registry),
    )


async def unchecked_files(
    ledger: Ledger, registry: str, rows_of: RowsOf | None, now: int
) -> list[JobBacklog]:
    """Return files that are still to be checked as jobs that come when that is done, with as many records as they have rows."""
    found: list[JobBacklog] = []
    at = now
    for job in sorted(await ledger.jobs(states=_UNCHECKED, limit=_MOST_FILES), key=_taken_in):
        rows = 0 if rows_of is None else await rows_of(job)
        at += CHECK_STARTS_MS + round(1000 * rows / CHECK_ROWS_A_SECOND)
        if job.registry == registry:
            found.append(
                JobBacklog(
                    job.job, job.party, job.priority, job.submitted_at, job.deadline_at, rows, 0, 0, at
                )
            )
    return found


def _taken_in(job: Job) -> int:
    return job.submitted_at


def _of_use(
    jobs: Sequence[JobBacklog], accounts: Mapping[str, int], live: Mapping[str, int]
) -> Mapping[str, int]:
    """Where all that is left of a party lies in its sessions' hands, its other accounts have nothing to do any more."""
    waiting = {job.party for job in jobs if job.ready_lines > 0 or job.next_due_at is not None}
    return {
        party: count if party in waiting or not live.get(party) else min(count, live[party])
        for party, count in accounts.items()
    }


def _is_alone(policy: Policy, registry: str) -> bool:
    """A load page tells of all registries of one endpoint together."""
    endpoint = policy.registries[registry].endpoint
    return sum(rules.endpoint == endpoint for rules in policy.registries.values()) == 1
