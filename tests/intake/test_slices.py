"""How a tail is parted."""

from hypothesis import given
from hypothesis import strategies as st

from intake.slices import MOST_WAITS, _parted
from intake.tail import TailRow


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 60)), max_size=60), st.integers(10, 30))
def test_persons_are_never_parted_and_waiting_rows_stand_apart(
    units: list[tuple[int, int]], most: int
) -> None:
    """Nor does a slice wait for very many others, or grow beyond its length."""
    rows = [
        TailRow(number * 10 + at, number, b"", (waits,) if waits else (), None)
        for number, (size, waits) in enumerate(sorted(units, key=lambda one: (one[1] > 0, one[1])))
        for at in range(size)
    ]
    parts = list(_parted(rows, most))
    assert [row for part in parts for row in part] == rows
    for part in parts:
        assert len(part) <= most
        assert len({bool(row.waits) for row in part}) == 1
        assert len({one for row in part for one in row.waits}) <= MOST_WAITS
    held = [unit for part in parts for unit in {row.unit for row in part}]
    assert len(held) == len(set(held))
