"""Blind hashes, partition by partition, find the same as a plain look at everything would."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake import persons as module
from intake.frames import Others, TableChunk
from intake.persons import Persons
from intake.tail import TailRow
from ledger.boxes import INDEX_BYTES

#: member numbers of rows that have a fault of their own
FAULTY = {7, 8}
SHEETS = ["Somchai", "Malee", "Bang Rak"]
ROWS = st.lists(
    st.tuples(st.integers(0, 8), st.sampled_from(["ADD", "UPDATE", "RESIGN"]), st.integers(0, 8)),
    min_size=1,
    max_size=40,
)


def noted(
    folder: Path, rows: list[tuple[int, str, int]], chunk_rows: int, sheets: Sequence[str] = ("",)
) -> Persons:
    """Return the persons of a table whose rows are (person, operation, member number), its chunks from these sheets by turns."""
    folder.mkdir(exist_ok=True, parents=True)
    persons = Persons(folder, b"k" * 32, "r", "P001", len(rows))
    for first in range(0, len(rows), chunk_rows):
        part = rows[first : first + chunk_rows]
        every = pl.DataFrame(
            {
                "_position": range(first, first + len(part)),
                "operation": [row[1] for row in part],
                "person": [f"id{row[0]}" for row in part],
                "member_no": [f"m{row[2]}" for row in part],
                "body": [f"{row}".encode() for row in part],
            },
            schema_overrides={"_position": pl.UInt32, "body": pl.Binary},
        )
        numbers = pl.Series("_row", range(first + 2, first + 2 + len(part)), dtype=pl.UInt32)
        faulty = every["member_no"].is_in([f"m{number}" for number in FAULTY])
        sheet = sheets[first // chunk_rows % len(sheets)]
        good, chunk = every.filter(~faulty), TableChunk(first, len(part), sheet, False, b"")
        persons.add(good, good["body"].to_list(), chunk, numbers)
        persons.add_named(every.filter(faulty).drop("body"), chunk, numbers)
    return persons


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, chunk_rows=st.integers(1, 15), part_rows=st.sampled_from([3, 1000]))
def test_duplicates_are_those_that_a_plain_count_finds(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, str, int]],
    chunk_rows: int,
    part_rows: int,
) -> None:
    """Whatever the chunks and partitions."""
    kept, module.PARTITION_ROWS = module.PARTITION_ROWS, part_rows
    try:
        persons = noted(tmp_path_factory.mktemp("p"), rows, chunk_rows)
        found = {
            (at, code)
            for faults, _, again in persons.duplicates()
            for at, code in faults.select("_position", "code").iter_rows()
            if (at in again) == (rows[at][2] in FAULTY)
        }
    finally:
        module.PARTITION_ROWS = kept
    same = Counter((person, operation) for person, operation, _ in rows)
    owners = {number: {row[0] for row in rows if row[2] == number} for _, _, number in rows}
    wanted = {(at, "duplicate-person") for at, row in enumerate(rows) if same[row[0], row[1]] > 1}
    wanted |= {(at, "duplicate-member-no") for at, row in enumerate(rows) if len(owners[row[2]]) > 1}
    assert found == wanted
    good = {at for at, row in enumerate(rows) if row[2] not in FAULTY}
    assert persons.left == len(good - {at for at, _ in wanted})


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=ROWS,
    sheets=st.lists(st.sampled_from(SHEETS), min_size=1, max_size=4),
    part_rows=st.sampled_from([3, 1000]),
)
def test_a_fault_names_the_first_rows_of_its_person_or_number_with_their_sheets(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, str, int]],
    sheets: list[str],
    part_rows: int,
) -> None:
    """As a look at everything in memory would; no sheet's name is on disk."""
    folder = tmp_path_factory.mktemp("p")
    kept, module.PARTITION_ROWS = module.PARTITION_ROWS, part_rows
    try:
        found = [
            (at, code, detail)
            for faults, _, _ in noted(folder, rows, 10, sheets).duplicates()
            for at, code, detail in faults.select("_position", "code", "detail").iter_rows()
        ]
    finally:
        module.PARTITION_ROWS = kept
    assert sorted(found) == sorted(
        _told_in_memory(rows, [sheets[at // 10 % len(sheets)] for at in range(len(rows))])
    )
    assert not any(name.encode() in file.read_bytes() for file in folder.iterdir() for name in SHEETS)


def _told_in_memory(rows: list[tuple[int, str, int]], sheets: list[str]) -> Iterator[tuple[int, str, str]]:
    """Yield position, code and detail of every duplicate."""
    label = "{1} {0}" if len(set(sheets)) > 1 else "{0}"
    for at, (person, operation, number) in enumerate(rows):
        same = [one for one, row in enumerate(rows) if row[:2] == (person, operation)]
        numbered = [one for one, row in enumerate(rows) if row[2] == number]
        if len(same) > 1:
            yield at, "duplicate-person", ", ".join(label.format(one + 2, sheets[one]) for one in same[:5])
        if len({rows[one][0] for one in numbered}) > 1:
            yield (
                at,
                "duplicate-member-no",
                ", ".join(label.format(one + 2, sheets[one]) for one in numbered[:5]),
            )


def tail_of(persons: Persons) -> list[TailRow]:
    """Return the whole tail."""
    list(persons.duplicates())
    return [row for one in persons.tail().rounds() for row in one]


def test_rows_wait_for_unsettled_records_of_other_jobs_only(tmp_path: Path) -> None:
    """A settled line blocks nobody; an equal unsettled one is joined, the last of several."""
    rows = [(1, "ADD", 1), (2, "ADD", 2), (3, "ADD", 3), (4, "ADD", 4)]
    earlier = noted(tmp_path / "a", rows, 10)
    index = (tmp_path / "a" / "index").read_bytes()
    later = noted(tmp_path / "b", [(1, "ADD", 1), (2, "RESIGN", 2), (3, "ADD", 3), (9, "ADD", 9)], 10)
    assert earlier.left == 4
    later.add_others(Others(0, index, b"puap"))
    later.add_others(Others(1, index[:INDEX_BYTES], b"d"))
    assert [(row.position, row.waits, row.join) for row in tail_of(later)] == [
        (0, (0, 1), (1, 0)),
        (1, (0,), None),
    ]


def test_a_person_of_another_party_is_another_person(tmp_path: Path) -> None:
    """The hash is bound to registry and party."""
    noted(tmp_path / "a", [(1, "ADD", 1)], 1)
    other = Persons(tmp_path / "b", b"k" * 32, "r", "P002", 1)
    assert other._persons(pl.Series(["id1"])) != [(tmp_path / "a" / "index").read_bytes()[:16]]


def test_a_long_or_thai_name_of_a_person_is_hashed_as_well(tmp_path: Path) -> None:
    """Whatever else stands in the column, equal names have one hash and others another; no name shows in it."""
    persons = Persons(tmp_path, b"k" * 32, "r", "P001", 1)
    names = ["1234567890123", "", "ก" * 5, "ก" * 6, "x" * 15, "x" * 16, "x" * 400, persons._short("x" * 16)]
    hashes = persons._persons(pl.Series(names))
    assert len(set(hashes)) == len(names)
    assert hashes == [persons._persons(pl.Series([name]))[0] for name in names]
    assert [len(one) for one in hashes] == [16] * len(names)
    assert not any(name.encode()[:8] in one for name, one in zip(names, hashes, strict=True) if name)
    again = Persons(tmp_path, b"j" * 32, "r", "P001", 1)
    assert not set(again._persons(pl.Series(names))) & set(hashes)
