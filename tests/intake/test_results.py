"""Results come back as files whose counts add up, safe to open, and a corrected file comes back as the job's child."""

import csv
import datetime as dt
import hashlib
import io
import json
import re
from pathlib import Path

import fastexcel
import pytest

from domain.errors import BadFile, Conflict
from domain.jobs import Job, Outcome, Settlement
from domain.quota import Lease
from domain.states import RecordState
from intake.dry_run import dry_run
from intake.parts import SubmitRequest
from intake.results import OWN_COLUMNS, write_results
from tests.intake.calc import Cell, as_calc
from tests.intake.conftest import BY, REGISTRY, Desk
from tests.intake.samples import HEADER, THAI_HEADER, as_csv, grid, member, members


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read a result file as a spreadsheet program would."""
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def detected(cell: str) -> Cell:
    """What a spreadsheet program of a Thai office makes of a cell of a CSV."""
    if cell.isdigit():
        return int(cell)
    if re.fullmatch(r"\d{1,2}/\d{1,2}/\d{4}", cell):
        day, month, year = map(int, cell.split("/"))
        return dt.date(year, month, day)
    return cell


async def answered(desk: Desk, job: Job, outcomes: tuple[Outcome, ...]) -> None:
    """Let a session claim the job's first slice and settle some of its lines."""
    lease = Lease(REGISTRY, "P001", "P001-01", "holder", 1, desk.clock.now() + 6000)
    claimed = await desk.ledger.claim(lease, desk.clock.now())
    assert claimed is not None
    await desk.ledger.settle([Settlement(claimed.slice_id, outcomes)], desk.clock.now())


async def test_every_row_stands_once_in_one_of_the_files_and_the_manifest_proves_it(desk: Desk) -> None:
    """Accepted, rejected by both sides, and rows that were never sent add up to the file."""
    rows = [*members(6), member(6, postcode="1")]
    job = await desk.take(as_csv(grid(rows)), max_invalid_pct=50.0)
    said = Outcome(1, RecordState.REJECTED, "", "deceased", "national_id", "เสียชีวิตแล้ว", "deceased")
    await answered(desk, job, (Outcome(0, RecordState.ACCEPTED, "RCPT-1"), said))
    out = desk.home / "out"
    manifest = await write_results(job.job, out, desk.parts)
    assert manifest.counts == {"accepted": 1, "rejected": 2, "unknown": 0, "unprocessed": 4}
    assert sum(manifest.counts.values()) == manifest.rows == 7
    told = json.loads((out / "manifest.json").read_text("utf-8"))
    for file in told["files"]:
        assert hashlib.sha256((out / file["name"]).read_bytes()).hexdigest() == file["sha256"]
    (accepted,) = read_rows(out / "accepted.csv")
    assert tuple(accepted) == (*HEADER, *OWN_COLUMNS)
    assert (accepted["_row"], accepted["_receipt"], accepted["_job"]) == ("2", "RCPT-1", job.job)
    by_registrar, by_gate = read_rows(out / "rejected.csv")
    assert (by_registrar["_by"], by_registrar["_code"], by_registrar["_reason_th"]) == (
        "registrar",
        "deceased",
        "เสียชีวิตแล้ว",
    )
    assert (by_gate["_by"], by_gate["_row"], by_gate["_code"]) == ("gate", "8", "bad-postcode")
    assert not [path for path in desk.home.iterdir() if path.name.startswith(".out")]


async def test_a_row_s_own_fault_and_its_twin_stand_in_one_line(desk: Desk) -> None:
    """Who stands twice is found later than what is wrong within a row; the party reads both at once."""
    rows = [member(1), member(9, national_id=member(1)["national_id"], postcode="1"), member(2)]
    job = await desk.take(as_csv(grid(rows)), max_invalid_pct=99.0)
    manifest = await write_results(job.job, desk.home / "out", desk.parts)
    assert (manifest.counts["rejected"], manifest.rows) == (2, 3)
    told = read_rows(desk.home / "out" / "rejected.csv")[1]
    assert (told["_row"], told["_code"]) == ("3", "bad-postcode;duplicate-person")
    assert all("2, 3" in told[words] for words in ("_reason_en", "_reason_th"))


async def test_no_cell_of_a_result_is_a_formula(desk: Desk) -> None:
    """What begins like a formula gets an apostrophe in every file, a column's name too; the corrected file says it again."""
    cells = grid([member(0, postcode="1")], more=("note", "two", "=1+1"))
    cells[1][-3:] = ["=cmd|'/c calc'!A1", "＋1", ""]
    job = await desk.take(as_csv(cells), ignored=("note", "two", "=1+1"), max_invalid_pct=100.0)
    out = desk.home / "out"
    await write_results(job.job, out, desk.parts)
    (row,) = read_rows(out / "rejected.csv")
    assert (row["note"], row["two"], row["'=1+1"]) == ("'=cmd|'/c calc'!A1", "'＋1", "")
    again = await desk.submit((out / "rejected.csv").read_bytes())
    assert again.parent == job.job
    book = fastexcel.read_excel(out / "rejected.xlsx").load_sheet("rejected", dtypes="string").to_polars()
    assert book["note"].to_list() == ["'=cmd|'/c calc'!A1"]


