"""Copies the ledger's file while it is in use, and says whether a file is sound. The keys are not in it and not its matter."""

import sqlite3
from contextlib import closing
from pathlib import Path

from ledger.ledger import FILE

#: faults that a check of the file tells of at most
_MOST_FAULTS = 10


def copy_ledger(home: Path, target: Path) -> None:
    """Write a consistent copy of a home's ledger to `target`: one moment of it, whoever writes meanwhile."""
    with closing(_open_to_read(home)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        # a copy is one file: nothing of it waits in a write-ahead log beside it
        copy.execute("PRAGMA journal_mode=DELETE")
    target.chmod(0o600)


def faults_of_file(home: Path) -> list[str]:
    """Return what SQLite finds broken in a home's ledger; empty when it is sound."""
    try:
        with closing(_open_to_read(home)) as base:
            found = [row[0] for row in base.execute(f"PRAGMA integrity_check({_MOST_FAULTS})")]
    except sqlite3.DatabaseError as error:
        return [type(error).__name__]
    return [] if found == ["ok"] else found


def _open_to_read(home: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{(home / FILE).as_uri()}?mode=ro", uri=True, timeout=20)
