"""When will it be done? Runs the scheduler's own `decide`, `brake` and `order_jobs` on a virtual clock, in strides.

A stride ends where something changes: somebody is done, a window opens or closes, the brake takes a step. With thousands of
parties, strides may pass over the few that end soonest and over a hundredth of the time gone by (five minutes at most), so that days
of work of 8,000 parties take seconds to foresee. Pure: no I/O, no clock of its own; knows nothing of faults to come.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain.jobs import JobBacklog
from domain.policy import Policy, RegistryRules
from domain.quota import Signals
from domain.turns import order_jobs
from domain.windows import Span
from scheduler.brake import STEP_MS, BrakeState, brake
from scheduler.decide import decide
from scheduler.openings import ClockOffset, Openings
from scheduler.snapshot import PartyView, RegistryView, Snapshot

#: nobody plans further ahead, in ms
HORIZON_MS = 400 * 86_400_000
#: a stride may pass over this part of the parties, those that are done soonest
PASS_OVER = 0.03
#: the shortest stride: this part of the time gone by, between so many ms and so many (shorter windows could be missed)
LEAST_PART, LEAST_MS, LEAST_AT_MOST_MS = 0.01, 100, 300_000
#: the longest stride, in ms: ends of windows are looked for only some weeks ahead
LONGEST_MS = 10 * 86_400_000
#: this many stretches of work are told of a party; later ones are joined to the last
MOST_SPANS = 60


@dataclass(frozen=True, slots=True)
class ForecastWorld:
    """What is known now of one registry. `accounts`: active ones of each party. `efficiency`: pace seen over pace planned, ≤ 1."""

    policy: Policy
    registry: str
    jobs: Sequence[JobBacklog]
    accounts: Mapping[str, int]
    held: bool = False
    held_parties: frozenset[str] = frozenset()
    brake: BrakeState = field(default_factory=BrakeState)
    clock: ClockOffset = field(default_factory=ClockOffset)
    efficiency: float = 1.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """When each job and each party will be done (None: not within the horizon), and the stretches in which a party sends."""

    jobs: Mapping[str, int | None]
    parties: Mapping[str, int | None]
    spans: Mapping[str, tuple[Span, ...]]


class _Work:
    """One party's work on its way to nothing."""

    def __init__(self, party: str, jobs: Sequence[JobBacklog]) -> None:
        self.party = party
        self.jobs = list(jobs)
        self.left: float = sum(job.pending + job.unknown for job in jobs)
        self.spans: list[Span] = []
        self._rest: dict[str, float] = {job.job: float(job.pending + job.unknown) for job in jobs}

    def send(self, rate: float, now: int, until: int, finish_at: dict[str, int | None]) -> None:
        """Send at `rate` from now until then, job by job in order."""
        amount = min(self.left, rate * (until - now) / 1000)
        if amount <= 0:
            return
        sent = 0.0
        if len(self.jobs) > 1:
            self.jobs = order_jobs(
                [replace(j, pending=math.ceil(self._rest[j.job]), unknown=0) for j in self.jobs], now
            )
        while self.jobs and sent + self._rest[self.jobs[0].job] <= amount + 1e-6:
            job = self.jobs.pop(0).job
            sent += self._rest.pop(job)
            finish_at[job] = now + math.ceil(1000 * sent / rate)
        if self.jobs and amount > sent:
            self._rest[self.jobs[0].job] -= amount - sent
        self.left = sum(self._rest.values()) if self.jobs else 0.0
        self._note(now, min(until, now + math.ceil(1000 * amount / rate)))

    def _note(self, from_at: int, to_at: int) -> None:
        if self.spans and (self.spans[-1].to_at >= from_at or len(self.spans) >= MOST_SPANS):
            self.spans[-1] = Span(self.spans[-1].from_at, to_at)
        else:
            self.spans.append(Span(from_at, to_at))


