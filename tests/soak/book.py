"""What a soak has seen so far, kept in a file: hours add up over several runs, as long as what is tested stays the same.

A build is known by a digest of its engine and of the simulator. A book of another build is begun anew: nothing it says is true of this one.
"""

import hashlib
from collections import Counter
from pathlib import Path

import msgspec

from tests.sim.running import Report

_ROOT = Path(__file__).resolve().parents[2]
#: what a seed runs; files of nothing else decide how it goes
TESTED = (
    "domain",
    "ledger",
    "quotas",
    "registrar",
    "scheduler",
    "workers",
    "requirements",
    "tests/quotas",
    "tests/sim",
)
_KINDS = frozenset({".py", ".lua", ".txt", ".sql"})


class Book(msgspec.Struct):
    """Totals of all runs on one build; `seconds` is how long seeds ran, without pauses; `next_seed` has not been counted."""

    build: str
    next_seed: int
    seconds: float = 0.0
    seeds: int = 0
    records: int = 0
    faults: int = 0
    broken: list[int] = []
    sometimes: dict[str, int] = {}

    def count(self, report: Report) -> None:
        """Count a seed; they come in order."""
        self.next_seed = report.seed + 1
        self.seeds += 1
        self.records += report.records
        self.faults += report.faults
        if report.broken:
            self.broken.append(report.seed)
        self.sometimes = dict(Counter(self.sometimes) + report.sometimes)


def build_digest(root: Path = _ROOT) -> str:
    """Return what tells this build from another one."""
    told = hashlib.sha256()
    for folder in TESTED:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in _KINDS and "__pycache__" not in path.parts:
                told.update(f"{path.relative_to(root)}\n".encode())
                told.update(hashlib.sha256(path.read_bytes()).digest())
    return told.hexdigest()[:16]


def open_book(path: Path | None, first: int) -> Book:
    """Return the book of this build: the one in the file, or a new one that begins with seed `first`."""
    build = build_digest()
    if path is not None and path.exists():
        book = msgspec.json.decode(path.read_bytes(), type=Book)
        if book.build == build:
            return book
    return Book(build, first)


def keep_book(book: Book, path: Path | None) -> None:
    """Write it whole, or not at all; None keeps none."""
    if path is None:
        return
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(msgspec.json.format(msgspec.json.encode(book)))
    part.replace(path)
