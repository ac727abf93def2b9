"""One party's work on its way to nothing: jobs in their order, sessions that take their time, and the last slices.

Knows nothing of other parties, nor of policy: whoever plans says at which pace, from when to when. Pure.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from domain.jobs import JobBacklog
from domain.slices import SLICE_S, lines_of_a_slice
from domain.turns import order_jobs
from domain.windows import Span

#: from the moment a party may send to its first record, in ms: half a round of the scheduler, ring, lease, log-in and first claim
START_MS = 200
#: from a job's last record to its end, in ms: the answer's way, the settler's next look and its commit
LAST_MS = 100
#: how long an outcome waits on average until the ledger knows of it, in s: half a second for others of its slice, and the settler's looks
SETTLED_AFTER_S = 0.7
#: less than this is no record
NOTHING = 1e-6
#: this many stretches of work are told of a party; later ones are joined to the last
MOST_SPANS = 60


class Work:
    """What one party has left. `sending`: the pace at which it sends now (records a second); None: it has no session yet."""

    def __init__(self, party: str, jobs: Sequence[JobBacklog], now: int, sending: float | None) -> None:
        """Begin with what the ledger says, less what has been answered without its knowing yet."""
        self.party = party
        self.spans: list[Span] = []
        #: what stands in its accounts' buckets
        self.standing = 0.0
        #: at which pace, and since when, it sends now, and at which it did before
        self._pace, self._pace_since, self._pace_before = 0.0, now, 0.0
        self._starts_at = None if sending is None else now
        self._jobs = order_jobs(jobs, now)
        self._rest = {job.job: float(job.pending + job.unknown) for job in jobs}
        self._rows = dict(self._rest)
        self._due_at = {job.job: _due_at(job, now) for job in jobs}
        self._deduct((sending or 0.0) * SETTLED_AFTER_S)

    @property
    def left(self) -> float:
        """Return how many records are left."""
        return sum(self._rest.values())

    def ready(self, now: int) -> float:
        """Return how many of them could be sent at `now`."""
        return sum(rest for job, rest in self._rest.items() if self._due_at[job] <= now)

    def due_in_ms(self, now: int) -> int | None:
        """Return in how many ms more of it can be sent; None when all that there is can be sent now."""
        return min(
            (at - now for job, at in self._due_at.items() if at > now and job in self._rest), default=None
        )

    def starts_in_ms(self, now: int) -> int:
        """Return in how many ms its sessions could send if they were wanted at `now`."""
        return START_MS if self._starts_at is None else max(0, self._starts_at - now)

    def rest(self) -> None:
        """It may not send: its sessions end."""
        self._starts_at = None
        self._pace = self._pace_before = 0.0

    def send(self, rate: float, now: int, until: int) -> tuple[float, list[tuple[str, int]]]:
        """Send at `rate` from now (or when its sessions stand) until then; returns how many, and which jobs' last ones left when."""
        self._starts_at = now + START_MS if self._starts_at is None else self._starts_at
        now = max(now, self._starts_at)
        self._pace, self._pace_since, self._pace_before = rate, now, self._pace
        amount = min(self.ready(now), rate * max(0, until - now) / 1000)
        if amount <= 0:
            return 0.0, []
        sent = 0.0
        ended: list[tuple[str, int]] = []
        for job in self._in_order(now):
            part = min(self._rest[job], amount - sent)
            sent += part
            if part < self._rest[job] - NOTHING:
                self._rest[job] -= part
                break
            del self._rest[job]
            ended.append((job, now + math.ceil(1000 * sent / rate)))
        if ended:
            self._jobs = [job for job in self._jobs if job.job in self._rest]
        self._note(now, min(until, now + math.ceil(1000 * amount / rate)))
        return sent, ended

    def tail_ms(self, job: str, ended_at: int, accounts: int, account_rate: float) -> int:
        """Return how much later than evenly a job ends: each account works off its last slice alone, and they do not end together.

        Nothing is lost where the party's pace is no more than one account's, since those that go on take it over. The pace is that at
        which the last slices began: one record left over is sent at none to speak of.
        """
        has_just_begun = ended_at - self._pace_since < 1000 * SLICE_S
        rate = max(self._pace, self._pace_before) if has_just_begun else self._pace
        wanted = rate / account_rate if account_rate > 0 else 1.0
        if wanted <= 1:
            return 0
        lines = lines_of_a_slice(account_rate, int(self._rows[job]), accounts)
        return round(1000 * lines / account_rate * (1 - 1 / wanted) / 2)

    def _deduct(self, count: float) -> None:
        for job in self._jobs:
            part = min(count, self._rest[job.job])
            self._rest[job.job] -= part
            count -= part

    def _in_order(self, now: int) -> list[str]:
        if len(self._jobs) > 1:
            left = [replace(job, pending=math.ceil(self._rest[job.job]), unknown=0) for job in self._jobs]
            self._jobs = order_jobs(left, now)
        return [job.job for job in self._jobs if self._due_at[job.job] <= now]

    def _note(self, from_at: int, to_at: int) -> None:
        if self.spans and (self.spans[-1].to_at >= from_at or len(self.spans) >= MOST_SPANS):
            self.spans[-1] = Span(self.spans[-1].from_at, to_at)
        else:
            self.spans.append(Span(from_at, to_at))


def _due_at(job: JobBacklog, now: int) -> int:
    """A job of which nothing is ready waits for its time, where it has one."""
    return job.next_due_at if job.next_due_at is not None and job.ready_lines <= 0 else now
