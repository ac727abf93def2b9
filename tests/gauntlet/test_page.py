"""The table of faults says of each kind what the runs say, and *not run* of the others."""

from collections import Counter
from typing import Any

from tests.gauntlet.__main__ import result_of
from tests.gauntlet.checkers import Verdict
from tests.gauntlet.deck import APART, KINDS
from tests.gauntlet.page import BEGIN, END, PAGE, rows, tally
from tests.gauntlet.plan import Plan
from tests.gauntlet.play import Played


def run_of(lost: int = 0, broken: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """The figures of a run with one fault of the common field and one of a home of its own."""
    counts = {"crash database": 2, APART[0].name: 1}
    return {"verdict": {"counts": {"lost": lost}}, "counts": counts, "broken": broken or {}}


def test_a_run_that_was_not_clean_keeps_nothing() -> None:
    """What was done in it counts as broken; what has a home of its own is judged by itself."""
    assert tally([run_of(), run_of(lost=1)]) == (
        Counter({"crash database": 2, APART[0].name: 2}),
        Counter({"crash database": 2}),
    )
    assert tally([run_of(broken={"crash database": ["it was"]})])[1] == Counter({"crash database": 2})


def test_every_kind_has_its_row() -> None:
    """A kind that nobody ran says *not run*; one that was broken says so, however often it was kept."""
    table = rows(Counter({"crash database": 3}), Counter({"crash database": 1})).splitlines()
    assert len(table) == len(KINDS)
    [told] = [row for row in table if "not run" not in row]
    assert "| crash database |" in told
    assert "kept, 3 ×; *broken*, 1 ×" in told


def test_a_kind_that_was_not_done_is_told_with_the_reason() -> None:
    """Its row never says kept."""
    played = Played(Plan(1, 1), Verdict({}, ()), counts={}, not_run={"power cut": "no root"}, broken={})
    assert result_of(played, "power cut") == "not run: no root"
    assert result_of(played, "crash database") == "not run"


def test_the_page_names_every_kind_and_no_other() -> None:
    """The table in docs/faults.md has the kinds that there are, with how and what is at stake."""
    table = PAGE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]
    told = [row.split(" | ")[1:5] for row in table.splitlines() if row[2:3].isdigit()]
    assert told == [[name, kind.how, kind.stake, kind.covers or "–"] for name, kind in KINDS.items()]
