"""The hostile files of reliability.md 3.7: each gets words that name the place and the remedy, and hurts nobody.

A case says what is made, and what must come of it: words of a refusal, or fault codes by row, or nothing at all.
"""

import datetime as dt
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from domain.errors import BadFile
from intake.dry_run import dry_run
from intake.frames import Limits
from intake.keeper import keep_child
from intake.parts import SubmitRequest
from tests.intake.conftest import REGISTRY, Desk, living_children
from tests.intake.hostile import (
    HOUSE,
    ID,
    LAUGHS,
    NAME,
    SHEET,
    bomb,
    book,
    cells,
    far_cell,
    far_column,
    mixed,
    not_workbook,
    ole,
    overlapping,
    packed,
    quoted_and_short,
    raw,
    repacked,
    second_formula,
    short,
    widened,
    with_cell,
)
from tests.intake.samples import HEADER, THAI_HEADER, as_csv, as_xlsx, grid, member, national_id


@dataclass(frozen=True)
class Case:
    """One hostile file: `says` words of the refusal, `codes` faults by row; `real` in a real limited process."""

    name: str
    make: Callable[[], bytes]
    says: str = ""
    codes: dict[int, str] | None = None
    sheet: str | None = None
    ignored: tuple[str, ...] = ()
    real: bool = False


