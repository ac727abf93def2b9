"""What a reader keeps in memory does not follow the file: one block, the rows of three, and no text of more than the header's lines."""

import gc
import io
import tracemalloc
from collections.abc import Iterator
from functools import partial

import polars as pl
import pytest

from intake.blocks import Blocks
from intake.frames import AnyMessage, Go, Look, Message, Piece, Pipes, ReadDone, ReadTask, TableChunk
from intake.look import find_csv_header
from intake.read import read
from intake.table import ROW_COLUMN
from profiles import book
from tests.intake.conftest import REGISTRY
from tests.intake.samples import as_csv, grid, members

BLOCK_BYTES = 512 << 10
PIECE_BYTES = 16 << 10
TASK = ReadTask(REGISTRY, None, False, None, 1_000_000)


class Handed(Pipes):
    """Stands in for the parent: hands a file over piece by piece and notes what is traced in memory before each."""

    def __init__(self, data: bytes) -> None:
        """Begin with its first piece."""
        super().__init__(io.BytesIO(), io.BytesIO())
        self.traced: list[int] = []
        self._answers: list[AnyMessage] = []
        self._pieces: Iterator[bytes] = (
            data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES)
        )

    def say(self, message: Message) -> None:
        """Answer a look with leave."""
        if isinstance(message, Look):
            self._answers.append(Go(None, False))

    def hear(self) -> AnyMessage:
        """Give leave where it is asked for, else the next piece."""
        if self._answers:
            return self._answers.pop()
        self.traced.append(tracemalloc.get_traced_memory()[0] if tracemalloc.is_tracing() else 0)
        return Piece(next(self._pieces, b""))


def file_of(blocks: int) -> bytes:
    """Return a file of so many blocks."""
    header, *rows = as_csv(grid(members(400))).splitlines(keepends=True)
    some = b"".join(rows)
    return header + some * (blocks * BLOCK_BYTES // len(some) + 1)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some thousands of rows a block."""
    monkeypatch.setattr("intake.read.Blocks", partial(Blocks, BLOCK_BYTES))


def test_one_block_is_in_memory_while_the_next_is_collected() -> None:
    """Neither the first nor the one before: the buffer, what is packed, and pieces, all less than a block and a half."""
    read(TASK, Handed(file_of(1)), lambda _: None)
    handed = Handed(file_of(12))
    tracemalloc.start()
    try:
        read(TASK, handed, lambda _: None)
    finally:
        tracemalloc.stop()
    assert max(handed.traced) < 1.6 * BLOCK_BYTES


def test_the_rows_of_three_blocks_are_in_memory_however_many_there_are() -> None:
    """The last might be the file's, the one before is packed, the next is read."""
    seen: list[int] = []

    def count(message: TableChunk | ReadDone) -> None:
        if isinstance(message, TableChunk):
            frames = [one for one in gc.get_objects() if isinstance(one, pl.DataFrame)]
            seen.append(len({one[ROW_COLUMN][0] for one in frames if ROW_COLUMN in one.columns}))

    read(TASK, Handed(file_of(12)), count)
    assert len(seen) > 10
    assert max(seen) <= 3


def test_a_header_is_sought_in_its_lines_alone() -> None:
    """The block as text would take several times its size."""
    data = file_of(12)
    profile = book.profile(REGISTRY)
    find_csv_header(data, profile)
    tracemalloc.start()
    try:
        header, delimiter, lines = find_csv_header(data, profile)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (header.row, delimiter, lines) == (1, ",", 1)
    assert peak < len(data) / 4
