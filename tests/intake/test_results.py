"""Results come back as files whose counts add up, safe to open, and a corrected file comes back as the job's child."""

import csv
import hashlib
import io
import json
from pathlib import Path

import fastexcel
import pytest

from domain.errors import Conflict
from domain.jobs import Job, Outcome, Settlement
from domain.quota import Lease
from domain.states import RecordState
from intake.dry_run import dry_run
from intake.parts import SubmitRequest
from intake.results import OWN_COLUMNS, write_results
from tests.intake.conftest import BY, REGISTRY, Desk
from tests.intake.samples import HEADER, as_csv, as_xlsx, grid, member, members


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read a result file as a spreadsheet program would."""
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


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


async def test_no_cell_of_a_result_is_a_formula(desk: Desk) -> None:
    """What begins like a formula gets an apostrophe in every file."""
    cells = grid([member(0, postcode="1")], more=("note", "two"))
    cells[1][-2:] = ["=cmd|'/c calc'!A1", "＋1"]
    job = await desk.take(as_csv(cells), ignored=("note", "two"), max_invalid_pct=100.0)
    out = desk.home / "out"
    await write_results(job.job, out, desk.parts)
    (row,) = read_rows(out / "rejected.csv")
    assert (row["note"], row["two"]) == ("'=cmd|'/c calc'!A1", "'＋1")
    book = fastexcel.read_excel(out / "rejected.xlsx").load_sheet("rejected", dtypes="string").to_polars()
    assert book["note"].to_list() == ["'=cmd|'/c calc'!A1"]


@pytest.mark.parametrize("saved_as", ["as it was", "LibreOffice CSV", "LibreOffice XLSX"])
async def test_a_corrected_rejected_file_is_a_child_of_its_job(desk: Desk, saved_as: str) -> None:
    """It needs no words of its own: operation, declaration and ignored columns are taken over, escapes undone."""
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
        "LibreOffice CSV": as_csv(table, "utf-8", ";", "\n"),
        "LibreOffice XLSX": as_xlsx(
            {
                "rejected": [
                    [int(one) if one.isdigit() and len(one) == 13 else one for one in row] for row in table
                ]
            }
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
