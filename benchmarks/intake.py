"""Intake: rows a second and peak memory of checking, sealing and committing the full file, CSV and XLSX, against bare readers.

The time runs from the job's receipt in the spool to `queued` (read, all checks, duplicates, sealing, commit), and of taking in apart.
Peak memory is the greatest resident size of the child that checks, sampled every 200 ms.
"""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import fastexcel
import polars as pl
import psutil
import xlsxwriter
from rich.console import Console
from rich.table import Table

from benchmarks.town import REGISTRY, write_json
from domain.jobs import By
from intake.check_job import check_job
from intake.receive import receive
from pratunam.intake_parts import intake_parts_for, submit_request
from pratunam.parts import Parts, open_parts
from pratunam.policy.apply import ApplyRequest, apply_policy
from pratunam.settings import Settings
from profiles.party_members.made_up import made_up_members

BY = By("benchmark", "bench")
CSV_ROWS = (100_000, 1_000_000, 3_000_000)
XLSX_ROWS = (50_000, 200_000)
_PIECE = 250_000


async def main(
    console: Console, csv_rows: tuple[int, ...] = CSV_ROWS, xlsx_rows: tuple[int, ...] = XLSX_ROWS
) -> None:
    """Measure each size and print the table."""
    found = [await measure("csv", rows) for rows in csv_rows] + [
        await measure("xlsx", rows) for rows in xlsx_rows
    ]
    table = Table(*found[0], box=None)
    for each in found:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in each.values()))
    console.print(table)
    write_json("intake", {"rounds": found})


async def measure(kind: str, rows: int) -> dict[str, Any]:
    """Take one file in and check it; returns the figures."""
    folder = Path(mkdtemp(prefix="pratunam-bench-"))
    file = _csv(folder, rows) if kind == "csv" else _xlsx(folder, rows)
    bare_s = _bare(kind, file)
    async with open_parts(replace(Settings(), home=folder / "home")) as parts:
        await _policy(parts)
        policy = await parts.policy()
        intake = intake_parts_for(parts, policy.registries[REGISTRY])
        watch = asyncio.create_task(_peak())
        began = time.perf_counter()
        job = await receive(
            file, submit_request("P1", intake.rules, file.name), intake, BY, parts.clock.now()
        )
        taken_s = time.perf_counter() - began
        began = time.perf_counter()
        checked = await check_job(job.job, intake, parts.clock.now())
        checked_s = time.perf_counter() - began
        watch.cancel()
        peak = await watch
        assert checked is not None
        assert checked.rows == rows, checked
        assert checked.records.pending == rows, checked
    return {
        "kind": kind,
        "rows": rows,
        "file MB": file.stat().st_size >> 20,
        "taken in, rows/s": round(rows / taken_s),
        "checked to committed, rows/s": round(rows / checked_s),
        "both, rows/s": round(rows / (taken_s + checked_s)),
        "bare reader, rows/s": round(rows / bare_s),
        "both ÷ bare reader": round(bare_s / (taken_s + checked_s), 3),
        "peak MB of a child": peak >> 20,
    }


async def _peak() -> int:
    """Watch children until cancelled; returns the greatest resident size of any (bytes)."""
    me, peak = psutil.Process(), 0
    try:
        while True:
            for child in me.children():
                try:
                    peak = max(peak, child.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue
            await asyncio.sleep(0.2)
    except asyncio.CancelledError:
        return peak


def _csv(folder: Path, rows: int) -> Path:
    path = folder / "members.csv"
    with path.open("wb") as out:
        for start in range(0, rows, _PIECE):
            piece = made_up_members(min(_PIECE, rows - start), 1, start=start)
            piece.write_csv(out, include_header=start == 0)
    return path


def _xlsx(folder: Path, rows: int) -> Path:
    path = folder / "members.xlsx"
    members = made_up_members(rows, 1)
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, members.columns)
        for number, row in enumerate(members.iter_rows(), start=1):
            sheet.write_row(number, 0, row)
    return path


def _bare(kind: str, file: Path) -> float:
    began = time.perf_counter()
    if kind == "csv":
        pl.read_csv(file, infer_schema=False)
    else:
        fastexcel.read_excel(file).load_sheet(0, dtypes="string").to_polars()
    return time.perf_counter() - began


async def _policy(parts: Parts) -> None:
    text = f"""format = 1
[registry.{REGISTRY}]
profile = "party-members"
endpoint = "http://127.0.0.1:9"
test_ids = true
max_rows = 20000000
[party.P1]
[[party.P1.account]]
id = "P1-1"
kind = "base"
secret = "plain:s"
"""
    await apply_policy(parts.ledger, ApplyRequest(text, "benchmark", "bench"), BY, parts.clock.now())
