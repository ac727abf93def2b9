"""The registrar's buckets are exact."""

from hypothesis import given
from hypothesis import strategies as st

from registrar.judge import scan_bucket
from registrar.limits import Limit

MS = 1_000_000


def test_a_burst_fits_and_the_next_must_wait_for_its_token() -> None:
    """At 20 a second the 21st record of a burst of 20 waits 50 ms, to the nanosecond."""
    limit = Limit(20, 20)
    for _ in range(20):
        assert limit.wait_ns(1, 0) == 0
        limit.spend(1)
    assert limit.wait_ns(1, 0) == 50 * MS
    assert limit.wait_ns(1, 50 * MS - 1) == 1
    assert limit.wait_ns(1, 50 * MS) == 0


def test_a_burst_may_be_worth_a_quarter_of_a_second() -> None:
    """Without a burst of its own the limit's burst is its rate times the registry's burst_s."""
    assert Limit(20, None, 0.25).burst == 5


def test_zero_is_closed_and_none_is_no_limit() -> None:
    """A rate of zero never lets one in; no rate lets all in."""
    assert Limit(0, 10).wait_ns(1, 0) > 0
    assert Limit(None, None).wait_ns(10**6, 0) == 0


@given(st.lists(st.integers(0, 3_000_000_000), max_size=60).map(sorted))
def test_what_the_bucket_lets_in_is_never_over_its_limit(times: list[int]) -> None:
    """The judge finds nothing in what the bucket took, and the bucket refuses no more than the judge would."""
    limit = Limit(5, 3)
    taken = []
    for at_ns in times:
        if limit.wait_ns(1, at_ns) == 0:
            limit.spend(1)
            taken.append(at_ns)
    assert scan_bucket(taken, limit.steps).over == 0
    assert scan_bucket(times, limit.steps).offending == len(times) - len(taken)


def test_a_change_is_a_step_for_the_judge() -> None:
    """The history of a limit says from when on each rate held."""
    limit = Limit(5, 3)
    limit.change(1, 1, 1.0, 700)
    assert [(step.from_ns, step.rate, step.burst) for step in limit.steps] == [(0, 5, 3), (700, 1, 1)]
    limit.forget_before(900)
    assert [(step.from_ns, step.rate) for step in limit.steps] == [(0, 1)]
