"""Reads a workbook's sheets in memory, after the package and each sheet's bytes have been looked at. Nothing touches a disk."""

from collections.abc import Callable, Iterator

import fastexcel
import polars as pl

from domain.errors import BadFile
from intake.faults import bad_file, no_rows, quoted
from intake.frames import Look, ReadTask
from intake.look import HEADER_ROWS, Header, best_header, check_header, headless
from intake.read import make_look
from intake.sheet_scan import MOST_ROWS, refuse_hidden_things, too_long
from intake.table import ROW_COLUMN, TableMaker, kept_columns
from intake.workbook import MOST_PACKED, Sheet, Workbook, choose_sheets

#: rows of one chunk
CHUNK_ROWS = 25_000
#: a real date comes as a date with midnight
_MIDNIGHT = r"^(\d{4}-\d{2}-\d{2}) 00:00:00$"


def read_workbook(
    pieces: Iterator[bytes], task: ReadTask, maker: TableMaker, agree: Callable[[Look], None]
) -> None:
    """Read the workbook into `maker`; raises BadFile."""
    book = Workbook(_whole(pieces))
    visible = [sheet for sheet in book.sheets if sheet.visible]
    scans = {sheet.path: book.scan(sheet.path) for sheet in visible}
    filled = tuple(sheet for sheet in visible if scans[sheet.path].last_row)
    chosen = choose_sheets(book.sheets, filled, task.sheet)
    if not chosen or not all(scans[sheet.path].last_row for sheet in chosen):
        raise no_rows()
    reader = _open(book.data)
    first: Header | None = None
    for sheet in chosen:
        name = sheet.name if len(chosen) > 1 else ""
        frame = _load(reader, sheet)
        header = _header(frame, maker)
        refuse_hidden_things(scans[sheet.path], header.row, len(header.columns), name)
        if scans[sheet.path].last_row - header.row > MOST_ROWS:
            raise too_long()
        for at in range(header.row, max(frame.height, header.row + 1), CHUNK_ROWS):
            part = _rows(frame, at)
            if first is None:
                first = header
                agree(make_look(header, part, maker.profile, "XLSX", "", tuple(one.name for one in filled)))
            if at == header.row:
                maker.begin(first, name)
            # escapes such as _x0007_ give control characters: the check looks at every column
            maker.add(_as_first(part, header, first, name), odd=True)
        maker.end_sheet()
    if book.links:
        maker.note(
            "The workbook refers to other files; those were not looked at.",
            "สมุดงานอ้างถึงไฟล์อื่น ระบบไม่ได้อ่านไฟล์เหล่านั้น",
        )


def _whole(pieces: Iterator[bytes]) -> bytes:
    out = bytearray()
    for piece in pieces:
        out += piece
        if len(out) > MOST_PACKED:
            raise too_long()
    return bytes(out)


def _open(data: bytes) -> fastexcel.ExcelReader:
    try:
        return fastexcel.read_excel(data)
    except fastexcel.FastExcelError:  # its text may quote what it read
        raise _unreadable() from None


def _load(reader: fastexcel.ExcelReader, sheet: Sheet) -> pl.DataFrame:
    try:
        # as text: a number with thirteen digits stays whole, and a date comes as a date
        return reader.load_sheet(sheet.name, header_row=None, skip_rows=0, dtypes="string").to_polars()
    except fastexcel.FastExcelError:
        raise _unreadable() from None


def _unreadable() -> BadFile:
    return bad_file(
        "The workbook cannot be read.",
        "อ่านสมุดงานนี้ไม่ได้",
        "Open it in the spreadsheet program, save it again, and submit that file.",
        "เปิดในโปรแกรมตาราง บันทึกใหม่ แล้วส่งไฟล์นั้น",
    )


def _header(frame: pl.DataFrame, maker: TableMaker) -> Header:
    rows = ((["" if cell is None else cell for cell in row], 0) for row in frame.head(HEADER_ROWS).rows())
    best = best_header(rows, maker.profile)
    if best is None:
        raise headless()
    header = best[0]
    check_header(header)
    return header


def _rows(frame: pl.DataFrame, at: int) -> pl.DataFrame:
    """Return a chunk's rows from row `at` (from 0) on as the CSV reader gives them; the whole sheet is never copied."""
    names = [f"c{column}" for column in range(frame.width)]
    part = frame.slice(at, CHUNK_ROWS).rename(dict(zip(frame.columns, names, strict=True)))
    rows = part.with_columns(
        pl.col(names).fill_null(""),
        pl.int_range(at + 1, at + 1 + part.height, dtype=pl.UInt32, eager=True).alias(ROW_COLUMN),
    )
    dated = rows.select(pl.col(names).str.ends_with(" 00:00:00").any()).row(0)
    dates = [name for name, any_date in zip(names, dated, strict=True) if any_date]
    return rows.with_columns(pl.col(dates).str.replace(_MIDNIGHT, "$1")) if dates else rows


def _as_first(rows: pl.DataFrame, header: Header, first: Header, sheet: str) -> pl.DataFrame:
    """Return a later sheet's rows with its columns in the first one's order; raises BadFile when they are others."""
    if header.columns == first.columns:
        return rows
    here = {" ".join(name.split()): at for at, name in enumerate(header.columns) if name.strip()}
    wanted = [" ".join(name.split()) for name in first.columns]
    if sorted(here) != sorted(name for name in wanted if name) or set(kept_columns(header)) != set(
        kept_columns(first)
    ):
        raise bad_file(
            f"Sheet “{quoted(sheet)}” has other columns than the sheet before it.",
            f"แผ่นงาน “{quoted(sheet)}” มีคอลัมน์ต่างจากแผ่นงานก่อนหน้า",
            "Give all sheets the same columns, or submit them one by one with --sheet.",
            "ใช้คอลัมน์เดียวกันทุกแผ่นงาน หรือส่งทีละแผ่นงานด้วย --sheet",
        )
    cells = [pl.col(f"c{here[name]}") if name else pl.lit("") for name in wanted]
    return rows.select([*(cell.alias(f"c{at}") for at, cell in enumerate(cells)), ROW_COLUMN])
