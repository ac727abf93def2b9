"""Water-filling: rows of claims and what each should get, and what must hold for any."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.sharing import lows_with_deadlines, share_out

ROWS = [
    # capacity, weights, lows, highs, what each should get
    (100, [1, 1], [0, 0], [1000, 1000], [50, 50]),
    (100, [3, 1], [0, 0], [1000, 1000], [75, 25]),
    (100, [1, 1, 1], [0, 0, 0], [10, 1000, 1000], [10, 45, 45]),
    (100, [1, 1], [80, 0], [1000, 1000], [80, 20]),
    (100, [1, 1], [40, 0], [1000, 1000], [50, 50]),
    (100, [1, 1], [150, 50], [1000, 1000], [75, 25]),
    (100, [1, 1], [0, 0], [30, 20], [30, 20]),
    (100, [0, 1], [0, 0], [1000, 60], [40, 60]),
    (100, [0, 1], [10, 0], [1000, 1000], [10, 90]),
    (0, [1, 1], [0, 0], [10, 10], [0, 0]),
    (100, [], [], [], []),
]


@pytest.mark.parametrize(("capacity", "weights", "lows", "highs", "gets"), ROWS)
def test_each_gets_what_the_row_says(
    capacity: float, weights: list[float], lows: list[float], highs: list[float], gets: list[float]
) -> None:
    """Small cases, reckoned by hand."""
    assert share_out(capacity, weights, lows, highs) == pytest.approx(gets)


claims = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.5, 1.0, 2.0, 7.0]),
        st.floats(0, 100),
        st.floats(0, 100),
    ).map(lambda claim: (claim[0], min(claim[1:]), max(claim[1:]))),
    max_size=15,
)


@given(st.floats(0, 800), claims)
def test_nothing_is_left_while_anyone_can_use_more_and_nobody_with_less_could_have_had_it(
    capacity: float, given_claims: list[tuple[float, float, float]]
) -> None:
    """The definition of weighted max-min with bounds."""
    weights, lows, highs = ([claim[i] for claim in given_claims] for i in range(3))
    got = share_out(capacity, weights, lows, highs)
    assert sum(got) == pytest.approx(min(capacity, sum(highs)), abs=1e-6)
    assert all(-1e-9 <= amount <= high + 1e-9 for amount, high in zip(got, highs, strict=True))
    if sum(lows) <= capacity:
        assert all(amount >= low - 1e-9 for amount, low in zip(got, lows, strict=True))
        level = [a / w if w > 0 else math.inf for a, w in zip(got, weights, strict=True)]
        for taker in range(len(got)):
            for giver in range(len(got)):
                can_take = got[taker] < highs[taker] - 1e-6 and weights[taker] > 0
                can_give = got[giver] > lows[giver] + 1e-6 and weights[giver] > 0
                if can_take and can_give:
                    assert level[giver] <= level[taker] + 1e-6
    else:
        parts = {round(a / low, 6) for a, low in zip(got, lows, strict=True) if low > 1e-3}
        assert len(parts) <= 1


@given(st.floats(0, 800), st.lists(st.tuples(*[st.floats(0, 100)] * 3), max_size=12))
def test_floors_come_before_what_a_deadline_needs(
    capacity: float, parties: list[tuple[float, float, float]]
) -> None:
    """Needs take nothing from floors that could be had, and are met to the same part where they cannot all be met."""
    floors, needs, highs = ([claim[i] for claim in parties] for i in range(3))
    lows = lows_with_deadlines(capacity, floors, needs, highs)
    first = [min(floor, high) for floor, high in zip(floors, highs, strict=True)]
    assert all(low >= least - 1e-9 for low, least in zip(lows, first, strict=True))
    assert all(
        low <= max(f, min(n, h)) + 1e-9 for low, f, n, h in zip(lows, first, needs, highs, strict=True)
    )
    if sum(first) <= capacity:
        assert sum(lows) <= capacity + 1e-6
