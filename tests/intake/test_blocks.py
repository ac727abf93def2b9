"""Blocks end where records end, and a record that does not end is named by its first line."""

import csv
import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadFile
from intake.blocks import ROW_BYTES, Blocks

CELL = st.text('ab,"\n', max_size=8)


@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=30), st.integers(1, 40), st.integers(1, 60))
def test_every_block_holds_whole_records(rows: list[tuple[str, str]], piece: int, block: int) -> None:
    """Put together, the blocks' records are the file's."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    data = out.getvalue().encode()
    blocks = Blocks(block)
    given_out = [one for at in range(0, len(data), piece) for one in blocks.feed(data[at : at + piece])]
    given_out += list(blocks.end())
    records = [
        tuple(row) for one in given_out for row in csv.reader(io.StringIO(one.data.decode(), newline=""))
    ]
    assert records == rows
    assert [one.last for one in given_out] == [False] * (len(given_out) - 1) + [True]


def test_an_open_quote_is_named_by_the_line_it_begins_in() -> None:
    """Not by the line where patience ended."""
    blocks = Blocks(1 << 20)
    list(blocks.feed(b"a,b\n" * 300_000))
    with pytest.raises(BadFile, match=r"row 300002 is never closed"):
        list(blocks.feed(b'a,b\n"a,b\n' + b"a,b\n" * 400_000))


def drain(blocks: Blocks, pieces: Iterator[bytes]) -> None:
    """Hand over pieces and forget what comes of them."""
    for piece in pieces:
        list(blocks.feed(piece))


def test_a_row_without_end_is_refused_at_the_cap() -> None:
    """Memory does not follow a line."""
    blocks = Blocks(1 << 20)
    list(blocks.feed(b"a,b\n"))
    pieces = iter([b"x" * ROW_BYTES] * 100)
    with pytest.raises(BadFile, match="Row 2 is longer"):
        drain(blocks, pieces)
    assert len(list(pieces)) > 90
