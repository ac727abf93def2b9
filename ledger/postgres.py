"""PostgreSQL as the ledger's engine: verbs run in threads, each in one transaction on a connection of a small pool.

It runs verbs and knows none of them. Several hosts work on one database: a verb locks what it changes (`ledger/locks.py`). What another
transaction undid, or a broken connection, is run again as a whole a few times, then the caller is told Busy. A commit whose answer was
lost is looked up by the transaction's own number, so that a verb is never half done and never done twice by this.
"""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Concatenate, LiteralString, ParamSpec, TypeVar
from typing import cast as as_type

import psycopg
from sqlalchemy import BigInteger, Connection, Engine, Text, bindparam, cast, create_engine, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from domain.errors import Busy
from ledger.database import SCHEMA, Database, Trouble, failure_of, refusal_of, told, trouble_of
from ledger.driver import HotStatement
from ledger.host_mirror import HostMirror
from ledger.locks import OPENING
from ledger.meta import NOTICED, read_meta, write_meta, write_restored
from ledger.migrate import migrate
from ledger.sessions import Session
from ledger.tables import meta

P = ParamSpec("P")
T = TypeVar("T")

WRITERS, READERS = 8, 4
#: pauses before a transaction is run again (s), each stretched by chance
_PAUSES: dict[Trouble, tuple[float, ...]] = {
    Trouble.AGAIN: (0.005, 0.02, 0.05, 0.1, 0.2),
    Trouble.LOST: (0.05, 0.5),
    Trouble.BUSY: (),
}
#: for how long, and how long apart (s), the server is asked what became of a commit
_ASKED_FOR_S, _ASKED_EVERY_S = 10.0, 0.25
#: which server's history it is: another one after a standby has taken over
_TIMELINE = func.substr(func.pg_walfile_name(func.pg_current_wal_lsn()), 1, 8)
_COUNT = HotStatement(
    update(meta)
    .where(meta.c.name == bindparam("at_name"))
    .values(value=cast(cast(meta.c.value, BigInteger) + 1, Text))
    .returning(meta.c.value, cast(func.pg_current_xact_id(), Text), _TIMELINE)
)
_WHAT_BECAME: LiteralString = """
SELECT CASE WHEN substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) = %(timeline)s THEN pg_xact_status(%(number)s::xid8)
            WHEN (SELECT value::bigint FROM meta WHERE name = %(counter)s) < %(commits)s THEN 'aborted' END
"""


@dataclass(frozen=True, slots=True)
class _Counted:
    """A transaction that is about to be committed: the host's how manieth, its own number, and in which server's history."""

    commits: int
    number: str
    timeline: str