FINE: dict[int, str] = {}
CASES = [
    Case("1 formula in a name", lambda: with_cell(1, NAME, "=cmd|'/c calc'!A1"), codes={2: "bad-first-name"}),
    Case("1 full-width formula", lambda: with_cell(1, NAME, "＝1+1"), codes={2: "bad-first-name"}),
    Case("3 zip bomb", bomb, says="unpacks", real=True),
    Case("3 zip bomb behind a wide sheet", lambda: far_column({"xl/media/a.xml": b" " * (8 << 20)}), says="unpacks"),
    Case("4 entities behind a wide sheet", lambda: far_column({"xl/worksheets/sheet2.xml": LAUGHS}), says="DTD"),
    Case("3 too many entries", lambda: repacked({}, {f"a{n}": b"" for n in range(300)}), says="parts"),
    Case("3 overlapping entries", overlapping, says="overlap|damaged"),
    Case("3 zip in a zip", not_workbook, says="no Excel workbook"),
    Case("4 entities in a sheet", lambda: repacked({SHEET: lambda xml: LAUGHS + xml}), says="DTD"),
    Case("4 entities in the index", lambda: repacked({"xl/workbook.xml": lambda xml: LAUGHS + xml}), says="DTD"),
    Case("5 a cell at the far corner", far_cell, says="CSV UTF-8", real=True),
    Case("5 a cell in the last column", far_column, says="columns"),
    Case(
        "5 a dimension that lies",
        lambda: repacked({SHEET: lambda xml: xml.replace(b'ref="A1:W4"', b'ref="A1:XFD1048576"')}),
        codes=FINE,
        real=True,
    ),
    Case("6 macros", lambda: repacked({}, {"xl/vbaProject.bin": b"\x00"}), says="macros"),
    Case("6 OpenDocument", lambda: packed("mimetype", "content.xml"), says="OpenDocument"),
    Case("6 binary workbook", lambda: packed("[Content_Types].xml", "xl/workbook.bin"), says="xlsb"),
    Case("6 old or encrypted Excel", ole, says="password"),
    Case("7 hidden row", lambda: book(lambda _, sheet: sheet.set_row(2, None, None, {"hidden": True})), says="Row 3 is hidden"),
    Case("7 hidden column", lambda: book(lambda _, sheet: sheet.set_column(3, 3, None, None, {"hidden": 1})), says="Column D is hidden"),
    Case("7 merged cells", lambda: book(lambda made, sheet: sheet.merge_range("D2:E2", "x")), says="D2:E2 are merged"),
    Case("7 formula in data", lambda: book(lambda _, sheet: sheet.write_formula("C3", "=1+1", None, "2")), says="Cell C3 holds a formula"),
    Case("7 hidden sheet", lambda: book(lambda made, _: hide(made.add_worksheet("ซ่อน"))), codes=FINE),
    Case("7 external link", lambda: repacked({}, {"xl/externalLinks/externalLink1.xml": b"<externalLink/>"}), codes=FINE),
    Case("several sheets", lambda: as_xlsx({"ก": cells(), "ข": cells()}), says="“ก”, “ข”"),
    Case("a sheet without a header", lambda: as_xlsx({"ก": cells(), "ข": [["x"]]}), says="Sheet “ข”: No header", sheet="all"),
    Case("7 formula in a second sheet", second_formula, says="Sheet “ข”: Cell A2 holds a formula", sheet="all"),
    Case("a sheet that is not there", lambda: as_xlsx({"ก": cells()}), says="no sheet of that name", sheet="ค"),
    Case("9 exponent ID", lambda: with_cell(2, ID, "1.10170E+12"), codes={3: "id-spreadsheet"}),
    Case("9 lost leading zero", lambda: with_cell(2, ID, "110170023070"), codes={3: "id-spreadsheet"}),
    Case("10 Thai digits", lambda: with_cell(2, ID, "".join(chr(0x0E50 + int(d)) for d in national_id(1))), codes=FINE),
    Case("11 SARA AM in two", lambda: with_cell(2, NAME, "อ\u0e4d\u0e32นวย"), codes=FINE),
    Case("12 zero width", lambda: with_cell(2, NAME, "สม\u200bชาย\ufeff"), codes=FINE),
    Case("12 bidi control", lambda: with_cell(2, NAME, "สม\u202eชาย"), codes={3: "bidi-control"}),
    Case("13 mixed encodings", mixed, says="line 4"),
    Case("13 no encoding at all", lambda: with_cell(1, NAME, "@").replace(b"@", b"\xfc\xfd\xfe\xff"), says="(line|Line) 2"),
    Case("13 UTF-16 without a mark", lambda: as_csv(cells(), "utf-16-le"), says="UTF-16"),
    Case("14 NUL byte", lambda: with_cell(2, NAME, "สม\x00ชาย"), codes={3: "control-character"}),
    Case("14 control in an ignored column", lambda: widened("x", "x", "\x07", "x"), codes={3: "control-character"}, ignored=("x",)),
    Case("15 long cell", lambda: with_cell(2, HOUSE, "9" * 5000), says="Row 3, column “house_no”"),
    Case("16 open quote", lambda: raw(2, HOUSE, '"99/1'), says=r'row 3 is never closed'),
    Case("16 stray quote", lambda: raw(2, HOUSE, '"99" x'), says="row 3"),
    Case("17 pipe", lambda: as_csv(cells(), delimiter="|"), says=r"separated by “\|”"),
    Case("17 CR only", lambda: as_csv(cells(), newline="\r"), codes=FINE),
    Case("17 mixed newlines", lambda: as_csv(cells(), newline="\n").replace(b"\n", b"\r\n", 2), codes=FINE),
    Case("18 the same header twice", lambda: widened("national_id", "1", "2", "3"), says="more than once: national_id"),
    Case("18 two names of one field", lambda: widened("เลขบัตรประชาชน", "1", "2", "3"), says="national_id"),
    Case("18 unknown header twice", lambda: as_csv([[*row, "x", "x"] for row in cells()]), says="“x”", ignored=("x",)),
    Case("18 column without a name", lambda: widened("", "", "", "x"), says="Column X has no name"),
    Case("18 10,000 columns", lambda: as_csv([[*row, *["x"] * 10_000] for row in cells()]), says="10,023 columns"),
    Case("19 one comma too many", lambda: raw(2, HOUSE, "99/1, ซอย 2"), says="Row 3 has 24 cells"),
    Case("19 one cell too few", short, says="Row 2 has 21 cells"),
    Case("19 a quoted file with one cell too few", quoted_and_short, says="Row 3 has 22 cells"),
    Case("21 another party's code", lambda: widened("party", "P999", "P999", "P999"), codes=FINE, ignored=("party",)),
    Case("24 a web page", lambda: b"\r\n<!DOCTYPE html><html><table><tr><td>operation</table>", says="HTML"),
    Case("24 CSV and zip in one", lambda: as_csv(cells()) + repacked({}), says="line|row|Row"),
    Case("26 gzip", lambda: gzip.compress(as_csv(cells())), says="gzip"),
    Case("a PDF", lambda: b"%PDF-1.7\n" + bytes(100), says="PDF"),
    Case("empty", lambda: b"", says="empty"),
    Case("nothing but a mark", lambda: b"\xef\xbb\xbf\r\n", says="empty"),
    Case("header alone", lambda: as_csv(cells()[:1]), says="no row below the header"),
    Case("headless", lambda: as_csv(cells()[1:]), says="No header"),
    Case("Thai header alone in a workbook", lambda: as_xlsx({"a": [THAI_HEADER]}), says="no row below the header"),
    Case("cut in the middle of a row", lambda: as_csv(cells())[:-40], says="cut off"),
    Case("cut in the middle of a letter", lambda: as_csv(cells())[: as_csv(cells()).rindex("ใช่".encode()) + 4], says="cut off"),
    Case("a workbook cut in the middle", lambda: repacked({})[:-500], says="damaged"),
]  # fmt: skip


