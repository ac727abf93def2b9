"""What work costs after a pause: the same work each time, and each pause as often."""

import pytest

from benchmarks import pauses


def test_the_same_work_is_measured_after_each_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is done once to be warm, and once to be measured."""
    monkeypatch.setattr(pauses, "PAUSES_MS", (0, 1, 30))
    monkeypatch.setattr(pauses, "TIMES", 2)
    done: list[int] = []
    row = pauses.measure("counting", lambda: done.append(1))
    assert len(done) == 2 * 2 * 3
    assert row["work"] == "counting"
    assert row["dearer"] == pytest.approx(row["after_30_ms"] / row["after_0_ms"], abs=0.01)
