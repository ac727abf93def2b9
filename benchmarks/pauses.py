"""Pauses: what a small piece of work costs in processor time when one follows another, and when nothing was done for a while before it.

At a registrar's pace the gate does little, many times a second: what it then costs is mostly what a processor has to do again after it
rested (caches, clock, another guest's turn). The work is the same each time; only the pause before it differs.
"""

import asyncio
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from sqlalchemy import Connection

from benchmarks.figures import print_table, write_json
from ledger.meta import CommitMirror, write_meta
from ledger.sqlite import SqliteEngine

PAUSES_MS, TIMES = (0, 10, 30, 100), 100


def measure(what: str, work: Callable[[], object]) -> dict[str, Any]:
    """Return the median processor time (µs) of `work` after each pause; the pauses take turns."""
    costs: dict[int, list[float]] = {pause_ms: [] for pause_ms in PAUSES_MS}
    for _ in range(TIMES):
        for pause_ms, found in costs.items():
            work()
            if pause_ms:
                threading.Event().wait(pause_ms / 1000)
            began = time.thread_time_ns()
            work()
            found.append((time.thread_time_ns() - began) / 1000)
    medians = {f"after_{pause_ms}_ms": round(median(found), 1) for pause_ms, found in costs.items()}
    return {"work": what, **medians, "dearer": round(medians["after_30_ms"] / medians["after_0_ms"], 2)}


def _reckon() -> int:
    return sum(len(str(number)) for number in range(400))


def _rows(folder: Path) -> list[dict[str, Any]]:
    engine = SqliteEngine(folder / "ledger.db", CommitMirror(folder / "commits"))
    try:

        def note(connection: Connection) -> None:
            write_meta(connection, "note", str(time.monotonic_ns()))

        return [
            measure("400 numbers as texts", _reckon),
            measure("a commit of the ledger (SQLite)", lambda: engine.write_now(note)),
        ]
    finally:
        engine.dispose()


async def main(console: Console) -> None:
    """Measure, print the table, write the figures."""
    with tempfile.TemporaryDirectory(prefix="pratunam-bench-") as folder:
        rows = await asyncio.to_thread(_rows, Path(folder))
    print_table(console, rows)
    write_json("pauses", {"rows": rows})
