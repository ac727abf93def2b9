"""When will it be done? Runs the scheduler's own `decide`, `brake` and `order_jobs` on a virtual clock, in strides.

A stride ends where something changes: somebody is done, a window opens or closes, the brake takes a step. With thousands of
parties, strides may pass over the few that end soonest and over a hundredth of the time gone by (five minutes at most), so that days
of work of 8,000 parties take seconds to foresee. What stands in buckets and is gone in a moment, what a session needs to begin,
and how a job's last slices end, counts too (`work`). Pure: no I/O, no clock of its own; knows nothing of faults to come.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain.jobs import JobBacklog
from domain.policy import Policy, RegistryRules
from domain.quota import Signals
from domain.windows import Span
from planner.work import LAST_MS, NOTHING, START_MS, Work
from scheduler.brake import JUDGE_MS, STEP_MS, BrakeState, brake
from scheduler.decide import SPREAD_S, decide
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
#: what stands in the buckets is given out over so long, in ms; in later strides, which are longer, it no longer counts
SPREAD_MS = round(SPREAD_S * 1000)
#: beside the registrar's latency, so long is a permit out, in s: a tick of the pacer before the record leaves, one after its answer
OUT_S = 0.04
#: a registrar's load page is asked every 2 s and told every second: after so long the brake knows what it says, in ms
CLOSED_HEARD_MS = 1_500
#: between the last record of one turn and the first of the next, in s: answers, log-out, a round of the scheduler, ring and log-in
TURN_GAP_S = 0.3


@dataclass(frozen=True, slots=True)
class ForecastWorld:
    """What is known now of one registry. `accounts`: active ones of each party, of which it can use so many.

    `sending`: the pace (records a second) of each party that has sessions now. `available`: what stands in the registry's bucket;
    None: the gate was not asked, and what stands anywhere does not count. `latency_ms`: from a record to its answer.
    `tells_closed`: its load page says "closed" while nobody's window is open.
    """

    policy: Policy
    registry: str
    jobs: Sequence[JobBacklog]
    accounts: Mapping[str, int]
    held: bool = False
    held_parties: frozenset[str] = frozenset()
    brake: BrakeState = field(default_factory=BrakeState)
    clock: ClockOffset = field(default_factory=ClockOffset)
    sending: Mapping[str, float] = field(default_factory=dict)
    available: float | None = None
    latency_ms: float = 0.0
    tells_closed: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """When each job and each party will be done (None: not within the horizon), and the stretches in which a party sends."""

    jobs: Mapping[str, int | None]
    parties: Mapping[str, int | None]
    spans: Mapping[str, tuple[Span, ...]]


def forecast(world: ForecastWorld, now: int) -> Forecast:
    """Return when all will be done if nothing else happens."""
    jobs: dict[str, list[JobBacklog]] = {}
    for job in world.jobs:
        jobs.setdefault(job.party, []).append(job)
    plan = _Plan(world, jobs, now)
    plan.run()
    return Forecast(
        jobs=plan.finish_at,
        parties={
            party: _last([plan.finish_at[job.job] for job in of_party]) for party, of_party in jobs.items()
        },
        spans={work.party: tuple(work.spans) for work in plan.every},
    )


def _last(ends: Sequence[int | None]) -> int | None:
    known = [end for end in ends if end is not None]
    return max(known, default=None) if len(known) == len(ends) else None


class _Plan:
    """One forecast under way: where everything stands at `at`."""

    def __init__(self, world: ForecastWorld, jobs: Mapping[str, Sequence[JobBacklog]], now: int) -> None:
        self._world = world
        self._rules = _reachable(world.policy.registries[world.registry], world.latency_ms)
        self._openings = Openings(world.policy, world.registry)
        self._brake = world.brake
        self._available = max(0.0, world.available or 0.0)
        self._began_at = self._at = now
        self.finish_at: dict[str, int | None] = {
            job.job: now if job.pending + job.unknown <= 0 else None for job in world.jobs
        }
        self.every = [
            Work(party, waiting, now, world.sending.get(party)) for party, waiting in sorted(jobs.items())
        ]
        for work in self.every:
            # Accounts that could send faster than they do have full buckets.
            count = world.accounts.get(work.party, 0)
            if world.sending.get(work.party, 0.0) < 0.9 * count * self._rules.account_rate:
                work.standing = float(count * self._rules.account_burst)
        self._going = [work for work in self.every if self._may_ever_send(work)]

    def run(self) -> None:
        """Go from change to change until all are done, or nothing ever changes again."""
        while self._going and self._at - self._began_at < HORIZON_MS:
            signals = Signals(pushbacks=self._brake.pushbacks)
            self._brake = brake(self._rules.brake, self._brake, signals, self._at)
            if not self._stride():
                break
            self._going = [work for work in self._going if work.left > NOTHING]

    def _may_ever_send(self, work: Work) -> bool:
        world, party = self._world, work.party
        is_free = not world.held and party not in world.held_parties and party in world.policy.parties
        return is_free and work.left > 0 and world.accounts.get(party, 0) > 0

    def _stride(self) -> bool:
        """Go to where something changes; False when nothing ever will."""
        at, clock, openings = self._at, self._world.clock, self._openings
        least_ms = self._least_ms()
        open_ms = {work.party: openings.open_ms(work.party, clock, at) for work in self._going}
        busy = [work for work in self._going if open_ms[work.party] > 0 and work.ready(at) > NOTHING]
        # What stands anywhere is given out in a hurry, and only a stride as short as that may count on it.
        may_hurry = least_ms <= SPREAD_MS and self._has_standing(busy)
        rates = self._rates(busy, open_ms, is_hurried=may_hurry and self._available >= 1)
        edges = [
            edge for work in self._going if (edge := openings.edge_in_ms(work.party, clock, at)) is not None
        ]
        edges += [due for work in self._going if (due := work.due_in_ms(at)) is not None]
        edges += self._ends(busy, rates, may_hurry=may_hurry)
        if not edges:
            return False
        until = at + max(least_ms, min(*edges, LONGEST_MS))
        sent = 0.0
        for work in self._going:
            sent += self._send(work, rates.get(work.party, 0.0), min(until, at + open_ms[work.party]), until)
        level = self._available + self._rules.rate * self._brake.level * (until - at) / 1000 - sent
        self._available = min(float(self._rules.burst), max(0.0, level))
        if self._is_closed_to_all():
            self._pass_closed(at + CLOSED_HEARD_MS, until)
        self._at = until
        return True

    def _has_standing(self, busy: Sequence[Work]) -> bool:
        is_known = self._world.available is not None and len(busy) <= self._rules.sessions
        return is_known and any(work.standing >= 1 for work in busy)

    def _least_ms(self) -> int:
        gone_ms = self._at - self._began_at
        return min(LEAST_AT_MOST_MS, max(LEAST_MS, int(gone_ms * LEAST_PART)))

    def _rates(
        self, busy: Sequence[Work], open_ms: Mapping[str, int], *, is_hurried: bool
    ) -> dict[str, float]:
        if not busy:
            return {}
        views = tuple(self._view(work, open_ms[work.party], is_hurried=is_hurried) for work in busy)
        available = self._available if is_hurried else 0.0
        rules = in_turns(self._rules, len(busy))
        shares = decide(Snapshot(self._view_registry(rules, available), views), self._at).shares
        return {party: share.rate for party, share in shares.items() if share.rate > 0}

    def _ends(self, busy: Sequence[Work], rates: Mapping[str, float], *, may_hurry: bool) -> list[int]:
        """What ends the stride beside windows, in ms from now: water that is gone or gathers, somebody who is done, a step of the brake."""
        if not rates:
            return []
        gathers = sum(rates.values()) < self._rules.rate * self._brake.level
        edges = [SPREAD_MS] if may_hurry and (self._available >= 1 or gathers) else []
        ends = sorted(
            1000 * work.ready(self._at) / rates[work.party] + work.starts_in_ms(self._at)
            for work in busy
            if work.party in rates
        )
        edges.append(math.ceil(ends[int(len(ends) * PASS_OVER)]))
        if self._brake.level < 1.0:
            edges.append(max(STEP_MS, self._brake.frozen_until_at - self._at))
        return edges

    def _send(self, work: Work, rate: float, until: int, stride_to: int) -> float:
        rules, accounts = self._rules, self._world.accounts[work.party]
        sent, idle_ms = 0.0, stride_to - self._at
        if rate > 0:
            idle_ms = min(idle_ms, work.starts_in_ms(self._at))
            sent, ended = work.send(rate, self._at, until)
            for job, at in ended:
                tail_ms = work.tail_ms(job, at, accounts, rules.account_rate)
                self.finish_at[job] = self._in_open_time(work.party, at, tail_ms)
        else:
            work.rest()
        most, refill = float(accounts * rules.account_burst), accounts * rules.account_rate / 1000
        standing = min(most, work.standing + refill * idle_ms)  # a full bucket does not refill
        standing += refill * (stride_to - self._at - idle_ms) - sent
        work.standing = min(most, max(0.0, standing))
        return sent

    def _in_open_time(self, party: str, at: int, left_ms: int) -> int | None:
        """Return when so much open time has passed from `at` on, and the last answer has come; None when it never does."""
        clock, openings = self._world.clock, self._openings
        while (open_ms := openings.open_ms(party, clock, at)) < left_ms:
            edge_ms = openings.edge_in_ms(party, clock, at)
            if edge_ms is None or at - self._began_at > HORIZON_MS:
                return None
            left_ms += START_MS if open_ms == 0 else -open_ms
            at += edge_ms
        return at + left_ms + LAST_MS + round(self._world.latency_ms)

    def _is_closed_to_all(self) -> bool:
        at = self._at + self._world.clock.offset_ms
        return self._world.tells_closed and not any(
            self._openings.state(work.party, at).is_open for work in self._going
        )

    def _pass_closed(self, from_at: int, to_at: int) -> None:
        """While nobody's window is open the registrar's load page says so, and the brake hears it."""
        closed = Signals(pushbacks=self._brake.pushbacks, load_state="closed")
        level: float | None = None
        while from_at < to_at and level != self._brake.level:
            level = self._brake.level
            self._brake = brake(self._rules.brake, self._brake, closed, from_at)
            from_at += JUDGE_MS
        if level is not None:
            self._brake = brake(self._rules.brake, self._brake, closed, to_at - 1)

    def _view(self, work: Work, open_ms: int, *, is_hurried: bool) -> PartyView:
        world, rules = self._world, self._rules
        limits = world.policy.parties[work.party].limits_of(rules.name)
        return PartyView(
            work.party,
            math.ceil(work.ready(self._at)),
            world.accounts[work.party],
            open_ms,
            pending=math.ceil(work.left),
            weight=limits.weight,
            floor=limits.floor,
            rate=limits.rate,
            burst=limits.burst,
            standing=work.standing if is_hurried else 0.0,
            deadline_open_ms=self._openings.open_ms_before(work.party, rules.deadline_at, self._at),
        )

    def _view_registry(self, rules: RegistryRules, available: float) -> RegistryView:
        return RegistryView(
            rules.name,
            rules.rate,
            rules.burst,
            rules.sessions,
            rules.account_rate,
            rules.account_burst,
            brake=self._brake.level,
            available=available,
            is_fluid=True,
        )


def in_turns(rules: RegistryRules, parties: int) -> RegistryRules:
    """Return the rules at the pace of a seat where parties outnumber sessions and take turns.

    Whoever waits finds its account's bucket filled up, and between two turns nobody sits.
    """
    turn_s = rules.turn_s
    if parties <= rules.sessions or rules.sessions <= 0 or turn_s <= 0:
        return rules
    seat_s = turn_s + TURN_GAP_S
    waits_s = seat_s * parties / rules.sessions - turn_s
    a_turn = rules.account_rate * turn_s + min(rules.account_burst, rules.account_rate * waits_s)
    return replace(rules, account_rate=a_turn / seat_s)


def _reachable(rules: RegistryRules, latency_ms: float) -> RegistryRules:
    """Return the rules at the pace that answers leave.

    What is out stays reserved, and a full bucket does not refill: no bucket gives more than its burst in the time that one
    permit takes to go out, come back, and fill up again.
    """

    def within(rate: float, burst: int) -> float:
        return min(rate, max(1, burst) / (latency_ms / 1000 + OUT_S + 1 / rate)) if rate > 0 else rate

    return replace(
        rules,
        rate=within(rules.rate, rules.burst),
        account_rate=within(rules.account_rate, rules.account_burst),
    )
