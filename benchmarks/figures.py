"""What a measurement found: a table for who looks on, and a file with the machine beside it. It measures nothing itself."""

import json
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

#: not in the repository, but for the recorded counts
RESULTS = Path(__file__).parent / "results"


def print_table(console: Console, rows: Sequence[Mapping[str, object]]) -> None:
    """Print a line for each row, below the names of the first one's figures."""
    table = Table(*rows[0], box=None)
    for row in rows:
        table.add_row(*(_text(row[name]) for name in rows[0]))
    console.print(table)


def write_json(name: str, figures: Mapping[str, object]) -> Path:
    """Keep a measurement beside the others; returns its file."""
    RESULTS.mkdir(exist_ok=True)
    told = {"benchmark": name, "machine": machine()} | dict(figures)
    file = RESULTS / f"{name}.json"
    file.write_text(json.dumps(told, indent=1), "utf-8")
    return file


def machine() -> dict[str, object]:
    """Return what stands beside every figure: processors, versions, and the load of the last minutes, the measurement's own included."""
    return {
        "cores": os.cpu_count(),
        "load_after": [round(each, 2) for each in os.getloadavg()],
        "python": sys.version.split()[0],
        "kernel": platform.release(),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else str(value)
