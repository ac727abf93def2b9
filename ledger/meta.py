"""The ledger's own few numbers: how many commits there were, and whether this file was put back from a copy."""

import contextlib
import os
from pathlib import Path

from sqlalchemy import BigInteger, Connection, Text, cast, insert, select, update

from ledger.driver import HotStatement
from ledger.tables import meta

_COMMITS = "commits"
ASK_FIRST = "ask_first"
_NO = "0"
#: what `read_restored` says between noticing and the scheduler's seeing to it: nobody knows yet up to which job
NOTICED = (0, 0)
_COUNT = HotStatement(
    update(meta)
    .where(meta.c.name == _COMMITS)
    .values(value=cast(cast(meta.c.value, BigInteger) + 1, Text))
    .returning(meta.c.value)
)


def read_meta(connection: Connection, name: str) -> str | None:
    """Return one value, or None where it was never written."""
    return connection.execute(select(meta.c.value).where(meta.c.name == name)).scalar()


def write_meta(connection: Connection, name: str, value: str) -> None:
    """Write one value."""
    if connection.execute(update(meta).where(meta.c.name == name).values(value=value)).rowcount == 0:
        connection.execute(insert(meta).values(name=name, value=value))


def count_commit(connection: Connection) -> int:
    """Count this transaction; the counter never goes back, so a ledger behind its mirror is an old copy."""
    counted = _COUNT.first(connection)
    if counted is None:
        connection.execute(insert(meta).values(name=_COMMITS, value="1"))
        return 1
    return int(counted[0])


def notice_restored(connection: Connection, mirrored: int, *, is_new: bool) -> None:
    """Remember that the file is behind its mirror, and step past it; a ledger made just now has nothing to ask about."""
    if int(read_meta(connection, _COMMITS) or 0) < mirrored:
        write_meta(connection, _COMMITS, str(mirrored))
        if not is_new:
            write_restored(connection, *NOTICED)


def is_restored(connection: Connection) -> bool:
    """Say whether the ledger was put back from a copy and what it holds is still asked about."""
    return read_restored(connection) is not None


def read_restored(connection: Connection) -> tuple[int, int] | None:
    """Return the number of the last job that the copy held, and since when it is asked about (ms); NOTICED before that, else None."""
    return restored_from(read_meta(connection, ASK_FIRST))


def restored_from(value: str | None) -> tuple[int, int] | None:
    """Return the same from the value as it is kept."""
    if value is None or value == _NO:
        return None
    upto, _, since_at = value.partition(" ")
    return (int(upto), int(since_at)) if since_at else NOTICED


def write_restored(connection: Connection, upto: int, since_at: int) -> None:
    """Write up to which job, and since when (ms), is asked first."""
    write_meta(connection, ASK_FIRST, f"{upto} {since_at}")


def forget_restored(connection: Connection) -> None:
    """Leave *ask first* mode."""
    write_meta(connection, ASK_FIRST, _NO)


class CommitMirror:
    """The commit counter beside the key store. Written after each commit, so it is never ahead of the ledger, at most a little behind."""

    def __init__(self, path: Path) -> None:
        """Open or make the file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)

    def read(self) -> int:
        """Return the last counter written (0 at first)."""
        with contextlib.suppress(ValueError):
            return int(os.pread(self._file, 32, 0))
        return 0

    def write(self, commits: int) -> None:
        """Write the counter, unsynced: losing the last ones only makes the mirror a little older."""
        os.pwrite(self._file, b"%020d\n" % commits, 0)

    def close(self) -> None:
        """Close the file; nothing happens when that was done, for its number may be another file's by then."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
