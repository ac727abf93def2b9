"""What a check keeps in memory does not follow the rows: they lie on disk, sealed or as blind hashes, until they are asked for."""

import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from intake import check as check_module
from intake import persons as persons_module
from intake.blocks import Blocks
from intake.frames import Message, Pipes, TableChunk, Want
from intake.held import HeldRows
from intake.persons import Persons
from intake.spill import Spill
from tests.intake.conftest import Desk
from tests.intake.samples import as_csv, grid, members

CHUNK_ROWS = 1000
#: bytes a row that may stay: a bit that says whether it goes the plain way, and what Python keeps for each chunk of so few rows
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
    held = HeldRows(folder, 3)
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
    """Four times the rows keep no more than a bit for each; blocks of three rows are as many as any job's."""
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

    def counted(spill: Spill, name: str, part: int, columns: list[str] | None = None) -> pl.DataFrame | None:
        rows = read(spill, name, part, columns)
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


class AtTheLatest:
    """Stands in for a pool of threads: what it is given is done when somebody waits for it, as by the slowest thread."""

    def __init__(self, _threads: int) -> None:
        self._result: Callable[[], Any] = lambda: None

    def __enter__(self) -> "AtTheLatest":
        return self

    def __exit__(self, *_: object) -> None:
        """End with nothing to wait for."""

    def submit(self, work: Callable[..., Any], *given: Any) -> "AtTheLatest":
        """Keep some work for later."""
        later = AtTheLatest(1)
        later._result = lambda: work(*given)
        return later

    def result(self) -> Any:
        """Do it."""
        return self._result()


async def test_no_more_than_two_chunks_are_in_memory_however_slow_a_thread_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chunk is wanted when the last but one is on disk."""
    monkeypatch.setattr("intake.read.Blocks", partial(Blocks, 2000))
    monkeypatch.setattr("intake.receive.PIECE_BYTES", 700)
    job = await desk.submit(as_csv(grid(members(60))))
    monkeypatch.setattr(check_module, "ThreadPoolExecutor", AtTheLatest)
    seen: list[int | None] = []
    put, say = HeldRows.put, Pipes.say
    lists: list[list[bytes]] = []

    def told(pipes: Pipes, message: Message) -> None:
        if isinstance(message, Want):
            seen.append(message.number)
            # whoever still has a chunk's rows in hand has an empty list
            assert not any(lists)
        say(pipes, message)

    def kept(held: HeldRows, positions: list[int], bodies: list[bytes]) -> None:
        put(held, positions, bodies)
        lists.append(bodies)
        seen.append(None)

    monkeypatch.setattr(Pipes, "say", told)
    monkeypatch.setattr(HeldRows, "put", kept)
    assert (await desk.check(job)).records.pending == 60
    chunks = len(lists)
    assert chunks > 3
    assert seen == [1, *(one for number in range(2, chunks + 1) for one in (number, None)), None]
