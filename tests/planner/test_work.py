"""What the forecast takes over from the rooms above and beside it by value stays what it is there."""

from planner import work
from workers import settling


def test_outcomes_are_foreseen_to_settle_as_late_as_they_do() -> None:
    """Half the time for which an outcome waits for others, and half the time between two looks."""
    assert work.SETTLED_AFTER_S == settling.RIPE_MS / 2000 + settling.EVERY_S / 2
