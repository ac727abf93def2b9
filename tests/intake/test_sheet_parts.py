"""A sheet that is read in parts says the same as one that is read whole, wherever it is cut and however it is spelled."""

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from domain.errors import BadFile
from intake import sheet_package
from intake.sheet_package import read_sheet
from intake.sheet_parts import EarlyParts, read_parts
from intake.workbook import Workbook
from tests.intake.conftest import Desk
from tests.intake.samples import as_xlsx, grid, members

SHEET = "xl/worksheets/sheet1.xml"
SHARED = "xl/sharedStrings.xml"
Change = Callable[[bytes], bytes]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handful of rows a part."""
    monkeypatch.setattr("intake.sheet_parts.PART_BYTES", 600)
    monkeypatch.setattr("intake.inflate.PACKED_BYTES", 60)


def made(
    rows: dict[int, list[Any]],
    *,
    in_place: bool = False,
    column: int = 0,
    change: Change = bytes,
    entry: str = SHEET,
) -> bytes:
    """Return a workbook with rows (counted from 0) that begin in a column; `change` edits the sheet, or another entry."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"constant_memory": in_place}) as book:
        sheet, money = book.add_worksheet("สมาชิก"), book.add_format({"num_format": "d/m/yyyy"})
        other = book.add_worksheet("other")
        other.write(0, 0, "x")
        other.hide()
        for at, cells in rows.items():
            for place, cell in enumerate(cells, column):
                if cell is None:
                    sheet.write_blank(at, place, None, money)
                else:
                    sheet.write(at, place, cell, *([money] if isinstance(cell, int | Dated) else []))
    packed = io.BytesIO()
    with zipfile.ZipFile(out) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, (change if name == entry else bytes)(old.read(name)))
    return packed.getvalue()


def parts_of(data: bytes, early: EarlyParts | None = None) -> list[pl.DataFrame]:
    """Return a workbook's first sheet in parts, read while it was scanned or afterwards."""
    book = Workbook(data, early.read if early else None)
    return list(read_parts(book, book.sheets[0], "", early))


def is_same(data: bytes) -> bool:
    """Say whether parts, early and late ones, and whole are one."""
    whole = read_sheet(data, "สมาชิก", from_top=True)
    tables = []
    for early in (EarlyParts(), None):
        parts = parts_of(data, early)
        assert len(parts) > 2
        tables.append(pl.concat(parts))
    return all(
        table.equals(whole.rename(dict(zip(whole.columns, table.columns, strict=True)))) for table in tables
    )


class Dated(str):
    """A text in a cell that shows dates."""


ROWS = {
    at: [f"M{at:04d}", f'ชื่อ <{at}> & t="s"><v>', at, at / 8, True, "ซ้ำ", "", 45000 + at] for at in range(120)
}
GAPS = {at: cells for at, cells in ROWS.items() if at % 20 < 11}
#: cells that all refer to a shared text, some of them shown as dates were they numbers
TEXTS = {
    at: [f"M{at:04d}", "ซ้ำ", None if at % 5 else f"ก & {at}", Dated(f"{at}/1/2567"), f" {at}"]
    for at in range(120)
}
BLANKS = {at: cells if at % 9 else [None] * 8 for at, cells in ROWS.items()}


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("rows", [ROWS, GAPS, BLANKS, TEXTS, {at + 7: cells for at, cells in ROWS.items()}])
@pytest.mark.parametrize("column", [0, 3])
def test_parts_put_side_by_side_are_the_whole(
    rows: dict[int, list[Any]], in_place: bool, column: int
) -> None:
    """Texts of the cells' own and shared ones, numbers, dates and truths, rows that are not there, blank ones, columns to the left."""
    assert is_same(made(rows, in_place=in_place, column=column))


def spelled(old: bytes, new: bytes) -> Change:
    """Return the change of one spelling into another; it must be met."""

    def change(xml: bytes) -> bytes:
        changed = re.sub(old, new, xml)
        assert changed != xml
        return changed

    return change


@pytest.mark.parametrize("rows", [TEXTS, ROWS])
@pytest.mark.parametrize(
    "change",
    [
        spelled(rb't="s"', b"t='s'"),
        spelled(rb't="s"', b't = "s"'),
        spelled(rb't="s"><v>', b't="s" ><v>'),
        spelled(rb"<v>", b'<v xml:space="preserve">'),
        spelled(rb'r="(\w+)"([^>]*) t="s"', rb't="s"\2 r="\1"'),
        spelled(rb'<c r="\w+"', b"<c"),
        lambda xml: re.sub(rb"<(/?)(?=[a-z])", rb"<\1x:", xml).replace(b"xmlns=", b"xmlns:x="),
        spelled(rb' t="s"><v>40<', b"><v>40<"),
        spelled(rb' t="s"><v>40</v>', b' t="inlineStr"><is><t>x</t></is>'),
        spelled(rb' t="s"><v>40<', b' t="str"><v>x<'),
        spelled(rb' t="s"><v>40</v>', b' t="str"><y:v xmlns:y="y">x</y:v>'),
        spelled(rb' t="s"><v>40</v>', b' t="str"><v xml:space="preserve">x</v>'),
        spelled(rb' t="s"><v>40<', b' t="b"><v>1<'),
    ],
)
def test_other_spellings_and_other_cells_say_what_they_hold(
    rows: dict[int, list[Any]], change: Change
) -> None:
    """What we would not see as a shared text is left to the reader; nothing but a reference is looked up."""
    assert is_same(made(rows, change=change))


