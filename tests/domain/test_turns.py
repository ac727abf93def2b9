"""Whose turn it is within one party."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from domain.jobs import JobBacklog
from domain.turns import AGEING_MS, order_jobs

NOW = 1_800_000_000_000
LARGE = JobBacklog("large", "P001", 0, NOW - 1000, None, 1_000_000, 0, 1_000_000)
SMALL = JobBacklog("small", "P001", 0, NOW, None, 100, 0, 100)


def names(*jobs: JobBacklog, now: int = NOW) -> list[str]:
    """The order, by name."""
    return [job.job for job in order_jobs(jobs, now)]


def test_small_jobs_go_first() -> None:
    """A hundred records do not wait behind a million."""
    assert names(LARGE, SMALL) == ["small", "large"]


def test_a_large_job_gets_its_turn_in_the_end() -> None:
    """Small files that keep coming do not starve it: what has waited long enough looks small."""
    later = NOW + 15 * AGEING_MS
    assert names(LARGE, replace(SMALL, submitted_at=later), now=later) == ["large", "small"]


def test_priority_goes_before_size_and_the_partys_own_deadline_before_size_too() -> None:
    """Priority first, then the earliest deadline, then size."""
    assert names(SMALL, replace(LARGE, priority=1)) == ["large", "small"]
    assert names(SMALL, replace(LARGE, deadline_at=NOW + 1)) == ["large", "small"]
    assert names(replace(SMALL, deadline_at=NOW + 2), replace(LARGE, deadline_at=NOW + 1)) == [
        "large",
        "small",
    ]


jobs = st.lists(
    st.builds(
        JobBacklog,
        job=st.text("abc", min_size=1, max_size=6),
        party=st.just("P001"),
        priority=st.integers(-2, 2),
        submitted_at=st.integers(NOW - 10**9, NOW),
        deadline_at=st.none() | st.integers(NOW, NOW + 10**9),
        pending=st.integers(0, 10**7),
        unknown=st.integers(0, 100),
        ready_lines=st.just(0),
    ),
    unique_by=lambda job: job.job,
)


@given(jobs, st.randoms())
def test_the_order_does_not_hang_on_the_order_of_asking(given_jobs: list[JobBacklog], dice: object) -> None:
    """The same jobs, shuffled, come out the same; none is lost."""
    shuffled = list(given_jobs)
    getattr(dice, "shuffle")(shuffled)  # noqa: B009 - hypothesis' Random has no public type
    assert order_jobs(shuffled, NOW) == order_jobs(given_jobs, NOW)
    assert len(order_jobs(shuffled, NOW)) == len(given_jobs)
