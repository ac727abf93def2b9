"""What a check keeps in memory does not follow the rows: they lie on disk, sealed or as blind hashes, until they are asked for."""

import tracemalloc
from pathlib import Path

import polars as pl
import pytest

from intake import persons as persons_module
from intake.frames import TableChunk
from intake.held import HeldRows
from intake.persons import Persons
from intake.spill import Spill

CHUNK_ROWS = 1000
#: bytes a row that may stay: where blocks of rows lie
MOST_A_ROW = 2


def chunk(first: int) -> pl.DataFrame:
    """Return good rows as a profile gives them."""
    rows = range(first, first + CHUNK_ROWS)
    return pl.DataFrame(
        {
            "_position": rows,
            "operation": ["ADD"] * CHUNK_ROWS,
            "person": [f"{at:013d}" for at in rows],
            "member_no": [f"M{at:07d}" for at in rows],
            "body": [f"{at:0300d}".encode() for at in rows],
        },
        schema_overrides={"_position": pl.UInt32, "body": pl.Binary},
    )


def kept_after(chunks: int, folder: Path) -> int:
    """Return the bytes that Python's objects take once so many chunks have been taken, and their frames are gone."""
    folder.mkdir()
    persons = Persons(folder, b"k" * 32, "r", "P001", chunks * CHUNK_ROWS)
    held = HeldRows(folder, 500)
    tracemalloc.start()
    try:
        for first in range(0, chunks * CHUNK_ROWS, CHUNK_ROWS):
            good = chunk(first)
            bodies = good["body"].to_list()
            numbers = pl.Series("_row", range(first + 2, first + 2 + CHUNK_ROWS), dtype=pl.UInt32)
            held.put(good["_position"].to_list(), bodies)
            persons.add(good, bodies, TableChunk(first, CHUNK_ROWS, "", False, b""), numbers)
            del good, bodies, numbers
        held.end()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_what_stays_in_memory_is_no_row(tmp_path: Path) -> None:
    """Four times the rows keep no more than the places of four times the blocks."""
    kept_after(2, tmp_path / "warm")
    few, many = kept_after(3, tmp_path / "few"), kept_after(12, tmp_path / "many")
    assert (many - few) / (9 * CHUNK_ROWS) < MOST_A_ROW


def test_duplicates_are_sought_among_a_bounded_number_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many rows there are, one partition of them is read at a time."""
    monkeypatch.setattr(persons_module, "PARTITION_ROWS", 2000)
    heights: list[int] = []
    read = Spill.read

    def counted(spill: Spill, name: str, part: int) -> pl.DataFrame | None:
        rows = read(spill, name, part)
        heights.append(0 if rows is None else rows.height)
        return rows

    monkeypatch.setattr(Spill, "read", counted)
    persons = Persons(tmp_path, b"k" * 32, "r", "P001", 10 * CHUNK_ROWS)
    for first in range(0, 10 * CHUNK_ROWS, CHUNK_ROWS):
        good = chunk(first)
        numbers = pl.Series("_row", range(first + 2, first + 2 + CHUNK_ROWS), dtype=pl.UInt32)
        persons.add(good, good["body"].to_list(), TableChunk(first, CHUNK_ROWS, "", False, b""), numbers)
    assert not list(persons.duplicates())
    persons.tail()
    assert sum(heights) == 3 * persons.left
    assert max(heights) < 2 * 2000
