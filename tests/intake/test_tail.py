"""A tail that lies on disk in parts comes out as one that is put in order in memory."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake import tail as module
from intake.spill import Spill
from intake.tail import TAIL, Tail, TailRow, _row

#: for each person: how many rows, and for which slices of other jobs they wait, with whether the first row joins a record there
PERSONS = st.lists(
    st.tuples(st.integers(1, 4), st.lists(st.integers(0, 12), unique=True, max_size=3), st.booleans())
)


def rows_of(persons: list[tuple[int, list[int], bool]], order: list[int]) -> pl.DataFrame:
    """Return rows as `TAIL` says, their places in the table shuffled by `order`."""
    found = []
    for who, (count, waits, joins) in enumerate(persons):
        places = [order.pop() for _ in range(count)]
        for at in places:
            join = (waits[0], at) if joins and waits and at == places[0] else (None, None)
            found.append((at, who, who, at, min(places), sorted(waits), *join))
    return pl.DataFrame(found, schema=TAIL, orient="row")


def sorted_in_memory(rows: pl.DataFrame) -> Iterator[TailRow]:
    """Yield the rows in the order in which they are put into slices, by one look at all."""
    waits = pl.col("waits")
    return map(_row, rows.sort(waits.list.len() > 0, waits.list.first(), "unit", "_position").iter_rows())


@given(PERSONS, st.randoms(use_true_random=False), st.integers(1, 2000), st.integers(1, 5), st.integers(1, 9))
def test_parts_on_disk_give_the_order_of_one_look_at_all(
    tmp_path_factory: pytest.TempPathFactory,
    persons: list[tuple[int, list[int], bool]],
    random: Random,
    near: int,
    portions: int,
    most: int,
) -> None:
    """Rounds never part a person's rows, however the rows were handed over."""
    places = list(range(sum(count for count, _, _ in persons)))
    random.shuffle(places)
    rows = rows_of(persons, places)
    tail = Tail(Spill(tmp_path_factory.mktemp("t")), near)
    for portion in range(portions):
        tail.add(rows.filter(pl.col("hi") % portions == portion))
    kept, module.ROUND_ROWS = module.ROUND_ROWS, most
    try:
        rounds = list(tail.rounds())
    finally:
        module.ROUND_ROWS = kept
    assert [row for one in rounds for row in one] == list(sorted_in_memory(rows))
    assert all(len(one) >= most for one in rounds[:-1])
    units = [unit for one in rounds for unit in {row.unit for row in one}]
    assert len(units) == len(set(units))
    waiting, joined = sum(count for count, waits, _ in persons if waits), rows["join_number"].count()
    said = {"joined-record": joined, "waits-for-record": waiting - joined}
    assert tail.warnings == {code: count for code, count in said.items() if count}


def test_no_more_rows_than_are_near_are_put_in_order_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the tail is."""
    heights: list[int] = []
    read = Spill.read

    def counted(spill: Spill, name: str, part: int) -> pl.DataFrame | None:
        rows = read(spill, name, part)
        heights.append(0 if rows is None else rows.height)
        return rows

    monkeypatch.setattr(Spill, "read", counted)
    # every third person waits for one of two hundred slices, which are as many as a job's of that length
    persons: list[tuple[int, list[int], bool]] = [
        (2, [who // 3] if who % 3 == 0 else [], False) for who in range(600)
    ]
    rows = rows_of(persons, list(range(1200)))
    tail = Tail(Spill(tmp_path), 100)
    tail.add(rows)
    assert sum(len(one) for one in tail.rounds()) == sum(heights) == 1200
    assert max(heights) <= 100
