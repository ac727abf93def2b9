"""How long slices are."""

from domain.slices import lines_of_a_slice


def test_a_slice_is_worth_two_seconds_of_an_account_and_leaves_all_of_them_work() -> None:
    """At most 500 lines, at least three; where all is done in a second or two, half as many."""
    assert lines_of_a_slice(20, 1_000_000, 4) == 40
    assert lines_of_a_slice(1000, 1_000_000, 4) == 500
    assert lines_of_a_slice(20, 320, 4) == 20
    assert lines_of_a_slice(20, 100, 4) == lines_of_a_slice(20, 5, 4) == 3
    assert lines_of_a_slice(0.5, 1_000, 0) == 3
