"""Writes result files: CSV for all rows, XLSX where a spreadsheet can hold them, every cell text and none a formula.

Names are drafts until everything is written; nothing here knows a job or a ledger.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl
import xlsxwriter

#: rows of one workbook
PART_ROWS = 100_000
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ResultFile:
    """One file of results: its name, how many rows it has, and SHA-256 (hex) of its bytes."""

    name: str
    rows: int
    sha256: str


@dataclass(slots=True)
class ResultWriter:
    """Writes one kind's rows into `folder` as CSV and as workbooks; `always` writes workbooks whatever the number of rows."""

    folder: Path
    kind: str
    columns: tuple[str, ...]
    always: bool
    rows: int = 0
    _csv: BinaryIO | None = None
    _book: Any = None
    _sheet: Any = None
    _book_rows: int = 0
    _books: list[tuple[str, int]] = field(default_factory=list)

    def begin(self) -> None:
        """Write the header."""
        self._csv = (self.folder / f"{self.kind}.csv").open("wb")
        self._csv.write(BYTE_ORDER_MARK)
        head = pl.DataFrame(
            [self.columns], schema=[f"c{at}" for at in range(len(self.columns))], orient="row"
        )
        head.write_csv(self._csv, include_header=False, line_terminator="\r\n")
        self._new_book()

    def add(self, frame: pl.DataFrame) -> None:
        """Write rows whose columns are `columns` in order, safe already."""
        assert self._csv is not None
        frame.write_csv(self._csv, include_header=False, line_terminator="\r\n")
        self.rows += frame.height
        for row in frame.iter_rows():
            if self._book_rows == PART_ROWS:
                self._close_book()
                self._new_book()
            if self._sheet is not None:
                self._book_rows += 1
                _write_row(self._sheet, self._book_rows, row)

    def end(self) -> list[ResultFile]:
        """Close the files and return them."""
        assert self._csv is not None
        self._csv.close()
        self._close_book()
        books = self._books
        if len(books) == 1:
            books = [(f"{self.kind}.xlsx", books[0][1])]
            (self.folder / self._books[0][0]).rename(self.folder / books[0][0])
        elif not self.always:
            # too long for one workbook: CSV alone
            for name, _ in books:
                (self.folder / name).unlink()
            books = []
        return [
            _measured(self.folder, name, rows) for name, rows in ((f"{self.kind}.csv", self.rows), *books)
        ]

    def _new_book(self) -> None:
        if len(self._books) and not self.always:
            self._sheet = None
            return
        name = f"{self.kind}-{len(self._books) + 1}.xlsx"
        self._books.append((name, 0))
        options = {
            "constant_memory": True,
            "tmpdir": str(self.folder),
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self._book = xlsxwriter.Workbook(str(self.folder / name), options)
        text = self._book.add_format({"num_format": "@"})
        self._sheet = self._book.add_worksheet(self.kind)
        self._sheet.set_column(0, len(self.columns) - 1, None, text)
        self._book_rows = 0
        _write_row(self._sheet, 0, self.columns)

    def _close_book(self) -> None:
        if self._sheet is not None:
            self._books[-1] = self._books[-1][0], self._book_rows
            self._book.close()
            self._sheet = None


def _write_row(sheet: Any, at: int, cells: tuple[str | None, ...]) -> None:
    for column, cell in enumerate(cells):
        if cell:
            sheet.write_string(at, column, cell)


def _measured(folder: Path, name: str, rows: int) -> ResultFile:
    with (folder / name).open("rb") as held:
        return ResultFile(name, rows, hashlib.file_digest(held, "sha256").hexdigest())
