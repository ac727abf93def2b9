"""What the forecast takes over from the rooms above and beside it by value stays what it is there."""

from intake import check_job, sizes
from planner import work
from workers import settling


def test_slices_are_foreseen_as_intake_cuts_them() -> None:
    """Their length in seconds, how many an account gets, and the fewest and most lines."""
    foreseen = (work.SLICE_S, work.SLICES_AN_ACCOUNT, work.FEWEST_LINES, work.SHORT_LANE, work.MOST_LINES)
    assert foreseen == (
        check_job.SLICE_S,
        check_job.SLICES_AN_ACCOUNT,
        sizes.FEWEST_LINES,
        sizes.SHORT_LANE,
        sizes.MOST_LINES,
    )


def test_outcomes_are_foreseen_to_settle_as_late_as_they_do() -> None:
    """Half the time for which an outcome waits for others, and half the time between two looks."""
    assert work.SETTLED_AFTER_S == settling.RIPE_MS / 2000 + settling.EVERY_S / 2