def forecast(world: ForecastWorld, now: int) -> Forecast:
    """Return when all will be done if nothing else happens."""
    rules = world.policy.registries[world.registry]
    openings = Openings(world.policy, world.registry)
    jobs: dict[str, list[JobBacklog]] = {}
    for job in world.jobs:
        jobs.setdefault(job.party, []).append(job)
    every = [_Work(party, waiting) for party, waiting in sorted(jobs.items())]
    finish_at: dict[str, int | None] = dict.fromkeys((job.job for job in world.jobs), None)
    for job in world.jobs:
        if job.pending + job.unknown <= 0:
            finish_at[job.job] = now
    going = [work for work in every if work.left > 0 and not world.held and _may_ever_send(world, work.party)]
    state, at = world.brake, now
    while going and at - now < HORIZON_MS:
        state = brake(rules.brake, state, Signals(pushbacks=state.pushbacks), at)
        following = _stride(world, rules, openings, going, state, at, _least_ms(at - now), finish_at)
        if following is None:
            break
        at = following
        going = [work for work in going if work.left > 1e-6]
    return Forecast(
        jobs=finish_at,
        parties={party: _last([finish_at[job.job] for job in of_party]) for party, of_party in jobs.items()},
        spans={work.party: tuple(work.spans) for work in every},
    )


def _least_ms(gone_ms: int) -> int:
    return min(LEAST_AT_MOST_MS, max(LEAST_MS, int(gone_ms * LEAST_PART)))


def _may_ever_send(world: ForecastWorld, party: str) -> bool:
    return (
        world.accounts.get(party, 0) > 0 and party not in world.held_parties and party in world.policy.parties
    )


def _last(ends: Sequence[int | None]) -> int | None:
    known = [end for end in ends if end is not None]
    return max(known, default=None) if len(known) == len(ends) else None


def _stride(
    world: ForecastWorld,
    rules: RegistryRules,
    openings: Openings,
    going: Sequence[_Work],
    state: BrakeState,
    at: int,
    least_ms: int,
    finish_at: dict[str, int | None],
) -> int | None:
    """Go to where something changes; returns when that is, None when nothing ever will."""
    open_ms = {work.party: openings.open_ms(work.party, world.clock, at) for work in going}
    edges = [edge for work in going if (edge := openings.edge_in_ms(work.party, world.clock, at)) is not None]
    busy = [work for work in going if open_ms[work.party] > 0]
    views = tuple(_view(world, rules, openings, work, open_ms[work.party], at) for work in busy)
    shares = decide(Snapshot(_view_registry(rules, state.level), views), at).shares if busy else {}
    rates = {party: share.rate * world.efficiency for party, share in shares.items() if share.rate > 0}
    ends = sorted(1000 * work.left / rates[work.party] for work in busy if work.party in rates)
    if ends:
        edges.append(math.ceil(ends[int(len(ends) * PASS_OVER)]))
    if rates and state.level < 1.0:
        edges.append(max(STEP_MS, state.frozen_until_at - at))
    if not edges:
        return None
    until = at + max(least_ms, min(*edges, LONGEST_MS))
    for work in busy:
        if work.party in rates:
            work.send(rates[work.party], at, min(until, at + open_ms[work.party]), finish_at)
    return until


def _view(
    world: ForecastWorld, rules: RegistryRules, openings: Openings, work: _Work, open_ms: int, at: int
) -> PartyView:
    limits = world.policy.parties[work.party].limits_of(rules.name)
    left = math.ceil(work.left)
    return PartyView(
        work.party,
        left,
        world.accounts[work.party],
        open_ms,
        pending=left,
        weight=limits.weight,
        floor=limits.floor,
        rate=limits.rate,
        burst=limits.burst,
        deadline_open_ms=openings.open_ms_before(work.party, rules.deadline_at, at),
    )


def _view_registry(rules: RegistryRules, level: float) -> RegistryView:
    return RegistryView(
        rules.name,
        rules.rate,
        rules.burst,
        rules.sessions,
        rules.account_rate,
        rules.account_burst,
        brake=level,
        is_fluid=True,
    )
