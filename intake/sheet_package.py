"""A package of one sheet's rows, made so that the reader says what their cells hold; texts that cells share are read once.

The reader takes packages, not rows. It would read all shared texts with every package: so cells that refer to one give its
number instead, and the number is looked up afterwards. Where all cells refer, the numbers are read as numbers; where others
stand among them, as texts behind a mark. What is spelled unusually goes the reader's own way.
"""

import threading
import zipfile
from collections.abc import Sequence
from typing import Literal

import fastexcel
import polars as pl

from domain.errors import BadFile
from intake.faults import bad_file
from intake.limits import return_memory
from intake.sheet_texts import read_texts
from intake.workbook import Sheet, Workbook

_STYLES = "xl/styles.xml"
#: what the reader needs beside a sheet to know what its cells say
_NEEDED = (
    "[content_types].xml",
    "_rels/.rels",
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    _STYLES,
)
_SHARED = "xl/sharedstrings.xml"
_BEGIN = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
_END = b"</sheetData></worksheet>"
#: stands before a shared text's number; for private use, so that no honest text begins with it
_MARK = "\ue000"
_REFERENCE = b' t="s"><v>'
_MARKED = b' t="str"><v>' + _MARK.encode()
#: the value of a cell without a type is a number
_NUMBER = b"><v>"
_DIGITS = b"0123456789"
#: shared texts as cells of a sheet, one below the other, and a row that ends it, so that none is left out for being empty
_ELEMENT = ((b"<si>", b'<row><c t="inlineStr"><is>'), (b"</si>", b"</is></c></row>"))
_LAST = b'<row><c t="str"><v>-</v></c></row>'
#: what the reader takes all cells for
Kind = Literal["string", "float"]


def unreadable() -> BadFile:
    """Return the error for a workbook that the reader does not take."""
    return bad_file(
        "The workbook cannot be read.",
        "อ่านสมุดงานนี้ไม่ได้",
        "Open it in the spreadsheet program, save it again, and submit that file.",
        "เปิดในโปรแกรมตาราง บันทึกใหม่ แล้วส่งไฟล์นั้น",
    )


def read_sheet(data: bytes, name: str, *, from_top: bool, kind: Kind = "string") -> pl.DataFrame:
    """Read a sheet's cells as of one kind, from its first row or from the first that holds anything; raises BadFile."""
    try:
        reader = fastexcel.read_excel(data)
        # as text: a number with thirteen digits stays whole, and a date comes as a date
        sheet = reader.load_sheet(name, header_row=None, skip_rows=0 if from_top else None, dtypes=kind)
        return sheet.to_polars()
    except fastexcel.FastExcelError:  # its text may quote what it read
        raise unreadable() from None


class _Pieces:
    """A file that is only written to; nothing is copied before all is there."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.pieces.append(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: all is in memory."""


