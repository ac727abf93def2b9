"""Gives a sheet to the reader in parts, each a small package with some thousands of rows: memory does not follow the sheet.

What a cell says is the reader's to know; here rows are only cut apart, counted and put side by side again. For sheets whose rows
are ordered (`sheet_scan.Scan.is_ordered`); nothing touches a disk.
"""

import contextlib
import re
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait

import polars as pl

from intake.faults import unnamed_column
from intake.look import HEADER_ROWS
from intake.sheet_package import SheetPackage, unreadable
from intake.sheet_scan import Scan, whole_rows
from intake.table import column_letters
from intake.workbook import Sheet, Workbook

#: bytes of a part's rows before it is cut
PART_BYTES = 8 << 20
#: parts that are read at once
AT_ONCE = 2
_Coming = deque[tuple[int, Future[pl.DataFrame]]]
_BEGIN = re.compile(rb"<sheetData[^>]*>")
_NUMBER = re.compile(rb"""<row\s[^>]*?\br\s*=\s*["'](\d+)""")


class EarlyParts:
    """Reads a workbook's only visible sheet while it is scanned, no further than the scan has come; what is read waits."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._coming: _Coming | None = None

    def read(self, book: Workbook, sheet: Sheet, blocks: Iterator[bytes], scan: Scan) -> None:
        """Read a sheet's blocks (the scan's part of the work is to yield them); raises BadFile."""
        package, coming = SheetPackage(book, sheet), _Coming()
        with contextlib.suppress(_Disordered), ThreadPoolExecutor(AT_ONCE) as threads:
            for above, rows in _cut(_ordered(blocks, scan)):
                coming.append((above, threads.submit(_read, package, above, rows)))
                if len(coming) > AT_ONCE:
                    wait([coming[-AT_ONCE - 1][1]])
            self._coming = coming

    def take(self) -> _Coming | None:
        """Return what was read, if a sheet was; it is given once."""
        coming, self._coming = self._coming, None
        return coming


class _Disordered(Exception):
    """Only the reader knows which row is which."""


def _ordered(blocks: Iterator[bytes], scan: Scan) -> Iterator[bytes]:
    for block in blocks:
        if not scan.is_ordered:
            raise _Disordered
        yield block


def read_parts(
    book: Workbook, sheet: Sheet, name: str, early: EarlyParts | None = None
) -> Iterator[pl.DataFrame]:
    """Yield a sheet's rows, from the first on, as text columns (null: empty), frame by frame; raises BadFile, naming it as `name`.

    `early` has read the sheet already, if it has read any.
    """
    coming = early.take() if early else None
    layout: _Layout | None = None
    seen = 0
    for above, frame in _ahead(book, sheet) if coming is None else _waiting(coming):
        layout = layout or _Layout(frame, name)
        if above > seen:  # rows without a value at the end of the part before: they count as blank ones
            yield layout.blank(above - seen)
        yield layout.laid(frame, above)
        seen = above + frame.height


def _ahead(book: Workbook, sheet: Sheet) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield each part's number of rows above it and its rows, columns from A on; the next are read meanwhile."""
    package, coming = SheetPackage(book, sheet), _Coming()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for above, rows in _cut(whole_rows(book.stream(sheet.path))):
            coming.append((above, threads.submit(_read, package, above, rows)))
            if len(coming) > AT_ONCE:
                yield _first(coming)
        yield from _waiting(coming)


def _waiting(coming: _Coming) -> Iterator[tuple[int, pl.DataFrame]]:
    while coming:
        yield _first(coming)


def _first(coming: _Coming) -> tuple[int, pl.DataFrame]:
    above, reading = coming.popleft()
    return above, reading.result()


def _read(package: SheetPackage, above: int, rows: list[bytes]) -> pl.DataFrame:
    """Read a part; a row of our own sees to it that the table begins in column A and where we mean it to."""
    own = b'<row r="%d"><c r="A%d"><v>0</v></c></row>'
    if above:
        return package.read([own % (above, above), *rows], from_top=False).slice(1)
    below = _last_row(rows) + 1
    frame = package.read([*rows, own % (below, below)], from_top=True)
    return frame.head(frame.height - 1)


def _cut(blocks: Iterable[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """Yield parts: the number of the last row above, and whole rows; raises BadFile when the sheet breaks off."""
    held: list[bytes] = []
    above, size, is_begun = 0, 0, False
    for block in blocks:
        begin = None if is_begun else _BEGIN.search(block)
        is_begun |= begin is not None
        start, end = begin.end() if begin else 0, block.rfind(b"</sheetData")
        held.append(block[start : end if end >= 0 else None])
        size += len(held[-1])
        if end >= 0:
            yield above, held
            return
        # the header is sought in the first part
        if size >= PART_BYTES and (above or sum(one.count(b"<row") for one in held) > HEADER_ROWS):
            yield above, held
            above, held, size = _last_row(held), [], 0
    raise unreadable()


def _last_row(rows: list[bytes]) -> int:
    for block in reversed(rows):
        if (at := block.rfind(b"<row")) >= 0 and (found := _NUMBER.match(block, at)):
            return int(found.group(1))
    raise unreadable()


class _Layout:
    """Where a sheet's table stands, from its first part: columns before and behind it must be empty to the end."""

    def __init__(self, first: pl.DataFrame, sheet: str) -> None:
        filled = [at for at in range(first.width) if first.to_series(at).null_count() < first.height]
        self._lead = filled[0] if filled else first.width
        self._names = [f"c{at}" for at in range(first.width - self._lead)]
        self._sheet = sheet

    def blank(self, rows: int) -> pl.DataFrame:
        """Return so many empty rows."""
        return pl.DataFrame(schema=dict.fromkeys(self._names, pl.String)).clear(rows)

    def laid(self, frame: pl.DataFrame, above: int) -> pl.DataFrame:
        """Return a part's columns as the first part has them; raises BadFile for a value outside of them."""
        end = self._lead + len(self._names)
        for at, column in enumerate(frame.get_columns()):
            if self._lead <= at < end:
                continue
            filled = (column.str.strip_chars() != "").fill_null(False)
            if filled.any():
                raise unnamed_column(column_letters(at), above + (filled.arg_max() or 0) + 1, self._sheet)
        inside = frame.get_columns()[self._lead : end]
        named = [column.alias(name) for column, name in zip(inside, self._names, strict=False)]
        empty = self.blank(frame.height).get_columns()[len(named) :]
        return pl.DataFrame([*named, *empty])