@pytest.mark.parametrize("saved_as", ["as it was", "Calc CSV", "Calc XLSX", "Calc XLSX of the CSV"])
async def test_a_corrected_rejected_file_is_a_child_of_its_job(desk: Desk, saved_as: str) -> None:
    """It needs no words of its own: operation, declaration and ignored columns are taken over, escapes undone.

    Calc keeps our workbook's texts as they are; where it opened the CSV, numbers and dates have become numbers and dates.
    """
    rows = [member(number) | {"operation": "", "qualification_declared": ""} for number in range(20)]
    rows[3]["postcode"] = "1"
    cells = grid(rows, more=("note",))
    cells[4][-1] = "=1+1"
    job = await desk.take(
        as_csv(cells), operation="ADD", declared=True, ignored=("note",), max_invalid_pct=50.0
    )
    out = desk.home / "out"
    await write_results(job.job, out, desk.parts)
    table = list(csv.reader(io.StringIO((out / "rejected.csv").read_bytes().decode("utf-8-sig"), newline="")))
    table[1][HEADER.index("postcode")] = "10500"
    data = {
        "as it was": as_csv(table, "utf-8-sig"),
        "Calc CSV": as_csv(table, "utf-8", ";", "\n"),
        "Calc XLSX": as_calc("rejected", table, as_text=True),
        "Calc XLSX of the CSV": as_calc(
            "rejected", [list(map(detected, row)) for row in table], as_text=False
        ),
    }[saved_as]
    report = await dry_run(io.BytesIO(data), SubmitRequest("P001", REGISTRY, REGISTRY), desk.parts)
    assert (report.parent, report.rows, report.invalid, report.unknown) == (job.job, 1, 0, ())
    child = await desk.take(data)
    assert (child.parent, child.operation, child.declared) == (job.job, "ADD", True)
    assert (child.rows, child.invalid, child.records.pending) == (1, 0, 1)
    again = desk.home / "again"
    await write_results(child.job, again, desk.parts)
    (row,) = read_rows(again / "unprocessed.csv")
    assert (row["note"], row["_job"], list(row)) == ("'=1+1", child.job, [*HEADER, "note", *OWN_COLUMNS])


@pytest.mark.parametrize("encoding", ["cp1252", "cp874"])
@pytest.mark.parametrize("header", [HEADER, THAI_HEADER])
@pytest.mark.parametrize("is_workbook", [False, True])
async def test_a_file_saved_with_broken_letters_is_told_so(
    desk: Desk, encoding: str, header: tuple[str, ...], is_workbook: bool
) -> None:
    """Calc without a window reads a CSV as Windows-1252; what it saves is refused with a way out, not for a missing column."""
    broken = [[_misread(cell, encoding) for cell in row] for row in grid([member(0, postcode="1")], header)]
    broken[0][0] = _misread("\ufeff", encoding) + broken[0][0]
    data = as_calc("rejected", broken, as_text=False) if is_workbook else as_csv(broken)
    with pytest.raises(BadFile, match="wrong encoding"):
        await desk.submit(data)


@pytest.mark.parametrize("is_workbook", [False, True])
async def test_broken_letters_below_a_good_header_are_the_row_s_own_fault(
    desk: Desk, is_workbook: bool
) -> None:
    """The names of the columns were read rightly, so the file was: one cell that was pasted in is no reason to refuse all."""
    rows = grid([member(0, first_name=_misread("สมชาย", "cp1252")), member(1)])
    data = as_calc("members", rows, as_text=True) if is_workbook else as_csv(rows)
    assert (await desk.take(data, max_invalid_pct=100.0)).rows == 2


def _misread(text: str, encoding: str) -> str:
    """Return the bytes of UTF-8 as a program shows them that takes them for something else; what it has no letter for, as it is."""
    return "".join(
        bytes([byte]).decode(encoding) if _has_letter(byte, encoding) else chr(byte) for byte in text.encode()
    )


def _has_letter(byte: int, encoding: str) -> bool:
    return bool(bytes([byte]).decode(encoding, "ignore"))


async def test_another_party_s_job_in_the_column_makes_no_child(desk: Desk) -> None:
    """Whose file it is comes from who submits it."""
    job = await desk.take(as_csv(grid([member(0, postcode="1")])), max_invalid_pct=100.0)
    out = desk.home / "out"
    await write_results(job.job, out, desk.parts)
    other = await desk.take((out / "rejected.csv").read_bytes(), party="P002", max_invalid_pct=100.0)
    assert other.parent is None


async def test_an_erased_job_has_no_results_and_leaves_no_file(desk: Desk) -> None:
    """Nothing half done: a refusal, and no folder."""
    job = await desk.take(as_csv(grid(members(2))))
    await desk.ledger.cancel(job.job, BY, desk.clock.now())
    await desk.ledger.erase(job.job, BY, desk.clock.now())
    with pytest.raises(Conflict):
        await write_results(job.job, desk.home / "out", desk.parts)
    assert not (desk.home / "out").exists()
