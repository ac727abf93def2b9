"""Files that mean harm or are broken, made as small as they can be: what `test_hostile_files` hands in."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import xlsxwriter

from tests.intake.samples import HEADER, as_csv, as_xlsx, grid, members

ID, NAME, HOUSE = HEADER.index("national_id"), HEADER.index("first_name"), HEADER.index("house_no")


def cells(count: int = 3) -> list[list[str]]:
    """Return a good table."""
    return grid(members(count))


def with_cell(row: int, column: int, text: str) -> bytes:
    """Return a good CSV in which one cell says something else."""
    table = cells()
    table[row][column] = text
    return as_csv(table)


def raw(row: int, column: int, text: str) -> bytes:
    """Return a good CSV in which one cell is replaced after quoting."""
    return with_cell(row, column, "@@").replace(b"@@", text.encode())


def book(change: Callable[[Any, Any], None], options: dict[str, Any] | None = None) -> bytes:
    """Return a good workbook that `change(book, sheet)` has touched."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, options or {}) as made:
        sheet = made.add_worksheet("สมาชิก")
        for at, row in enumerate(cells()):
            sheet.write_row(at, 0, row)
        change(made, sheet)
    return out.getvalue()


def second_formula() -> bytes:
    """Return a workbook whose second sheet holds a formula."""

    def more(made: Any, _: Any) -> None:
        sheet = made.add_worksheet("ข")
        for at, row in enumerate(cells()):
            sheet.write_row(at, 0, row)
        sheet.write_formula(1, 0, "=1+1")

    return book(more)


def repacked(edit: dict[str, Callable[[bytes], bytes]], add: dict[str, bytes] | None = None) -> bytes:
    """Return a good workbook with entries edited and added."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(as_xlsx({"a": cells()}))) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, edit.get(name, bytes)(old.read(name)))
        for name, data in (add or {}).items():
            new.writestr(name, data)
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
LAUGHS = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'


def overlapping() -> bytes:
    """Return a workbook whose directory points twice at the same bytes."""
    data = bytearray(repacked({}))
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 4)
    third = data.index(b"PK\x01\x02", second + 4)
    data[third + 42 : third + 46] = data[second + 42 : second + 46]
    return bytes(data)


def ole() -> bytes:
    """Return the beginning of an old or encrypted Excel file."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096)


def far_cell() -> bytes:
    """Return five kilobytes that ask for a table of seventeen thousand million cells."""
    return repacked(
        {
            SHEET: lambda xml: xml.replace(
                b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
            )
        }
    )


def far_column(add: dict[str, bytes] | None = None) -> bytes:
    """Return a workbook with something in its last column."""
    return repacked(
        {
            SHEET: lambda xml: xml.replace(
                b"</sheetData>", b"<row r='9'><c s='0' r = 'XFD9'><v>1</v></c></row></sheetData>"
            )
        },
        add,
    )


def bomb() -> bytes:
    """Return a workbook with a sheet of a hundred megabytes of nothing."""
    return repacked({}, {"xl/worksheets/sheet2.xml": b" " * (100 << 20)})


def not_workbook() -> bytes:
    """Return a zip in a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("members.zip", repacked({}))
    return out.getvalue()


def packed(*names: str) -> bytes:
    """Return a zip of empty parts: what other programs' files are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name in names:
            made.writestr(name, b"")
    return out.getvalue()


def mixed() -> bytes:
    """Return a file whose fourth line alone is Windows-874."""
    lines = as_csv(cells()).split(b"\r\n")
    lines[3] = lines[3].decode().encode("cp874")
    return b"\r\n".join(lines)


def widened(*column: str) -> bytes:
    """Return a good CSV with one more column."""
    return as_csv([[*row, cell] for row, cell in zip(cells(), column, strict=True)])


def short() -> bytes:
    """Return a CSV whose first record lacks its last two cells."""
    table = cells()
    del table[1][-2:]
    return as_csv(table)


def quoted_and_short() -> bytes:
    """Return a CSV with commas inside quotation marks, and one record without its last cell."""
    table = cells()
    table[1][HOUSE] = table[3][HOUSE] = '9,9 "หลัง"'
    del table[2][-1]
    return as_csv(table)
