"""Reads a workbook's sheets in memory, after the package and each sheet's bytes have been looked at. Nothing touches a disk."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import polars as pl

from domain.errors import BadFile
from intake.faults import bad_file, named, no_rows, of_sheet, quoted
from intake.frames import Look, ReadTask
from intake.look import HEADER_ROWS, Header, best_header, check_header, headless, refuse_misread
from intake.read import make_look
from intake.sheet_package import read_sheet
from intake.sheet_parts import EarlyParts, read_parts
from intake.sheet_scan import MOST_ROWS, Scan, refuse_hidden_things, too_long
from intake.table import ROW_COLUMN, TableMaker, kept_columns
from intake.workbook import MOST_PACKED, Sheet, Workbook, choose_sheets

#: rows of one chunk
CHUNK_ROWS = 25_000
#: a day as a bare number, perhaps with a time of day; and how many days one count is behind the other
_DAYS = r"^(\d{1,6})(?:\.\d+)?$"
_1900_TO_1904 = 1462
#: a real date comes as a date with midnight
_MIDNIGHT = r"^(\d{4}-\d{2}-\d{2}) 00:00:00$"


def read_workbook(
    pieces: Iterator[bytes], task: ReadTask, maker: TableMaker, agree: Callable[[Look], None]
) -> None:
    """Read the workbook into `maker`; raises BadFile."""
    early = EarlyParts()
    book = Workbook(_whole(pieces), early.read)
    visible = [sheet for sheet in book.sheets if sheet.visible]
    scans = {sheet.path: _scan(book, sheet, len(visible)) for sheet in visible}
    filled = tuple(sheet for sheet in visible if scans[sheet.path].last_row)
    chosen = choose_sheets(book.sheets, filled, task.sheet)
    if not chosen or not all(scans[sheet.path].last_row for sheet in chosen):
        raise no_rows()
    first: Header | None = None
    for sheet in chosen:
        name = sheet.name if len(chosen) > 1 else ""
        is_ordered = scans[sheet.path].is_ordered
        frames = read_parts(book, sheet, name, early) if is_ordered else _whole_sheet(book, sheet)
        top = next(frames)
        try:
            header = _header(top, maker)
            refuse_hidden_things(scans[sheet.path], header.row, len(header.columns))
            if scans[sheet.path].last_row - header.row > MOST_ROWS:
                raise too_long()
        except BadFile as fault:
            raise of_sheet(fault, name) from None
        for at, rows in _chunks(chain([top.slice(header.row)], frames), header.row):
            part = _rows(rows, at)
            if book.counts_from_1904:
                part = part.with_columns(_since_1900(pl.col(one)) for one in _dates(header, maker))
            if first is None:
                first = header
                agree(make_look(header, part, maker.profile, "XLSX", "", tuple(one.name for one in filled)))
            if at == header.row:
                maker.begin(first, name)
            # escapes such as _x0007_ give control characters: the check looks at every column
            maker.add(_as_first(part, header, first, name), odd=True)
        maker.end_sheet()
    if hidden := [sheet.name for sheet in book.sheets if not sheet.visible]:
        maker.note(f"Hidden sheets were not read: {named(hidden)}.", f"ไม่ได้อ่านแผ่นงานที่ซ่อนไว้: {named(hidden)}")
    if book.links:
        maker.note(
            "The workbook refers to other files; those were not looked at.",
            "สมุดงานอ้างถึงไฟล์อื่น ระบบไม่ได้อ่านไฟล์เหล่านั้น",
        )


def _scan(book: Workbook, sheet: Sheet, sheets: int) -> Scan:
    try:
        return book.scan(sheet.path)
    except BadFile as fault:
        raise of_sheet(fault, sheet.name if sheets > 1 else "") from None


def _whole(pieces: Iterator[bytes]) -> bytes:
    out = bytearray()
    for piece in pieces:
        out += piece
        if len(out) > MOST_PACKED:
            raise too_long()
    return bytes(out)


def _whole_sheet(book: Workbook, sheet: Sheet) -> Iterator[pl.DataFrame]:
    """Yield a sheet at once, in the reader's own order of its rows."""
    frame = read_sheet(book.data, sheet.name, from_top=True)
    yield frame.rename({column: f"c{at}" for at, column in enumerate(frame.columns)})


def _chunks(frames: Iterable[pl.DataFrame], above: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield the rows in chunks, the first of them even where there is none, with the number of rows above each."""
    held: list[pl.DataFrame] = []
    is_first = True
    for frame in frames:
        held.append(frame)
        while sum(one.height for one in held) >= CHUNK_ROWS:
            rows = pl.concat(held, rechunk=False)
            yield above, rows.head(CHUNK_ROWS)
            above, is_first = above + CHUNK_ROWS, False
            held = [rows.slice(CHUNK_ROWS)]
    rows = pl.concat(held, rechunk=False)
    if rows.height or is_first:
        yield above, rows


def _header(frame: pl.DataFrame, maker: TableMaker) -> Header:
    rows = [["" if cell is None else cell for cell in row] for row in frame.head(HEADER_ROWS).rows()]
    best = best_header(((cells, 0) for cells in rows), maker.profile)
    refuse_misread(best and best[0], chain.from_iterable(rows))
    if best is None:
        raise headless()
    header = best[0]
    check_header(header)
    return header


def _rows(part: pl.DataFrame, above: int) -> pl.DataFrame:
    """Return a chunk's rows, which stand below so many others, as the CSV reader gives them."""
    names = part.columns
    rows = part.rechunk().with_columns(
        pl.all().fill_null(""),
        pl.int_range(above + 1, above + 1 + part.height, dtype=pl.UInt32, eager=True).alias(ROW_COLUMN),
    )
    dated = rows.select(pl.col(names).str.ends_with(" 00:00:00").any()).row(0)
    dates = [name for name, any_date in zip(names, dated, strict=True) if any_date]
    return rows.with_columns(pl.col(dates).str.replace(_MIDNIGHT, "$1")) if dates else rows


def _dates(header: Header, maker: TableMaker) -> list[str]:
    """Return the columns that hold dates."""
    fields = maker.profile.fields
    return [f"c{at}" for name, at in header.match.places.items() if fields[name].is_date]


def _since_1900(days: pl.Expr) -> pl.Expr:
    """Return bare numbers of days as most workbooks count them; what is shown as a date comes as a date whatever the count."""
    number = days.str.extract(_DAYS).cast(pl.Int64) + _1900_TO_1904
    return pl.coalesce(number.cast(pl.String), days)


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
