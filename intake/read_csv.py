"""Reads a CSV in blocks of whole records: whole columns at a time by polars, row by row only to say where a block is broken."""

import csv
import io
from collections.abc import Iterator

import polars as pl

from intake.blocks import Block, Blocks
from intake.faults import broken_row, long_row, stray_quote
from intake.table import CELL_BYTES, ROW_COLUMN
from intake.text import Transcoder


def read_blocks(pieces: Iterator[bytes], transcoder: Transcoder, blocks: Blocks) -> Iterator[Block]:
    """Yield a file's blocks of whole records in UTF-8; raises BadFile."""
    held = b""
    for piece in pieces:
        # the byte order mark must not be cut in two
        held += piece
        if len(held) >= 4:
            yield from blocks.feed(transcoder.feed(held))
            held = b""
    yield from blocks.feed(transcoder.feed(held, final=True))
    yield from blocks.end()


def parse(block: Block, columns: int, delimiter: str, first_row: int) -> pl.DataFrame:
    """Return a block's records as text columns `c0`… and `_row` (counted from `first_row`); raises BadFile naming the row."""
    names = [f"c{at}" for at in range(columns)]
    frame = _fast(block.data, names, delimiter)
    if frame is None or not _square(frame, block.data, delimiter):
        frame = _slow(block, names, delimiter, first_row)
    rows = pl.int_range(first_row, first_row + frame.height, dtype=pl.UInt32, eager=True).alias(ROW_COLUMN)
    return frame.with_columns(rows)


def _fast(data: bytes, names: list[str], delimiter: str) -> pl.DataFrame | None:
    if not data:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    try:
        return pl.read_csv(
            data,
            has_header=False,
            schema=dict.fromkeys(names, pl.String),
            separator=delimiter,
            quote_char='"',
            empty_string_is_null=False,
            extra_columns="raise",
            missing_columns="raise",
            raise_if_empty=False,
        )
    except (
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,
    ):  # its text quotes cells: it is dropped here
        return None


def _square(frame: pl.DataFrame, data: bytes, delimiter: str) -> bool:
    """Say whether every record has all its cells: polars fills up short ones, but it cannot add delimiters.

    No record has too many (polars refuses), so that equal sums mean that none has too few.
    """
    inside = 0
    if b'"' in data:
        counts = frame.select(pl.all().str.count_matches(delimiter, literal=True).sum()).row(0)
        inside = sum(counts)
    return data.count(delimiter.encode()) == frame.height * (frame.width - 1) + inside


def _slow(block: Block, names: list[str], delimiter: str, first_row: int) -> pl.DataFrame:
    """Read the block record by record; raises BadFile for the first that is broken."""
    csv.field_size_limit(CELL_BYTES * 64)
    text = block.data.decode("utf-8")
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    empty = [""] * len(names)
    try:
        for each in reader:
            cells = [] if len(each) == 1 and not each[0].strip() else each  # a line of spaces is a blank one
            if cells and len(cells) != len(names):
                last = block.last and not text.endswith("\n") and _is_last(reader)
                raise broken_row(first_row + len(rows), len(cells), len(names), last=last)
            rows.append(cells or empty)
    except csv.Error as error:
        row = first_row + len(rows)
        raise (long_row(row, CELL_BYTES * 64) if "limit" in str(error) else stray_quote(row)) from None
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _is_last(reader: Iterator[list[str]]) -> bool:
    try:
        return next(reader, None) is None
    except csv.Error:
        return False
