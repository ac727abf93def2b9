"""Looks ahead for jobs and parties: one forecast a registry for them all, which stands for some seconds.

Nothing is promised while nothing runs: then there is no forecast.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from domain.jobs import Job
from domain.policy import Policy
from domain.quota import Usage
from domain.states import JobState
from domain.windows import WindowState, window_state
from planner.forecast import HORIZON_MS
from planner.kept import Foreseen, KeptForecasts
from pratunam.gate import usage_of
from pratunam.outlook import Outlook, timezone_of
from pratunam.parts import Parts
from pratunam.running import redis_address
from pratunam.status import PartyStatus, Status
from pratunam.unchecked import RowsWaiting

#: jobs that have an outlook
AT_WORK = frozenset({JobState.QUEUED, JobState.RUNNING, JobState.CANCELLING})


class Outlooks:
    """What lies ahead, by the policy in force; thousands of jobs may be asked about."""

    def __init__(self, parts: Parts) -> None:
        """Look at this installation."""
        self._parts = parts
        self._forecasts = KeptForecasts(parts.ledger, parts.clock, self._usage, RowsWaiting(parts))
        self._policy: Policy | None = None

    async def of_job(self, job: Job) -> Outlook:
        """Look ahead for one job; only those at work have an end in sight."""
        found = await self._foreseen(job.registry)
        finish_at = found.forecast.jobs.get(job.job) if found and job.state in AT_WORK else None
        return await self._outlook(job.registry, job.party, found, finish_at)

    async def of_party(self, registry: str, party: str) -> Outlook:
        """Look ahead for all that a party has waiting at one registry."""
        found = await self._foreseen(registry)
        finish_at = found.forecast.parties.get(party) if found else None
        return await self._outlook(registry, party, found, finish_at)

    @property
    def is_running(self) -> bool:
        """Say whether anything runs on this home."""
        return redis_address(self._parts.settings) is not None

    async def _foreseen(self, registry: str) -> Foreseen | None:
        return await self._forecasts.of(registry) if self.is_running else None

    async def _usage(self, registry: str) -> Usage | None:
        return await usage_of(self._parts.settings, registry)

    async def _outlook(
        self, registry: str, party: str, found: Foreseen | None, finish_at: int | None
    ) -> Outlook:
        policy = found.policy if found else await self._policy_in_force()
        usage = found.usage if found else None
        window = _window(policy, registry, party, self._parts.clock.now() + _clock_offset_ms(usage))
        if finish_at is not None and not window.is_open and window.until_at is not None:
            finish_at = max(finish_at, window.until_at)
        return Outlook(
            finish_at=finish_at,
            window=window,
            timezone=timezone_of(policy, registry),
            running=self.is_running,
            share=_pace(policy, registry, party, usage),
        )

    async def _policy_in_force(self) -> Policy:
        self._policy = self._policy or await self._parts.policy()
        return self._policy


async def with_outlooks(status: Status, outlooks: Outlooks) -> Status:
    """Return a status that says of each party with a backlog when that will be done."""

    async def told(party: str, each: PartyStatus) -> PartyStatus:
        also = tuple([await told(party, other) for other in each.also])
        outlook = await outlooks.of_party(each.registry, party) if each.backlog else None
        return replace(each, outlook=outlook, also=also)

    parties = {party: await told(party, each) for party, each in status.parties.items()}
    return replace(status, parties=parties)


async def of_jobs(outlooks: Outlooks, jobs: Sequence[Job]) -> Mapping[str, Outlook]:
    """Look ahead for those jobs that are at work."""
    return {job.job: await outlooks.of_job(job) for job in jobs if job.state in AT_WORK}


def _clock_offset_ms(usage: Usage | None) -> int:
    """How far the registrar's clock, by which windows are kept, is ahead of ours."""
    return (usage.signals.clock_offset_ms if usage else None) or 0


def _pace(policy: Policy, registry: str, party: str, usage: Usage | None) -> float | None:
    """A party's share, as far as its sessions bear it: a share beyond that is not sent."""
    rules = policy.registries.get(registry)
    if usage is None or rules is None or party not in usage.parties:
        return None
    sitting = sum(each.party == party and not each.quarantined for each in usage.sessions)
    return min(usage.parties[party].share, sitting * rules.account_rate)


def _window(policy: Policy, registry: str, party: str, now: int) -> WindowState:
    rules = policy.registries.get(registry)
    if rules is None or party not in policy.parties:
        return WindowState(is_open=False, until_at=None)
    return window_state(policy.windows_of(registry, party), rules.closed, rules.timezone, now, HORIZON_MS)