@pytest.mark.parametrize("row", [b"31", b"91"])
@pytest.mark.parametrize(
    ("found", "put", "is_ordered"),
    [
        (b"<row", b"<row", True),
        (b'<row r="@"', b"<row", False),
        (b'<row r="@"', b'<row r="2"', False),
        (b'<row r="@"', b'<row r="^"', False),
        (b'<row r="@"', b'<!-- x --><row r="@"', False),
    ],
)
def test_a_sheet_whose_rows_are_not_ordered_is_not_cut(
    row: bytes, found: bytes, put: bytes, is_ordered: bool
) -> None:
    """Only the reader knows then which row is which."""
    before = b"%d" % (int(row) - 1)
    old, new = found.replace(b"@", row), put.replace(b"@", row).replace(b"^", before)
    early = EarlyParts()
    book = Workbook(made(ROWS, change=lambda xml: xml.replace(old, new)), early.read)
    assert book.scan(SHEET).is_ordered is is_ordered
    assert (early.take() is not None) is is_ordered


async def test_what_stands_beside_the_table_far_below_is_named(desk: Desk) -> None:
    """A column that begins in a later part has no name in the header."""
    table: list[list[object]] = [list(row) for row in grid(members(40))]
    table[38].append("x")
    with pytest.raises(BadFile, match=r"Column X has no name .*Row 39"):
        await desk.submit(as_xlsx({"a": table}))


@pytest.mark.parametrize("rows", [TEXTS, ROWS])
@pytest.mark.parametrize("change", [spelled(rb"<sst", b"<!--<si>--><sst"), spelled(rb"(</?)s", rb"\1m:s")])
def test_texts_that_we_cannot_count_are_read_by_the_reader(
    rows: dict[int, list[Any]], change: Change
) -> None:
    """With every part."""
    named = rb'<m:sst xmlns:m="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    assert is_same(made(rows, change=lambda xml: change(xml).replace(b"<m:sst", named, 1), entry=SHARED))


@pytest.mark.parametrize("rows", [TEXTS, ROWS])
def test_texts_are_read_once_and_references_alone_as_numbers(
    rows: dict[int, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No part is read with all texts, and cells that only refer are not made texts and taken apart again."""
    kinds: list[str] = []
    read, with_texts = sheet_package.read_sheet, []

    def seen(data: bytes, name: str, *, from_top: bool, kind: sheet_package.Kind = "string") -> pl.DataFrame:
        kinds.append(kind)
        with_texts.append(SHARED in zipfile.ZipFile(io.BytesIO(data)).namelist())
        return read(data, name, from_top=from_top, kind=kind)

    data = made(rows)
    monkeypatch.setattr("intake.sheet_package.read_sheet", seen)
    parts_of(data)
    assert not any(with_texts)
    first = kinds.index("float") if rows is TEXTS else len(kinds)
    assert set(kinds[first:]) == ({"float"} if rows is TEXTS else set())
    assert set(kinds[:first]) <= {"string"}


@pytest.mark.parametrize("rows", [TEXTS, ROWS])
@pytest.mark.parametrize(
    "number", [b"999999", b"99999999999", b"-1", b"x", b"", b"40.5", b"40.0", b"4e1", b" 40"]
)
def test_a_number_that_no_shared_text_has_is_no_text(rows: dict[int, list[Any]], number: bytes) -> None:
    """Such a workbook is damaged, and nothing is made up for it."""
    with pytest.raises(BadFile, match="cannot be read"):
        parts_of(made(rows, change=lambda xml: xml.replace(b"<v>40</v>", b"<v>" + number + b"</v>", 1)))


async def test_memory_follows_a_part_and_not_the_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader is never handed more than a part, and no more of them wait than are read at once."""
    sizes: list[int] = []
    read = sheet_package.read_sheet

    def measured(data: bytes, name: str, **how: Any) -> pl.DataFrame:
        sizes.append(len(data))
        return read(data, name, **how)

    monkeypatch.setattr("intake.sheet_package.read_sheet", measured)
    most = []
    for times in (1, 4):
        rows = {at: [f"M{at:05d}", "ก" * 40] for at in range(200 * times)}
        book = Workbook(made(rows, in_place=True))
        sizes.clear()
        frames = read_parts(book, book.sheets[0], "")
        height = next(frames).height
        assert len(sizes) <= 4
        assert height + sum(frame.height for frame in frames) == len(rows)
        most.append(max(sizes))
    assert most[1] < most[0] * 1.1
