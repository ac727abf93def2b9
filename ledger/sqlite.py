"""SQLite as the ledger's engine: one writer thread, a few readers, through the standard library's driver.

It runs verbs and knows none of them. Several processes may open the same file: a write transaction takes the lock at once
(`BEGIN IMMEDIATE`), is short, and waits for its turn; a commit is on the disk when it returns (WAL, `synchronous=FULL`).
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from domain.errors import Busy
from ledger.grouped import GroupedWrites
from ledger.kept import KeptConnections
from ledger.meta import CommitMirror, count_commit, notice_restored
from ledger.migrate import migrate
from ledger.turnstile import Turnstile

P = ParamSpec("P")
T = TypeVar("T")

#: how long to wait for another process's transaction
BUSY_MS = 20_000
READERS = 4
_PRAGMAS = (
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
    "temp_store=MEMORY",
)


class SqliteEngine:
    """Runs a verb, a plain function over a connection, in one transaction in a thread; every write counts one commit."""

    def __init__(self, path: Path, mirror: CommitMirror) -> None:
        """Open `path`, making or migrating the tables; `mirror` is told the commit counter after each write, and closed at the end."""
        self._mirror = mirror
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._writer = KeptConnections(_engine(path, "BEGIN IMMEDIATE"))
        self._reader = KeptConnections(_engine(path, "BEGIN"))
        self._writes = GroupedWrites(self.write_now)
        self._read_threads = ThreadPoolExecutor(READERS, thread_name_prefix="ledger-read")
        self._turnstile = Turnstile(path.with_suffix(".lock"), BUSY_MS / 1000)
        # switching to WAL does not wait by itself at all
        with self._turnstile.turn():
            _use_wal(path)
            with _polite(), self._writer.begin() as connection:
                is_new = migrate(connection)
                notice_restored(connection, mirror.read(), is_new=is_new)

    async def write(
        self, verb: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a verb that changes something; committed when this returns. Raises Busy when the lock cannot be had."""
        return await self._writes.write(lambda connection: verb(connection, *args, **kwargs))

    async def read(
        self, verb: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a verb that only looks, on one snapshot."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._read_threads, lambda: self.read_now(verb, *args, **kwargs))

    def write_now(
        self, verb: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a changing verb in this thread."""
        with self._turnstile.turn(), _polite():
            with self._writer.begin() as connection:
                result = verb(connection, *args, **kwargs)
                commits = count_commit(connection)
            self._mirror.write(commits)
        return result

    def read_now(self, verb: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a looking verb in this thread."""
        with self.reading() as connection:
            return verb(connection, *args, **kwargs)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection for looking only, on one snapshot."""
        with _polite(), self._reader.begin() as connection:
            yield connection

    async def wipe(self) -> None:
        """Move everything out of the write-ahead log and cut it to nothing, so that deleted bytes are gone from it too."""
        await self._writes.run(self._wipe)

    async def close(self) -> None:
        """End the threads and close the file."""
        await asyncio.to_thread(self.dispose)

    def dispose(self) -> None:
        """End the threads, once they have done what was asked, and close the file."""
        self._writes.close()
        self._read_threads.shutdown()
        self._reader.close()
        self._writer.close()
        self._mirror.close()

    def _wipe(self) -> None:
        with _polite():
            cursor = self._writer.mine().connection.cursor()
            is_blocked = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if is_blocked:  # somebody still reads an older state: try again later
            raise Busy("The ledger's log is being read.", message_th="มีการอ่านบันทึกของสมุดงานกลางอยู่")


def _engine(path: Path, begin: str) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=NullPool,  # connections are kept by those who use them
        # transactions are begun below, not guessed by the driver
        connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1000, "isolation_level": None},
        hide_parameters=True,  # an error's text must not quote what was being written
    )

    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", lambda connection: connection.connection.cursor().execute(begin))
    return engine


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(path: Path) -> None:
    connection = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


@contextmanager
def _polite() -> Iterator[None]:
    try:
        yield
    except (OperationalError, sqlite3.OperationalError) as error:  # hot statements meet the driver's own
        origin = error.orig if isinstance(error, OperationalError) else error
        code = getattr(origin, "sqlite_errorcode", 0) & 0xFF
        if code not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise
        raise Busy("The ledger is busy.", message_th="สมุดงานกลางไม่ว่างชั่วขณะ") from None
