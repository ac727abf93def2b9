"""A package of one sheet's rows, made so that the reader says what their cells hold; texts that cells share are read once.

The reader takes packages, not rows. It would read all shared texts with every package: so cells that refer to one give its
number instead, behind a mark, and the number is looked up afterwards. What is spelled unusually goes the reader's own way.
"""

import threading
import zipfile
from collections.abc import Sequence

import fastexcel
import polars as pl

from domain.errors import BadFile
from intake.faults import bad_file
from intake.limits import return_memory
from intake.workbook import Sheet, Workbook

#: what the reader needs beside a sheet to know what its cells say
_NEEDED = (
    "[content_types].xml",
    "_rels/.rels",
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "xl/styles.xml",
)
_SHARED = "xl/sharedstrings.xml"
_BEGIN = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
_END = b"</sheetData></worksheet>"
#: stands before a shared text's number; for private use, so that no honest text begins with it
_MARK = "\ue000"
_REFERENCE = b' t="s"><v>'
_MARKED = b' t="str"><v>' + _MARK.encode()
#: columns in which shared texts are laid out to be read
_WIDTH = 16


def unreadable() -> BadFile:
    """Return the error for a workbook that the reader does not take."""
    return bad_file(
        "The workbook cannot be read.",
        "อ่านสมุดงานนี้ไม่ได้",
        "Open it in the spreadsheet program, save it again, and submit that file.",
        "เปิดในโปรแกรมตาราง บันทึกใหม่ แล้วส่งไฟล์นั้น",
    )


def read_sheet(data: bytes, name: str, *, from_top: bool) -> pl.DataFrame:
    """Read a sheet as text, from its first row or from the first that holds anything; raises BadFile."""
    try:
        reader = fastexcel.read_excel(data)
        # as text: a number with thirteen digits stays whole, and a date comes as a date
        sheet = reader.load_sheet(name, header_row=None, skip_rows=0 if from_top else None, dtypes="string")
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
        self._count = self._count_texts()
        self._texts: pl.Series | None = None
        self._lock = threading.Lock()

    def read(self, rows: Sequence[bytes], *, from_top: bool) -> pl.DataFrame:
        """Return the cells of rows, given in blocks, as text; raises BadFile."""
        if not self._shared:
            return self._read(rows, from_top=from_top, with_texts=False)
        marked = [block.replace(_REFERENCE, _MARKED) for block in rows]
        if not self._count or any(b'"s"' in block or b"'s'" in block for block in marked):
            return self._read(rows, from_top=from_top, with_texts=True)
        frame = self._read(marked, from_top=from_top, with_texts=False)
        with self._lock:
            # the first that wants them reads them
            if self._texts is None:
                self._texts = self._read_texts()
        return _looked_up(frame, self._texts)

    def _read(self, rows: Sequence[bytes], *, from_top: bool, with_texts: bool) -> pl.DataFrame:
        out = _Pieces()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as made:  # type: ignore[call-overload]  # all that is asked of it
            for name, data in self._common:
                made.writestr(name, data)
            for name in self._shared if with_texts else ():
                made.writestr(name, self._book.whole(name))
            with made.open(self._sheet.path, "w") as sheet:
                for block in (_BEGIN, *rows, _END):
                    sheet.write(block)
        return read_sheet(b"".join(out.pieces), self._sheet.name, from_top=from_top)

    def _count_texts(self) -> int:
        """Return how many shared texts there are, 0 when they are spelled so that we cannot count them."""
        if len(self._shared) != 1:
            return 0
        xml = self._book.whole(self._shared[0])
        return 0 if b"<!" in xml else xml.count(b"<si>") + xml.count(b"<si ")

    def _read_texts(self) -> pl.Series:
        """Return the shared texts in their order, as the reader reads them."""
        count = self._count
        height = -(-count // _WIDTH)
        rows = (
            b'<row r="%d">' % (at + 1)
            + b"".join(b'<c t="s"><v>%d</v></c>' % number for number in range(at, count, height))
            + b"</row>"
            for at in range(height)
        )
        frame = self._read(list(rows), from_top=True, with_texts=True)
        texts = pl.concat([column.alias("text") for column in frame.get_columns()]).head(count)
        del frame
        return_memory()
        return texts


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
