"""The scheduler's benchmark: rounds are timed when everybody sits, and the figures name each part."""

from benchmarks.scheduler import decisions, whole_rounds


async def test_timed_rounds_are_those_in_which_all_parties_sit() -> None:
    """The scheduler seats everybody before its rounds are timed, and the figures name each part."""
    found = decisions(5) | await whole_rounds(5, count=1, warm=5)
    assert (found["parties"], found["most sessions"]) == (5, 5)
    assert 0 < found["of it views and decision_p50_ms"] < found["round_p50_ms"]
