"""Whose turn it is within one party: priority, then the party's own deadlines, then small jobs first without starving the large."""

from collections.abc import Sequence

from domain.jobs import JobBacklog

#: a job's size counts half for every so long it has waited (ms): the largest gets its turn in the end
AGEING_MS = 600_000


def order_jobs(jobs: Sequence[JobBacklog], now: int) -> list[JobBacklog]:
    """Return the jobs in the order in which their slices should be claimed at `now`; pure, the forecast uses the same."""
    return sorted(jobs, key=lambda job: _rank(job, now))


def _rank(job: JobBacklog, now: int) -> tuple[int, float, float, int, str]:
    waited_ms = max(0, now - job.submitted_at)
    aged_size = (job.pending + job.unknown) * 0.5 ** min(60.0, waited_ms / AGEING_MS)
    deadline = float(job.deadline_at) if job.deadline_at is not None else float("inf")
    return (-job.priority, deadline, aged_size, job.submitted_at, job.job)
