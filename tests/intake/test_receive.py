"""A file is taken in whatever its encoding and delimiter, and what is refused leaves nothing behind."""

import io
from dataclasses import replace

import pytest

from domain.errors import BadFile, Refused
from intake.dry_run import dry_run
from intake.parts import SubmitRequest
from tests.intake.conftest import REGISTRY, Desk
from tests.intake.samples import HEADER, THAI_HEADER, as_csv, as_xlsx, grid, member, members

ENCODINGS = ["utf-8", "utf-8-sig", "cp874", "tis-620", "utf-16", "utf-16-le-bom"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_every_encoding_and_delimiter_gives_the_same_records(
    desk: Desk, encoding: str, delimiter: str
) -> None:
    """Thai headers and names arrive alike from each of them."""
    cells = grid(members(12), THAI_HEADER)
    marked = encoding == "utf-16-le-bom"
    data = as_csv(cells, "utf-16-le" if marked else encoding, delimiter)
    plain = await desk.take(as_csv(grid(members(12))), party="P002")
    job = await desk.take(b"\xff\xfe" + data if marked else data)
    assert [box.bodies for box in await desk.slices(job)] == [box.bodies for box in await desk.slices(plain)]


async def test_a_workbook_gives_the_same_records_as_the_csv(desk: Desk) -> None:
    """IDs that are numbers, real dates and texts arrive as the CSV says."""
    cells: list[list[object]] = [list(row) for row in grid(members(12), THAI_HEADER)]
    for row in cells[1:]:
        row[1] = int(str(row[1]))
        row[HEADER.index("fee_amount")] = 20
    plain = await desk.take(as_csv(grid(members(12))), party="P002")
    job = await desk.take(as_xlsx({"แผ่น1": cells}))
    assert [box.bodies for box in await desk.slices(job)] == [box.bodies for box in await desk.slices(plain)]


async def test_all_sheets_are_read_and_faults_name_theirs(desk: Desk) -> None:
    """`--sheet all` takes every visible sheet, also with the columns in another order."""
    one, two = grid(members(3)), [row[::-1] for row in grid([member(3), member(4, postcode="1")])]
    job = await desk.take(as_xlsx({"กลาง": one, "เหนือ": two}), sheet="all", max_invalid_pct=50.0)
    assert (job.rows, job.invalid) == (5, 1)
    (box,) = await desk.faults(job)
    assert [(row.sheet, row.row) for row in box.rows] == [("เหนือ", 3)]


async def test_titles_above_the_header_blank_rows_and_totals_are_no_records(desk: Desk) -> None:
    """Row numbers stay those of the spreadsheet, and a note tells what was left out."""
    cells = grid([member(0), member(1, postcode="1")])
    blank = [""] * len(HEADER)
    title = ["รายชื่อสมาชิก", *blank[1:]]
    total = ["รวม", "2", *blank[2:]]
    job = await desk.take(as_csv([title, blank, *cells, blank, total]), max_invalid_pct=50.0)
    assert job.rows == 2
    assert await desk.codes(job) == {5: ["bad-postcode"]}
    assert any("total" in note.casefold() for note in job.notes_en)
    assert any("blank" in note for note in job.notes_en)


async def test_a_refused_file_leaves_nothing_behind(desk: Desk) -> None:
    """No job, no blob."""
    with pytest.raises(BadFile):
        await desk.submit(as_csv([["a", "b"], ["1", "2"]]))
    assert list((desk.home / "spool").iterdir()) == []
    assert list(await desk.ledger.jobs()) == []


class Torn(io.RawIOBase):
    """A source that breaks off."""

    def read(self, size: int = -1) -> bytes:
        raise OSError("the stick was pulled out")


async def test_a_source_that_breaks_off_is_an_error_and_leaves_nothing(desk: Desk) -> None:
    """The child does not wait for the rest for ever."""
    with pytest.raises(OSError, match="pulled out"):
        await desk.submit_from(Torn())
    assert list((desk.home / "spool").iterdir()) == []


async def test_a_full_disk_refuses_before_anything_is_written(desk: Desk) -> None:
    """In words, with a remedy."""
    desk.parts = replace(desk.parts, least_free=1 << 60)
    with pytest.raises(Refused, match="disk space"):
        await desk.submit(as_csv(grid(members(2))))
    assert list((desk.home / "spool").iterdir()) == []


async def test_columns_that_nobody_spoke_of_refuse_the_file_by_name(desk: Desk) -> None:
    """With --ignore it is taken."""
    data = as_csv(grid(members(2), more=("หมายเหตุ",)))
    with pytest.raises(BadFile, match="หมายเหตุ"):
        await desk.submit(data)
    assert (await desk.take(data, ignored=("หมายเหตุ",))).records.pending == 2


async def test_a_missing_column_refuses_the_file_once_by_name(desk: Desk) -> None:
    """Which columns are needed follows from the operations in the file."""
    cells = [row[:-1] for row in grid(members(2))]
    with pytest.raises(BadFile, match="consent_at"):
        await desk.submit(as_csv(cells))


async def test_without_operation_anywhere_the_file_is_refused(desk: Desk) -> None:
    """It has no default."""
    cells = [row[1:] for row in grid(members(2))]
    with pytest.raises(BadFile, match="operation"):
        await desk.submit(as_csv(cells))
    assert (await desk.take(as_csv(cells), operation="ADD")).records.pending == 2


async def test_more_rows_than_the_registry_takes_are_refused(desk: Desk) -> None:
    """The limit is the registry's."""
    desk.parts = replace(desk.parts, rules=replace(desk.parts.rules, max_rows=5))
    with pytest.raises(BadFile, match="more than 5 rows"):
        await desk.submit(as_csv(grid(members(6))))


async def test_a_dry_run_tells_what_a_submission_would_meet_and_keeps_nothing(desk: Desk) -> None:
    """Counts, kinds of faults with rows, columns and first rows; no job, no blob, no scratch."""
    rows = [*members(3), member(3, postcode="1"), member(4, national_id=member(0)["national_id"])]
    data = as_csv(grid(rows, more=("หมายเหตุ",)), "cp874", ";")
    request = SubmitRequest("P001", REGISTRY, REGISTRY)
    report = await dry_run(io.BytesIO(data), request, desk.parts)
    assert (report.encoding, report.delimiter, report.header_row) == ("Windows-874", "semicolon", 1)
    assert (report.rows, report.invalid, report.records) == (5, 3, 2)
    assert {kind.code: (kind.count, kind.rows) for kind in report.faults} == {
        "bad-postcode": (1, (5,)),
        "duplicate-person": (2, (2, 6)),
    }
    assert report.unknown == ("หมายเหตุ",)
    assert report.first_rows[0][1] == member(0)["national_id"]
    assert list((desk.home / "spool").iterdir()) == []
    assert list((desk.home / "scratch").iterdir()) == []


async def test_a_csv_has_no_sheets(desk: Desk) -> None:
    """One that is named is refused with what to do; `--sheet all` is all there is, and the same job."""
    data = as_csv(grid(members(3)))
    with pytest.raises(BadFile) as refused:
        await desk.submit(data, sheet="แผ่น1")
    assert "--sheet" in refused.value.remedy_en
    job = await desk.submit(data)
    assert (await desk.submit(data, sheet="all")).job == job.job
    assert len(list(await desk.ledger.jobs())) == 1