class SheetPackage:
    """Reads rows of one sheet of a workbook; threads may share it."""

    def __init__(self, book: Workbook, sheet: Sheet) -> None:
        """Take what all packages have in common."""
        self._book = book
        self._sheet = sheet
        self._common = [(name, book.whole(name)) for name in book.names if name.casefold() in _NEEDED]
        self._shared = [name for name in book.names if name.casefold() == _SHARED]
        self._texts: pl.Series | None = None
        self._are_texts_read = False
        self._lock = threading.Lock()

    def read(self, rows: Sequence[bytes], *, from_top: bool) -> pl.DataFrame:
        """Return the cells of rows, given in blocks, as text; raises BadFile. One number of no type stands among them, at least."""
        if not self._shared:
            return self._read(rows, from_top=from_top)
        texts = self._all_texts()
        if texts is None:
            return self._read(rows, from_top=from_top, with_texts=True)
        frame = self._read_numbers(rows, texts, from_top=from_top)
        if frame is not None:
            return frame
        marked = [block.replace(_REFERENCE, _MARKED) for block in rows]
        if any(b'"s"' in block or b"'s'" in block for block in marked):
            return self._read(rows, from_top=from_top, with_texts=True)
        return _looked_up(self._read(marked, from_top=from_top), texts)

    def _read_numbers(
        self, rows: Sequence[bytes], texts: pl.Series, *, from_top: bool
    ) -> pl.DataFrame | None:
        """Return the cells of rows that hold nothing but references and one number; None when they hold more, or not what they should."""
        references = _references(rows)
        if references is None:
            return None
        bare = [block.replace(_REFERENCE, _NUMBER) for block in rows]
        try:
            # without styles: no number is shown as a date
            frame = self._read(bare, from_top=from_top, with_styles=False, kind="float")
            numbers = frame.cast(pl.UInt32)
            if len(frame) * frame.width - frame.null_count().sum_horizontal()[0] != references + 1:
                return None
            return numbers.select(texts.gather(column).alias(column.name) for column in numbers.get_columns())
        except (BadFile, pl.exceptions.InvalidOperationError, pl.exceptions.OutOfBoundsError):
            return None  # what it is called is found out the other way

    def _read(
        self,
        rows: Sequence[bytes],
        *,
        from_top: bool,
        with_texts: bool = False,
        with_styles: bool = True,
        kind: Kind = "string",
    ) -> pl.DataFrame:
        out = _Pieces()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as made:  # type: ignore[call-overload]  # all that is asked of it
            for name, data in self._common:
                if with_styles or name.casefold() != _STYLES:
                    made.writestr(name, data)
            for name in self._shared if with_texts else ():
                made.writestr(name, self._book.whole(name))
            with made.open(self._sheet.path, "w") as sheet:
                for block in (_BEGIN, *rows, _END):
                    sheet.write(block)
        return read_sheet(b"".join(out.pieces), self._sheet.name, from_top=from_top, kind=kind)

    def _all_texts(self) -> pl.Series | None:
        """Return the shared texts in their order, as the reader reads them; None when they are spelled so that we cannot count them."""
        with self._lock:
            # the first that wants them reads them
            if not self._are_texts_read and len(self._shared) == 1:
                self._texts = read_texts(self._book.stream(self._shared[0]), self._ask)
                return_memory()
            self._are_texts_read = True
            return self._texts

    def _ask(self, elements: bytes, count: int) -> pl.Series | None:
        for old, new in _ELEMENT:
            elements = elements.replace(old, new)
        frame = self._read((elements, _LAST), from_top=True, with_styles=False)
        texts = frame.to_series()
        # one within another leaves a cell without any text behind
        is_each = frame.shape == (count + 1, 1) and not texts.null_count()
        return texts.head(count).alias("text") if is_each else None


def _references(rows: Sequence[bytes]) -> int | None:
    """Return how many cells refer, each by digits alone as the reader asks of a reference; None when more than one has another value."""
    references = letters = 0
    for block in rows:
        # a letter that is itself rare is found much faster than what it stands in
        if b"i" in block and b"is>" in block:
            return None
        left = block.translate(None, _DIGITS)
        references += left.count(_REFERENCE + b"</v>")
        letters += left.count(b"v")
    return references if letters == 2 * (references + 1) else None


def _looked_up(frame: pl.DataFrame, texts: pl.Series) -> pl.DataFrame:
    """Return the frame with each marked number's text in its place; raises BadFile."""
    return frame.select(_told(column, texts) for column in frame.get_columns())


def _told(column: pl.Series, texts: pl.Series) -> pl.Series:
    marked = column.str.starts_with(_MARK).fill_null(False)
    if not marked.any():
        return column
    numbers = column.str.strip_prefix(_MARK).cast(pl.UInt32, strict=False)
    if not marked.all():
        numbers = numbers.zip_with(marked, numbers.clear(len(numbers)))
    if len(marked) - numbers.null_count() != marked.sum():
        raise unreadable()
    try:
        found = texts.gather(numbers)
    except pl.exceptions.OutOfBoundsError:
        raise unreadable() from None
    return (found if marked.all() else found.zip_with(marked, column)).alias(column.name)
