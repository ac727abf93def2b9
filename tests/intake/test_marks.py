"""Marks on rows are those that were made, whatever stretch is asked about."""

from hypothesis import given
from hypothesis import strategies as st

from intake.marks import Marks

ROWS = 200


@given(st.lists(st.sets(st.integers(0, ROWS - 1))), st.integers(0, ROWS - 1), st.integers(0, ROWS - 1))
def test_a_stretch_has_the_marks_that_were_made_in_it(made: list[set[int]], one: int, other: int) -> None:
    """Both its ends included."""
    first, last = min(one, other), max(one, other)
    marks = Marks(ROWS)
    for positions in made:
        marks.add(positions)
    every = {at for positions in made for at in positions}
    assert marks.within(first, last) == {at for at in every if first <= at <= last}


def test_a_table_without_marks_has_none() -> None:
    """Its last row neither."""
    assert Marks(8).within(0, 7) == frozenset()
    assert Marks(1).within(0, 0) == frozenset()