class PostgresEngine:
    """Runs a verb, a plain function over a connection, in one transaction in a thread; every write counts one commit of this host."""

    def __init__(self, database: Database, mirror: HostMirror) -> None:
        """Open the database, making or migrating the tables. Raises Busy when it cannot be reached, BadSetting when it is not fit.

        `mirror` is told the commit counter after each write, and closed at the end.
        """
        self._database = database
        self._mirror = mirror
        self._counter = f"commits {mirror.host}"
        self._closing = threading.Event()
        self._writer = _engine(database.connect, WRITERS)
        self._reader = _engine(lambda: database.connect(read_only=True), READERS)
        self._write_threads = ThreadPoolExecutor(WRITERS, thread_name_prefix="ledger-write")
        self._read_threads = ThreadPoolExecutor(READERS, thread_name_prefix="ledger-read")
        try:
            self._open()
        except BaseException:
            self.dispose()
            raise

    async def write(
        self, verb: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a verb that changes something; committed when this returns. Raises Busy; then it is done or not, and may be repeated."""
        return await self._repeated(self._write_threads, lambda: self.write_now(verb, *args, **kwargs))

    async def read(
        self, verb: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a verb that only looks, on one snapshot."""
        return await self._repeated(self._read_threads, lambda: self.read_now(verb, *args, **kwargs))

    def write_now(
        self, verb: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a changing verb in this thread, once."""
        with self._connected(self._writer) as connection:
            begun = connection.begin()
            result = verb(connection, *args, **kwargs)
            counted = self._count(connection)
            if counted.commits <= self._mirror.read():
                begun.rollback()
                with connection.begin():
                    self._notice(connection)
                raise Undone(Trouble.AGAIN)
            try:
                begun.commit()
            except (SQLAlchemyError, psycopg.Error) as error:
                if trouble_of(error) is not Trouble.LOST or not self._was_committed(counted):
                    raise
        self._mirror.write(counted.commits)
        return result

    def read_now(self, verb: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a looking verb in this thread, once."""
        with self.reading() as connection:
            return verb(connection, *args, **kwargs)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection for looking only, on one snapshot."""
        with self._connected(self._reader) as connection, connection.begin():
            yield connection

    async def wipe(self) -> None:
        """Nothing: what a vacuum has not overwritten yet is sealed with a key that is destroyed."""

    async def close(self) -> None:
        """End the threads and let go of the connections."""
        await asyncio.to_thread(self.dispose)

    def dispose(self) -> None:
        """End the threads, once they have done what was asked, and let go of the connections."""
        self._closing.set()
        self._write_threads.shutdown()
        self._read_threads.shutdown()
        self._reader.dispose()
        self._writer.dispose()
        self._mirror.close()

    @contextmanager
    def _connected(self, engine: Engine) -> Iterator[Connection]:
        """Give a connection, and say of what fails on it whether it may be run again."""
        try:
            with engine.connect() as connection:
                try:
                    with self._database.watched(_session_of(connection)):
                        try:
                            yield connection
                        except BaseException:
                            with suppress(DBAPIError, psycopg.Error):
                                connection.rollback()  # the pool would do it, with nobody watching
                            raise
                finally:
                    _drop_if_dead(connection)
        except (DBAPIError, psycopg.Error) as error:
            trouble = trouble_of(error)
            if trouble is Trouble.OTHER:
                raise failure_of(error) from None
            if trouble is Trouble.LOST:
                engine.dispose()  # the others that lie in the pool are as dead
            raise Undone(trouble) from None

    async def _repeated(self, threads: ThreadPoolExecutor, once: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        tries = 0
        while True:
            try:
                return await loop.run_in_executor(threads, once)
            except Undone as undone:
                pauses = _PAUSES[undone.trouble]
                if tries >= len(pauses):
                    raise told(undone.trouble) from None
            await asyncio.sleep(pauses[tries] * random.uniform(0.5, 1.5))  # noqa: S311 -- spreads those who collided; no secret
            tries += 1

    def _open(self) -> None:
        try:
            with self._database.connect(autocommit=True) as alone:
                # held until the connection closes, so that of several who start at once one makes the tables
                alone.execute("SELECT pg_advisory_lock(%s)", (OPENING,))
                found = alone.execute("SELECT to_regnamespace(%s) IS NULL", (SCHEMA,)).fetchone()
                if found is not None and found[0]:
                    alone.execute(f"CREATE SCHEMA {SCHEMA}")
                with self._writer.begin() as connection:
                    is_new = migrate(connection)
                    if is_new:
                        write_meta(connection, self._counter, str(self._mirror.read()))
                    self._notice(connection)
        except (psycopg.Error, DBAPIError) as error:
            trouble = trouble_of(error)
            if trouble is Trouble.OTHER:
                raise failure_of(error) from None
            raise refusal_of(error) or told(trouble) from None

    def _count(self, connection: Connection) -> _Counted:
        counted = _COUNT.first(connection, at_name=self._counter)
        if counted is None:
            connection.execute(insert(meta).values(name=self._counter, value="0").on_conflict_do_nothing())
            counted = _COUNT.first(connection, at_name=self._counter)
        return _Counted(int(counted[0]), counted[1], counted[2])

    def _notice(self, connection: Connection) -> None:
        """Remember that the database is behind what this host has committed, and step past it."""
        mirrored = self._mirror.read()
        if int(read_meta(connection, self._counter) or 0) < mirrored:
            write_meta(connection, self._counter, str(mirrored))
            write_restored(connection, *NOTICED)

    def _was_committed(self, counted: _Counted) -> bool:
        """Ask what became of a transaction; False when it was rolled back. Raises Busy when nobody can say.

        A standby that took over gives numbers anew that it never heard of: there only this host's counter tells, and only that it was
        not committed; where it stands higher, another transaction of this host may have counted since.
        """
        until = time.monotonic() + _ASKED_FOR_S
        while True:
            try:
                with self._database.connect(autocommit=True) as asking, self._database.watched(asking):
                    found = asking.execute(
                        _WHAT_BECAME, asdict(counted) | {"counter": self._counter}
                    ).fetchone()
            except (psycopg.Error, Busy):
                found = ("in progress",)
            state = found[0] if found else None
            if state in ("committed", "aborted"):
                return bool(state == "committed")
            is_over = state is None or time.monotonic() >= until
            if is_over or self._closing.wait(_ASKED_EVERY_S):
                raise told(Trouble.LOST)


class Undone(Exception):
    """A transaction that left nothing behind and may be run again."""

    def __init__(self, trouble: Trouble) -> None:
        """Say what was in its way."""
        super().__init__(trouble.value)
        self.trouble = trouble


def _engine(connect: Callable[[], psycopg.Connection], size: int) -> Engine:
    return create_engine(
        "postgresql+psycopg://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,  # an error's text must not quote what was being written
    )


def _session_of(connection: Connection) -> Session:
    return as_type("Session", connection.connection.dbapi_connection)


def _drop_if_dead(connection: Connection) -> None:
    # hot statements meet the driver's own errors, of which the pool knows nothing
    if connection.invalidated:
        return
    driver = connection.connection.dbapi_connection
    if driver is not None and getattr(driver, "closed", False):
        connection.invalidate()
