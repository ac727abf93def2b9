"""Intake: rows a second and peak memory of checking, sealing and committing the full file, CSV and XLSX, against bare readers.

Rounds of one file take turns with the bare reader of that file, so that a slow minute of the machine weighs on both. Times are
those of taking in (read, sealed in the spool, job written) and of checking to `queued` (all checks, duplicates, sealing, commit).
Peak memory is the greatest resident size of the child that reads or checks, sampled every 100 ms.
"""

import asyncio
import os
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import fastexcel
import polars as pl
import psutil
import xlsxwriter
from rich.console import Console

from benchmarks.figures import print_table, write_json
from benchmarks.town import REGISTRY
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
#: times that each file is taken in
ROUNDS = 3
_PIECE = 250_000


async def main(
    console: Console, csv_rows: tuple[int, ...] = CSV_ROWS, xlsx_rows: tuple[int, ...] = XLSX_ROWS
) -> None:
    """Measure each size and print the table."""
    found = [one for rows in csv_rows for one in await measure("csv", rows)]
    found += [
        one for kind in ("xlsx", "xlsx-shared") for rows in xlsx_rows for one in await measure(kind, rows)
    ]
    print_table(console, found)
    write_json("intake", {"rounds": found})


async def measure(kind: str, rows: int, rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """Make one file and take it in some times; returns the figures of each."""
    with TemporaryDirectory(prefix="pratunam-bench-") as name:
        folder = Path(name)
        file = csv_file(folder, rows) if kind == "csv" else _xlsx(folder, rows, in_place=kind == "xlsx")
        return [await one_round(kind, rows, file, folder / f"home-{n}") for n in range(rounds)]


async def one_round(kind: str, rows: int, file: Path, home: Path) -> dict[str, Any]:
    """Read the file with the bare reader, then take it in at a new home and check it; returns the figures."""
    bare_s = _bare(kind, file)
    async with open_parts(replace(Settings(), home=home)) as parts:
        await _policy(parts)
        policy = await parts.policy()
        intake = intake_parts_for(parts, policy.registries[REGISTRY])
        taking = asyncio.create_task(_watch())
        job = await receive(
            file, submit_request("P1", intake.rules, file.name), intake, BY, parts.clock.now()
        )
        taken = await _ended(taking)
        checking = asyncio.create_task(_watch())
        checked = await check_job(job.job, intake, parts.clock.now())
        done = await _ended(checking)
        assert checked is not None
        assert checked.rows == rows, checked
        assert checked.records.pending == rows, checked
    shutil.rmtree(home)
    both_s = taken.wall_s + done.wall_s
    return {
        "kind": kind,
        "rows": rows,
        "taken in, rows/s": round(rows / taken.wall_s),
        "checked to committed, rows/s": round(rows / done.wall_s),
        "both, rows/s": round(rows / both_s),
        "CPU µs a row, taken in": round(taken.cpu_s * 1e6 / rows, 1),
        "CPU µs a row, checked": round(done.cpu_s * 1e6 / rows, 1),
        "bare reader, rows/s": round(rows / bare_s),
        "both ÷ bare reader": round(bare_s / both_s, 3),
        "peak MB, taken in": taken.peak >> 20,
        "peak MB, checked": done.peak >> 20,
    }


@dataclass(frozen=True, slots=True)
class _Watched:
    """Seconds of the clock and of all processors, and the greatest resident size of a child (bytes)."""

    wall_s: float
    cpu_s: float
    peak: int


async def _ended(watch: "asyncio.Task[_Watched]") -> _Watched:
    watch.cancel()
    return await watch


async def _watch() -> _Watched:
    """Watch this process and its children until cancelled."""
    me, peak, began, busy = psutil.Process(), 0, time.perf_counter(), _cpu_s()
    try:
        while True:
            for child in me.children():
                try:
                    peak = max(peak, child.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue
            await asyncio.sleep(0.1)
    except asyncio.CancelledError:
        return _Watched(time.perf_counter() - began, _cpu_s() - busy, peak)


def _cpu_s() -> float:
    """Return the seconds of processor that this process and its ended children have used."""
    return sum(os.times()[:4])


def csv_file(folder: Path, rows: int) -> Path:
    """Write a file of so many made-up members."""
    path = folder / "members.csv"
    with path.open("wb") as out:
        for start in range(0, rows, _PIECE):
            piece = made_up_members(min(_PIECE, rows - start), 1, start=start)
            piece.write_csv(out, include_header=start == 0)
    return path


def _xlsx(folder: Path, rows: int, *, in_place: bool) -> Path:
    """Write a workbook whose texts stand in their cells, or in a table that the cells share, as spreadsheet programs do."""
    path = folder / "members.xlsx"
    members = made_up_members(rows, 1)
    with xlsxwriter.Workbook(str(path), {"constant_memory": in_place}) as book:
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
