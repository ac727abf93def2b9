"""The ledger's engine in the simulator: real verbs on real SQLite in memory, each in one step, on a disk that may fail.

A write may find the file busy, fail before its commit, or be committed without its caller's ever hearing of it: that is what a power cut
or a lost connection leaves behind. What was answered is durable. It must not look into verbs.
"""

import asyncio
import functools
import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, RootTransaction, StaticPool, create_engine, event
from sqlalchemy.exc import OperationalError

from domain.errors import Busy
from domain.states import RecordState
from ledger.meta import count_commit, notice_restored
from ledger.migrate import migrate
from tests.sim.virtual_loop import PLACE, VirtualLoop

P = ParamSpec("P")
T = TypeVar("T")


#: statements of all worlds, made once: making them takes longer than running them
_STATEMENTS: dict[Any, Any] = {}
#: tells every change of a slice's letters
_WATCH = """
CREATE TEMP TRIGGER sim_watch AFTER UPDATE OF states ON main.slices WHEN old.states <> new.states
BEGIN SELECT sim_moved(old.states, new.states); END
"""

#: verbs whose answers stand until somebody writes into their table: rules, read all the time and seldom changed
_KEPT = {"read_accounts": "accounts", "read_holds": "holds"}
_TOUCH = """
CREATE TEMP TRIGGER sim_{table}_{change} AFTER {change} ON main.{table} BEGIN SELECT sim_touched('{table}'); END
"""


def _letters(states: bytes | str) -> str:
    return states if isinstance(states, str) else states.decode()


def _engine() -> Engine:
    engine = create_engine(
        "sqlite://",
        poolclass=StaticPool,
        connect_args={"check_same_thread": False, "isolation_level": None},
        hide_parameters=True,
    )
    event.listen(engine, "begin", lambda connection: connection.connection.cursor().execute("BEGIN"))
    return engine


@functools.cache
def empty_ledger() -> bytes:
    """Return a ledger with its tables and nothing in them, as bytes: making the tables takes longer than a whole seed."""
    engine = _engine()
    with engine.begin() as connection:
        migrate(connection)
    with engine.connect() as connection:
        return _raw(connection).serialize()


def _raw(connection: Connection) -> sqlite3.Connection:
    raw: Any = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


class Fate(Enum):
    """What becomes of one write."""

    DONE = "committed"
    BUSY = "refused before it began"
    FAILED = "rolled back at its commit"
    UNHEARD = "committed, and told as failed"


#: while the disk fails, the chance of each fate and those before it
_CHANCES = ((0.1, Fate.BUSY), (0.25, Fate.FAILED), (0.4, Fate.UNHEARD))


class Disk:
    """What all processes' engines share: the file, and what is wrong with its disk now."""

    def __init__(self, loop: VirtualLoop, rng: random.Random) -> None:
        """Begin with an empty ledger."""
        self.loop = loop
        self.rng = rng
        self.failing_until = 0.0
        self.slow_until = 0.0
        self.failed = 0
        self.unheard = 0
        self.connection = _engine().connect().execution_options(compiled_cache=_STATEMENTS)
        #: asked for the fate of every write of a process
        self.fate: Callable[[], Fate] = self._drawn
        #: how often records moved from state to state
        self.moves: Counter[str] = Counter()
        self._kept: dict[tuple[Callable[..., Any], tuple[Any, ...]], Any] = {}
        raw = _raw(self.connection)
        raw.execute("PRAGMA foreign_keys=ON")
        raw.create_function("sim_moved", 2, self._moved)
        raw.create_function("sim_touched", 1, self._touched)
        self._hold(empty_ledger())

    def _hold(self, ledger: bytes) -> None:
        """Hold this ledger from now on, and watch it."""
        raw = _raw(self.connection)
        raw.deserialize(ledger)
        raw.execute(_WATCH)
        for table in set(_KEPT.values()):
            for change in ("INSERT", "UPDATE", "DELETE"):
                raw.execute(_TOUCH.format(table=table, change=change))

    def copy(self) -> bytes:
        """Return the ledger as it stands."""
        self._settle()
        return _raw(self.connection).serialize()

    def put_back(self, copy: bytes) -> None:
        """Put a copy in the ledger's place; whoever opens it notices that it is behind the counter beside the key store."""
        self._settle()
        raw = _raw(self.connection)
        for (name,) in raw.execute("SELECT name FROM temp.sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER temp.{name}")
        with self.connection.begin():
            commits = count_commit(self.connection)
        self._hold(copy)
        self._kept.clear()
        with self.connection.begin():
            notice_restored(self.connection, commits, is_new=False)

    def _settle(self) -> None:
        if self.connection.in_transaction():
            self.connection.commit()

    def _moved(self, before: bytes | str, after: bytes | str) -> None:
        for old, new in zip(_letters(before), _letters(after), strict=False):
            if old != new:
                self.moves[f"record: {RecordState(old).name.lower()} to {RecordState(new).name.lower()}"] += 1

    def _drawn(self) -> Fate:
        if self.loop.time() >= self.failing_until:
            return Fate.DONE
        chance = self.rng.random()
        return next((fate for upto, fate in _CHANCES if chance < upto), Fate.DONE)

    def _touched(self, table: str) -> None:
        for known in [known for known in self._kept if _KEPT[known[0].__name__] == table]:
            del self._kept[known]

    def look(self, verb: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a verb that only looks; rules that nobody touched since are not read again."""
        if verb.__name__ in _KEPT:
            name = (verb, args)
            if name not in self._kept:
                self._kept[name] = verb(self.connection, *args, **kwargs)
            known: T = self._kept[name]
            return known
        return verb(self.connection, *args, **kwargs)

    @contextmanager
    def writing(self) -> Iterator[RootTransaction]:
        """One transaction; the one that looks left open, since it cost nothing, ends first."""
        self._settle()
        with self.connection.begin() as transaction:
            yield transaction

    def close(self) -> None:
        """Forget the file."""
        self.connection.close()
        self.connection.engine.dispose()


class SimEngine:
    """`ledger.engine.LedgerEngine` of one process."""

    def __init__(self, disk: Disk) -> None:
        """Work on this disk."""
        self._disk = disk
        self._loop = disk.loop

    async def write(
        self, verb: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a verb in one transaction, unless the disk has it otherwise."""
        disk = self._disk
        await self._turn()
        fate = Fate.DONE if PLACE.get() is None else disk.fate()
        if fate is Fate.BUSY:
            raise Busy("The ledger is busy.")
        with disk.writing() as transaction:
            result = verb(disk.connection, *args, **kwargs)
            count_commit(disk.connection)
            if fate is Fate.FAILED:
                transaction.rollback()
        if fate is not Fate.DONE:
            disk.failed += fate is Fate.FAILED
            disk.unheard += fate is Fate.UNHEARD
            raise OperationalError("COMMIT", None, sqlite3.OperationalError("disk I/O error"))
        await self._turn()
        return result

    async def read(
        self, verb: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a verb that only looks: it takes a moment before or after, since what was read may be old when it is heard."""
        is_first = self._disk.rng.random() < 0.5
        if is_first:
            await self._turn()
        result = self._disk.look(verb, *args, **kwargs)
        if not is_first:
            await self._turn()
        return result

    async def wipe(self) -> None:
        """There is no log to wipe."""

    async def close(self) -> None:
        """The disk is closed by who made it."""

    async def _turn(self) -> None:
        """Take a moment, in which others go on and this process may die."""
        slow = 50 if self._loop.time() < self._disk.slow_until else 1
        await asyncio.sleep(self._disk.rng.uniform(0.0002, 0.003) * slow)
