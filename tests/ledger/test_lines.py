"""The letters of one slice: which outcome moves which line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.jobs import Outcome
from domain.states import RECORD_MOVES, RecordState
from ledger.lines import Lines

letters = st.text(alphabet="puardx", min_size=1, max_size=8)
outcomes = st.lists(st.builds(Outcome, st.integers(-2, 9), st.sampled_from(RecordState)), max_size=12)


@pytest.mark.parametrize("before", RecordState)
@pytest.mark.parametrize("after", RecordState)
def test_a_line_moves_as_the_domain_says(before: RecordState, after: RecordState) -> None:
    """Every move of every state: made when it is legal, ignored when it is not."""
    lines = Lines([before.value])
    moved = lines.settle([Outcome(0, after)], stopping=False)
    is_legal = after in RECORD_MOVES[before]
    assert bool(moved) == is_legal
    assert lines.letters == [after.value if is_legal else before.value]


@given(letters, outcomes, st.booleans())
def test_settling_the_same_twice_is_once(start: str, answers: list[Outcome], stopping: bool) -> None:
    """Whatever has an end stays there, and a repeated answer of that kind moves nothing."""
    final = [one for one in answers if one.state in (RecordState.ACCEPTED, RecordState.REJECTED)]
    lines = Lines(list(start))
    lines.settle(final, stopping=stopping)
    once = list(lines.letters)
    assert lines.settle(final, stopping=stopping) == []
    assert lines.letters == once


@given(letters, st.sets(st.integers(0, 7)), st.booleans())
def test_giving_back_forgets_no_unknown_line(start: str, unknown: set[int], stopping: bool) -> None:
    """Lines that were unknown, and those named, are unknown afterwards; settled ones are untouched."""
    lines = Lines(list(start))
    lines.give_back(unknown, stopping=stopping)
    for line, (before, after) in enumerate(zip(start, lines.letters, strict=True)):
        if before in "ardx":
            assert after == before
        elif line in unknown or before == "u":
            assert after == "u"
        else:
            assert after == ("x" if stopping else "p")


def test_lines_that_only_a_cancel_made_unknown_are_unprocessed_when_given_back() -> None:
    """The letters from before the cancel tell them from those that were unknown for a reason."""
    lines = Lines(list("uuau"), sure=list("pupp"))
    lines.give_back([3], stopping=True)
    assert (lines.letters, lines.sure) == (list("xuau"), None)


def test_a_line_that_a_session_calls_unknown_after_a_cancel_stays_unknown() -> None:
    """Although the cancel had made it so before, which is no move."""
    lines = Lines(list("uu"), sure=list("pp"))
    assert lines.settle([Outcome(0, RecordState.UNKNOWN)], stopping=True) == []
    lines.give_back([], stopping=True)
    assert lines.letters == list("ux")


def test_what_the_registrar_does_not_have_is_not_sent_again_while_stopping() -> None:
    """`absent` in a job that is being cancelled is unprocessed; else it is pending."""
    for stopping, letter in ((True, "x"), (False, "p")):
        lines = Lines(["u"])
        assert lines.settle([Outcome(0, RecordState.PENDING)], stopping=stopping)
        assert lines.letters == [letter]


def test_unsettled_lines_are_those_that_may_still_be_sent_or_asked_about() -> None:
    """Pending and unknown ones, by number."""
    assert Lines(list("pauxrdp")).unsettled() == [0, 2, 6]
