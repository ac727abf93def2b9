"""Who ended a session: the registrar's restart, or somebody else with the code."""

from domain.clock import ManualClock
from workers.endings import AGAIN_MS, TOGETHER_MS, Endings


def test_the_second_time_an_account_is_ended_alone_is_somebody_else() -> None:
    """Once may be anything; the same account again within ten minutes, and no other, is a second user."""
    clock = ManualClock()
    endings = Endings(clock)
    assert not endings.note("A1")
    clock.advance(AGAIN_MS)
    assert endings.note("A1")


def test_an_old_ending_is_forgotten() -> None:
    """After ten minutes it counts as the first again."""
    clock = ManualClock()
    endings = Endings(clock)
    endings.note("A1")
    clock.advance(AGAIN_MS + 1)
    assert not endings.note("A1")


def test_a_registrar_that_restarts_twice_blames_nobody() -> None:
    """All accounts are ended at about the same time, and again, whichever is seen first."""
    clock = ManualClock()
    endings = Endings(clock)
    for first, second in (("A1", "A2"), ("A1", "A2")):
        assert not endings.note(first)
        clock.advance(TOGETHER_MS)
        assert not endings.note(second)
        clock.advance(60_000)


def test_somebody_else_is_found_out_after_a_restart() -> None:
    """An ending together with others counts for nothing: two alone are needed."""
    clock = ManualClock()
    endings = Endings(clock)
    endings.note("A1")
    endings.note("A2")
    clock.advance(60_000)
    assert not endings.note("A1")
    clock.advance(60_000)
    assert endings.note("A1")


def test_an_ending_together_with_others_blames_nobody_whatever_came_before() -> None:
    """Once alone, then in a restart of the registrar: that is no second time alone."""
    clock = ManualClock()
    endings = Endings(clock)
    assert not endings.note("A1")
    clock.advance(60_000)
    assert not endings.note("A2")
    assert not endings.note("A1")
