"""Counts of the hot steps: the same twice, and a step of a tenth is told, in either direction."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import counts


async def test_the_same_code_counts_the_same_twice() -> None:
    """Counts in memory do not change from one time to the next, so that what changes them is the code."""
    once = (counts.decision(), await counts.whole_round(), await counts.handful())
    assert once == (counts.decision(), await counts.whole_round(), await counts.handful())


def test_a_count_knows_of_one_call_more() -> None:
    """One more function called is one more counted, be it Python's or C's."""

    def one() -> int:
        return 1

    assert counts.calls_of(lambda: one() + one()) == counts.calls_of(one) + 2
    assert counts.calls_of(lambda: abs(len(""))) == counts.calls_of(one) + 2


def test_a_step_of_a_tenth_is_told_and_a_smaller_one_is_not() -> None:
    """More and less are told from a tenth on; what is new, or gone, is told as well."""
    before = {"same": 100, "little more": 100, "more": 100, "less": 100, "gone": 1}
    found = {"same": 100, "little more": 109, "more": 110, "less": 89, "new": 5}
    assert counts.steps_of(found, before) == [
        "new: 5, not recorded before",
        "gone: recorded, and counted no more",
        "more: 110, was 100 (+10%)",
        "less: 89, was 100 (-11%)",
    ]


async def test_a_step_warns_until_it_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table is followed by a warning with the command that records the count; once recorded, there is none."""

    async def count() -> dict[str, int]:
        return {"hot step": 120}

    async def said(*, record: bool = False) -> str:
        console = Console(file=io.StringIO(), width=120)
        await counts.main(console, record=record)
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue()

    monkeypatch.setattr(counts, "count", count)
    monkeypatch.setattr(counts, "RECORDED", tmp_path / "counts.json")
    assert "Nothing recorded" in await said()
    was = {"python": counts.version(), "counts": {"hot step": 100}}
    (tmp_path / "counts.json").write_text(json.dumps(was), "utf-8")
    warned = await said()
    assert "WARNING  hot step: 120, was 100 (+20%)" in warned
    assert "bench counts --record" in warned
    await said(record=True)
    assert "WARNING" not in await said()
