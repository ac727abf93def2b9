"""The judge is judged: each kind of broken promise is reported, and nothing else is."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registrar.judge import (
    LimitStep,
    SessionSpan,
    doubled_effects,
    outside_us,
    overlapping_sessions,
    scan_bucket,
)

S = 1_000_000_000


def by_definition(times: list[int], steps: list[LimitStep]) -> tuple[Fraction, int]:
    """Largest excess over all intervals, and how many arrivals end one over the limit: the slow way."""
    edges = [step.from_ns for step in steps[1:]]

    def may_arrive(start: int, end: int) -> Fraction:
        cuts = [start, *(edge for edge in edges if start < edge <= end), end]
        total = Fraction(0)
        for a, b in pairwise(cuts):
            rate = next(step.rate for step in reversed(steps) if step is steps[0] or step.from_ns <= a)
            total += Fraction(round((rate or 0) * 10**6), 10**6) * Fraction(b - a, S)
        return total

    worst, over = Fraction(0), 0
    for j, end in enumerate(times):
        step = next(step for step in reversed(steps) if step is steps[0] or step.from_ns <= end)
        burst = Fraction(round(step.burst * 10**6), 10**6) if step.rate else Fraction(0)
        excess = max(j - i + 1 - may_arrive(times[i], end) - burst for i in range(j + 1))
        over += excess > 0
        worst = max(worst, excess)
    return worst, over


RATES = st.sampled_from([0.0, 0.5, 1.0, 2.5, 20.0, 800.0])
BURSTS = st.sampled_from([0.0, 1.0, 2.0, 2.5, 5.0, 20.0])


@given(
    times=st.lists(st.integers(0, 5 * S), max_size=40).map(sorted),
    limits=st.lists(st.tuples(st.integers(1, 5 * S), RATES, BURSTS), max_size=3),
    first=st.tuples(RATES, BURSTS),
)
def test_one_pass_finds_what_the_definition_finds(
    times: list[int], limits: list[tuple[int, float, float]], first: tuple[float, float]
) -> None:
    """The O(n) scan and the O(n²) definition agree, also when the limit changes on the way."""
    steps = [LimitStep(0, *first), *(LimitStep(*limit) for limit in sorted(limits))]
    verdict = scan_bucket(times, steps)
    worst, over = by_definition(times, steps)
    assert (Fraction(verdict.max_excess).limit_denominator(10**15), verdict.over) == (
        Fraction(float(worst)).limit_denominator(10**15),
        over,
    )
    assert (verdict.offending > 0) == (over > 0)
    assert verdict.offending <= verdict.over


def test_a_sequence_at_exactly_the_limit_is_clean() -> None:
    """A burst and then one record every 50 ms is what 20 a second with a burst of 20 allows."""
    times = [0] * 20 + [n * S // 20 for n in range(1, 101)]
    assert scan_bucket(times, [LimitStep(0, 20, 20)]).over == 0


@pytest.mark.parametrize("place", [0, 30, 119])
def test_one_record_too_many_is_found(place: int) -> None:
    """One record more than the limit, anywhere, is one offence with an excess of one record."""
    times = [0] * 20 + [n * S // 20 for n in range(1, 101)]
    verdict = scan_bucket(sorted([*times, times[place]]), [LimitStep(0, 20, 20)])
    assert (verdict.offending, verdict.max_excess) == (1, 1.0)


def test_a_nanosecond_early_is_found() -> None:
    """There is no allowance: a record that comes 1 ns before its token is an offence."""
    times = [0, S // 20 - 1]
    assert scan_bucket(times, [LimitStep(0, 20, 1)]).offending == 1
    assert scan_bucket([0, S // 20], [LimitStep(0, 20, 1)]).offending == 0


def test_a_rate_of_zero_lets_nothing_in() -> None:
    """Zero means closed, whatever the burst says."""
    assert scan_bucket([5], [LimitStep(0, 0, 100)]).offending == 1


def test_no_limit_is_never_broken_and_forgives_what_was_before() -> None:
    """Without a limit nothing is over; what came before does not count afterwards."""
    steps = [LimitStep(0, 1, 1), LimitStep(10, None), LimitStep(20, 1, 1)]
    assert scan_bucket([0, 11, 11, 11, 12, 20], steps).over == 0


def test_a_second_session_over_the_accounts_is_found() -> None:
    """Two sessions where one is allowed are an overlap; one straight after the other are none."""
    assert overlapping_sessions([SessionSpan(0, 10, 1), SessionSpan(9, 20, 1)]).over == 1
    assert overlapping_sessions([SessionSpan(0, 10, 1), SessionSpan(10, 20, 1)]).over == 0
    assert overlapping_sessions([SessionSpan(0, None, 2), SessionSpan(5, None, 2)]).most == 2


def test_sessions_are_judged_by_what_was_allowed_when_they_began() -> None:
    """An account that is withdrawn later does not make earlier sessions too many."""
    assert (
        overlapping_sessions([SessionSpan(0, 9, 2), SessionSpan(1, 9, 2), SessionSpan(10, 12, 1)]).over == 0
    )


def test_a_session_that_ended_as_it_began_was_never_open() -> None:
    """A session of no length overlaps nothing."""
    assert overlapping_sessions([SessionSpan(0, None, 1), SessionSpan(5, 5, 1)]).over == 0


def test_a_record_one_millisecond_late_is_found() -> None:
    """The last microsecond of a window is inside, its end is outside, 1 ms later is 1 ms late."""
    spans = [(1_000_000, 2_000_000)]
    assert outside_us(1_999_999, spans) is None
    assert outside_us(2_000_000, spans) == 0
    assert outside_us(2_001_000, spans) == 1_000


def test_a_record_before_the_beginning_is_early_and_not_late() -> None:
    """The nearest edge tells: just before an opening is early, just after a closing is late."""
    spans = [(1_000, 2_000), (9_000, 10_000)]
    assert [outside_us(at, spans) for at in (999, 1_000, 2_100, 8_900, 12_000)] == [
        -1,
        None,
        100,
        -100,
        2_000,
    ]
    assert outside_us(5, []) == 0


def test_a_doubled_effect_is_found() -> None:
    """A natural key with two effects is counted and named."""
    verdict = doubled_effects({"a": 1, "b": 2, "c": 1})
    assert (verdict.exactly_one, verdict.more, verdict.doubled) == (2, 1, ("b",))
