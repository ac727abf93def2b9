"""Looks through a sheet's bytes for what a table of values does not show: its true extent, formulas, merged and hidden places.

A chunked scan, no XML parser: it must stay as fast as the reader itself, and its memory must not follow the sheet's size.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from domain.errors import BadFile
from intake.faults import SAVE_AS_EN, SAVE_AS_TH, bad_file, place
from intake.look import MOST_COLUMNS, too_wide
from intake.table import column_letters

#: most rows of a sheet; a larger one is asked for as CSV
MOST_ROWS = 200_000
#: bytes of one row's XML
ROW_BYTES = 4 << 20
#: bytes in which the sheet's own element begins
ROOT_BYTES = 64 << 10
#: formulas and hidden rows that are remembered
REMEMBERED = 300_000
_ROW = re.compile(rb"<row(?=[\s>/])")
_ROW_NUMBER = re.compile(rb"""\br\s*=\s*["'](\d+)""")
# empty where a row does not say its number in the usual spelling
_ROW_NUMBERS = re.compile(rb"""<row(?:\s[^>]*?\br="(\d+))?""")
_VALUE = re.compile(rb"<(?:v|is)")
_HIDDEN = re.compile(rb"""\bhidden\s*=\s*["'](?:1|true)""")
_FILLED = re.compile(rb"""<c\b(?=[^>]*\br\s*=\s*["']([A-Z]+)\d)[^>]*[^/]>""")
_CELL = re.compile(rb"""<c\b[^>]*\br\s*=\s*["']([A-Z]+)\d""")
# begins with letters, so that the search jumps from cell to cell
_WIDE = re.compile(rb"""r="(?:[A-Z]{3,}|S[G-Z]|[T-Z][A-Z])\d""")
_WIDE_ANY = re.compile(rb"""\br\s*=\s*["'](?:[A-Z]{3,}|S[G-Z]|[T-Z][A-Z])\d""")
#: what a plain sheet of values has nowhere: formulas, merges, hidden rows, attributes in an unusual spelling; each behind a
#: letter that is itself rare in a sheet's tags and found much faster
_RARE = ((b"f", b"<f"), (b"g", b"<mergeCell"), (b"d", b"hidden"), (b"'", b"'"))
#: rows in which the first filled column is sought
_EDGE_ROWS = 50
_MERGED = re.compile(rb"""<mergeCell\b[^>]*\bref\s*=\s*["']([A-Z]+)(\d+):([A-Z]+)(\d+)""")
_COLUMN = re.compile(rb"<col\b[^>]*>")
_ROOT = re.compile(rb"<(\w+:)?worksheet\b")


@dataclass(slots=True)
class Scan:
    """What a scan found; rows count from 1, columns from 0.

    `is_ordered`: every row says its number, each a greater one than the row before, and nothing but elements stands between.
    """

    rows: int = 0
    row: int = 0
    is_ordered: bool = True
    last_row: int = 0
    first_column: int = MOST_COLUMNS
    formulas: dict[int, str] = field(default_factory=dict)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    merged: list[tuple[int, str]] = field(default_factory=list)


def scan_sheet(pieces: Iterable[bytes]) -> Scan:
    """Scan a worksheet's XML; raises BadFile when it is beyond the limits of rows and columns."""
    scan = Scan()
    for _ in scanned(pieces, scan):
        pass
    return scan


def scanned(pieces: Iterable[bytes], scan: Scan) -> Iterator[bytes]:
    """Scan a worksheet's XML and yield it in blocks that end before a row begins, each once it has been looked at; raises BadFile."""
    for number, block in enumerate(whole_rows(pieces)):
        # comments and the like could hide a row from us or show us one that is none
        scan.is_ordered &= not (b"!" in block and b"<!" in block)
        before, *rows = _ROW.split(block) if number == 0 or not _plain(block, scan) else [b""]
        if number == 0:
            _before(before, scan)
        for part in rows:
            _one_row(part, scan)
        yield block


def _plain(block: bytes, scan: Scan) -> bool:
    """Take many rows at once where nothing rare is among them; False when they must be looked at one by one."""
    if scan.rows < _EDGE_ROWS or any(letter in block and mark in block for letter, mark in _RARE):
        return False
    numbers = _ROW_NUMBERS.findall(block)
    if not numbers or not all(numbers) or not _VALUE.search(block):
        return False
    rows = [scan.row, *map(int, numbers)]
    scan.is_ordered &= rows == sorted(rows) and len(set(rows)) == len(rows)
    scan.row = rows[-1]
    _within(max(rows), block, scan)
    return True


def _one_row(part: bytes, scan: Scan) -> None:
    head, _, body = part.partition(b">")
    found = _ROW_NUMBER.search(head)
    scan.is_ordered &= found is not None and int(found.group(1)) > scan.row
    scan.row = int(found.group(1)) if found else scan.row + 1
    if b"<mergeCell" in body:
        _merged(body, scan)
    if b"<v" not in body and b"<is" not in body and b"<f" not in body:
        return
    if scan.rows < _EDGE_ROWS and (filled := _FILLED.search(body)):
        scan.first_column = min(scan.first_column, column_number(filled.group(1)))
    scan.rows += 1
    _within(scan.row, body, scan)
    _look_closer(scan.row, head, body, scan)


