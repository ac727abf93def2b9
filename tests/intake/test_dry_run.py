"""What a dry run tells: every place with its sheet and column, and what was left out."""

import io

from intake.dry_run import Report, dry_run
from tests.intake.conftest import Desk
from tests.intake.hostile import book
from tests.intake.samples import as_csv, as_xlsx, grid, member, members


async def dry(desk: Desk, data: bytes, sheet: str | None = None) -> Report:
    """Rehearse a file."""
    return await dry_run(io.BytesIO(data), desk.request(sheet=sheet), desk.parts)


async def test_a_fault_names_its_columns_and_each_row_once(desk: Desk) -> None:
    """Blank cells are of one kind, wherever they stand: the clerk must know where."""
    rows = [member(1), member(2, member_no="", postcode=""), member(3, postcode="")]
    [fault] = (await dry(desk, as_csv(grid(rows)))).faults
    assert (fault.code, fault.count) == ("required", 3)
    assert (fault.rows, fault.places, fault.columns) == ((3, 4), ("3", "4"), ("member_no", "postcode"))


async def test_a_place_names_its_sheet_where_there_are_several(desk: Desk) -> None:
    """Row 3 alone would be a row of every sheet."""
    second = grid([member(8), member(9, postcode="1")])
    report = await dry(desk, as_xlsx({"หนึ่ง": grid(members(2)), "สอง": second}), sheet="all")
    [fault] = report.faults
    assert (fault.code, fault.rows, fault.places) == ("bad-postcode", (3,), ("สอง!3",))


async def test_total_rows_are_named_with_their_sheets(desk: Desk) -> None:
    """A total stands at the end of each."""
    table = [*grid(members(2)), ["รวม", "2"]]
    report = await dry(desk, as_xlsx({"ก": table, "ข": [*grid(members(2, 5)), ["รวม", "2"]]}), sheet="all")
    assert "ก!4" in report.notes_en[0]
    assert "ข!4" in report.notes_en[0]


async def test_a_warning_names_its_rows_and_column(desk: Desk) -> None:
    """A row that is taken with a doubt can be found."""
    rows = [member(1), member(2, tambon="ในเมือง", amphoe="เมือง", province="ขอนแก่น", postcode="40260")]
    report = await dry(desk, as_csv(grid(rows)))
    [warning] = report.warnings
    assert (warning.code, warning.places, warning.columns) == ("postcode-of-district", ("3",), ("postcode",))
    assert any("(row 3)" in note for note in report.notes_en)
    assert any("(แถวที่ 3)" in note for note in report.notes_th)


async def test_cut_columns_are_named_in_both_languages(desk: Desk) -> None:
    """A warning, although nothing is to be done."""
    cells = [[*row, "ศาสนา" if at == 0 else "x"] for at, row in enumerate(grid(members(2)))]
    report = await dry(desk, as_csv(cells))
    assert report.cut == ("ศาสนา",)
    assert all("“ศาสนา”" in notes[0] for notes in (report.notes_en, report.notes_th))


async def test_a_hidden_sheet_is_not_read_and_said(desk: Desk) -> None:
    """What nobody sees may be what somebody meant."""
    report = await dry(desk, book(lambda made, sheet: made.add_worksheet("เก่า").hide()))
    assert report.rows == 3
    assert all("“เก่า”" in notes[0] for notes in (report.notes_en, report.notes_th))


async def test_a_line_of_spaces_is_a_blank_row(desk: Desk) -> None:
    """It keeps its number, so that the rows below it are found."""
    lines = as_csv(grid([member(1), member(2, postcode="1")])).split(b"\r\n")
    report = await dry(desk, b"\r\n".join([*lines[:2], b"  ", *lines[2:]]))
    assert (report.rows, report.faults[0].rows) == (2, (4,))
    assert report.notes_en == ("1 blank row was left out.",)


async def test_records_on_their_way_are_told_before_anything_is_submitted(desk: Desk) -> None:
    """As a submission would meet them, and of this party alone; nothing joins the record because of it."""
    await desk.take(as_csv(grid(members(4))))
    again = as_csv(grid([member(1), member(2, house_no="5"), member(77)]))
    report = await dry(desk, again)
    assert {one.code: one.count for one in report.warnings} == {"joined-record": 1, "waits-for-record": 1}
    assert (report.records, report.invalid) == (3, 0)
    others = await dry_run(io.BytesIO(again), desk.request("P002"), desk.parts)
    assert others.warnings == ()