def hide(sheet: Any) -> None:
    """Hide a sheet that holds something."""
    sheet.write(0, 0, "x")
    sheet.hide()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_hostile_file_gets_what_the_table_says(desk: Desk, case: Case) -> None:
    """Refused in words, or its bad rows named, or taken as any other file."""
    if case.real:
        desk.parts = replace(desk.parts, start_child=keep_child, limits=Limits(2 << 30, 60))
    if case.says:
        with pytest.raises(BadFile, match=case.says) as refused:
            await desk.submit(case.make(), ignored=case.ignored, sheet=case.sheet)
        assert refused.value.remedy_en
        assert refused.value.remedy_th
        assert refused.value.message_th != refused.value.message_en
        assert list((desk.home / "spool").iterdir()) == []
        return
    job = await desk.take(case.make(), ignored=case.ignored, max_invalid_pct=100.0)
    assert {row: codes[0] for row, codes in (await desk.codes(job)).items()} == case.codes
    assert job.rows == 3


class Endless(io.RawIOBase):
    """A gigabyte in one line, made as it is read."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        if self.given >= 1 << 30:
            return b""
        data = self._head or b"x" * size
        self._head = b""
        self.given += len(data)
        return data


@pytest.mark.parametrize("quote", ["", '"'])
async def test_a_line_of_a_gigabyte_is_refused_long_before_it_has_been_read(desk: Desk, quote: str) -> None:
    """Within a bounded process, and with no more than some pieces read."""
    desk.parts = replace(desk.parts, start_child=keep_child, limits=Limits(2 << 30, 60))
    source = Endless(as_csv(cells()) + quote.encode())
    with pytest.raises(BadFile, match="longer than 256 KiB"):
        await dry_run(source, SubmitRequest("P001", REGISTRY, REGISTRY), desk.parts)  # type: ignore[arg-type]  # a raw stream is all that is read
    assert source.given < 128 << 20
    assert not living_children()


async def test_a_name_with_a_path_is_only_shown(desk: Desk) -> None:
    """Files are kept under names of our own."""
    job = await desk.submit(as_csv(cells()), file_name="../../etc/pass\nwd.csv")
    assert job.file == "pass?wd.csv"
    assert [path.name for path in (desk.home / "spool").iterdir()] == [f"{job.job}.table"]


async def test_a_file_of_nothing_but_errors_loses_none_of_them(desk: Desk) -> None:
    """Every invalid row is kept, in batches."""
    job = await desk.take(as_csv(grid([member(n, postcode="x") for n in range(4500)])), max_invalid_pct=100.0)
    assert (job.rows, job.invalid, job.records.total) == (4500, 4500, 0)
    boxes = await desk.faults(job)
    assert sorted(row.row for box in boxes for row in box.rows) == list(range(2, 4502))


async def test_bare_numbers_of_days_follow_the_workbook_s_count(desk: Desk) -> None:
    """One and the same day, as a number without a date's format; four digits are enough for an old one."""
    days = {False: (31079, 11000), True: (31079 - 1462, 11000 - 1462)}
    born = set()
    for is_1904, numbers in days.items():

        def write(_: Any, sheet: Any, numbers: tuple[int, ...] = numbers) -> None:
            for row, number in enumerate(numbers, 1):
                sheet.write_number(row, HEADER.index("birth_date"), number)

        job = await desk.take(book(write, {"date_1904": is_1904}), party=f"P00{1 + is_1904}")
        bodies = [body for box in await desk.slices(job) for body in box.bodies]
        born.add(tuple(json.loads(body)["birth_date"] for body in bodies[:2]))
    assert born == {("1985-02-01", "1930-02-11")}


async def test_dates_of_the_1904_system_are_the_days_they_show(desk: Desk) -> None:
    """The workbook's flag decides."""
    bodies = []
    for party, flag in (("P001", False), ("P002", True)):

        def dated(made: Any, sheet: Any) -> None:
            sheet.write_datetime(
                1,
                HEADER.index("birth_date"),
                dt.date(1985, 2, 3),
                made.add_format({"num_format": "d/m/yyyy"}),
            )

        job = await desk.take(book(dated, {"date_1904": flag}), party=party)
        bodies.append([box.bodies for box in await desk.slices(job)])
    assert bodies[0] == bodies[1]
    assert b"1985-02-03" in bodies[0][0][0]


def test_the_far_corner_is_as_small_as_the_trap_says() -> None:
    """The file that brought the bare reader down is a few kilobytes."""
    assert len(far_cell()) < 10_000