def _within(row: int, body: bytes, scan: Scan) -> None:
    scan.last_row = max(scan.last_row, row)
    if row > MOST_ROWS + 20:
        raise too_long()
    if _WIDE.search(body):
        raise too_wide(MOST_COLUMNS + 1)


def _look_closer(row: int, head: bytes, body: bytes, scan: Scan) -> None:
    if _WIDE_ANY.search(body):
        raise too_wide(MOST_COLUMNS + 1)
    if _HIDDEN.search(head) and len(scan.hidden_rows) < REMEMBERED:
        scan.hidden_rows.append(row)
    if b"<f" in body and len(scan.formulas) < REMEMBERED and (at := re.search(rb"<f[\s/>]", body)):
        cells = _CELL.findall(body, 0, at.start())
        scan.formulas[row] = cells[-1].decode() if cells else ""


def whole_rows(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the sheet in blocks that end before a row begins, its elements without a prefix."""
    held, prefix, is_begun = b"", b"", False
    for piece in pieces:
        more = piece
        if prefix or not is_begun:
            # a tag cut in two at the end of a piece is whole again in the next round
            more, held = held + piece, b""
        if not is_begun:
            root = _ROOT.search(more)
            if root is None and len(more) < ROOT_BYTES:
                held = more
                continue
            prefix, is_begun = (root and root.group(1)) or b"", True
        if prefix:
            more = more.replace(b"<" + prefix, b"<").replace(b"</" + prefix, b"</")
        cut = more.rfind(b"<row")
        if cut > 0 or (cut == 0 and held):
            yield b"".join((held, memoryview(more)[:cut]))
            held = more[cut:]
        else:
            held += more
        if len(held) > ROW_BYTES:
            raise too_wide(MOST_COLUMNS + 1)
    yield held


def _before(part: bytes, scan: Scan) -> None:
    for column in _COLUMN.findall(part):
        low, high = (
            re.search(rb"""\bmin\s*=\s*["'](\d+)""", column),
            re.search(rb"""\bmax\s*=\s*["'](\d+)""", column),
        )
        if low and high and _HIDDEN.search(column):
            scan.hidden_columns.append((int(low.group(1)) - 1, int(high.group(1)) - 1))
    _merged(part, scan)


def _merged(part: bytes, scan: Scan) -> None:
    for left, top, right, bottom in _MERGED.findall(part):
        scan.merged.append((int(bottom), f"{left.decode()}{int(top)}:{right.decode()}{int(bottom)}"))


def refuse_hidden_things(scan: Scan, header_row: int, columns: int) -> None:
    """Raise BadFile, naming the place, for formulas, merged cells and hidden rows or columns in the table's own area."""
    rows = [row for row in scan.hidden_rows if row > header_row]
    if rows:
        en, th = place(rows[0])
        raise _fault(f"{en} is hidden", f"{th} ถูกซ่อนไว้", "Unhide all rows", "ยกเลิกการซ่อนแถวทั้งหมด")
    for low, high in scan.hidden_columns:
        first = max(low, scan.first_column)
        if first <= min(high, scan.first_column + columns - 1):
            letters = column_letters(first)
            raise _fault(
                f"Column {letters} is hidden",
                f"คอลัมน์ {letters} ถูกซ่อนไว้",
                "Unhide all columns",
                "ยกเลิกการซ่อนคอลัมน์ทั้งหมด",
            )
    for bottom, area in scan.merged:
        if bottom > header_row:
            raise _fault(
                f"Cells {area} are merged", f"เซลล์ {area} ถูกผสานกัน", "Unmerge them", "ยกเลิกการผสานเซลล์"
            )
    formulas = sorted(row for row in scan.formulas if row > header_row)
    if formulas:
        cell = f"{scan.formulas[formulas[0]]}{formulas[0]}"
        raise _fault(
            f"Cell {cell} holds a formula",
            f"เซลล์ {cell} เป็นสูตร",
            "Paste the column as values",
            "วางคอลัมน์นั้นเป็นค่า (Paste values)",
        )


def _fault(en: str, th: str, remedy_en: str, remedy_th: str) -> BadFile:
    return bad_file(
        f"{en}.", th, f"{remedy_en}, save the file, and submit it again.", f"{remedy_th} บันทึก แล้วส่งไฟล์อีกครั้ง"
    )


def too_long() -> BadFile:
    """Return the error for a sheet with more rows than are read from a workbook."""
    return bad_file(
        f"The sheet has more than {MOST_ROWS:,} rows; a workbook of that size is not read.",
        f"แผ่นงานมีเกิน {MOST_ROWS:,} แถว ระบบไม่อ่านสมุดงานขนาดนั้น",
        SAVE_AS_EN,
        SAVE_AS_TH,
    )


def column_number(letters: bytes) -> int:
    """Return a column's number (A = 0)."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
