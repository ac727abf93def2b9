"""Takes a stopped SQLite home into PostgreSQL: every table, the keys and the spool, checked by counts and digests.

Story: 1. the home's file is locked for writing, so that nothing changes meanwhile; 2. one transaction of the database takes everything
in, reads it back and compares, and notes where it came from; 3. one transaction of the home marks it as moved: from then on it refuses
to open, and to be written by a process that had it open; 4. its keys are overwritten, for they live in one place only. A crash anywhere
leaves a home that is whole, or one whose move is ended by asking for it again.
"""

import hashlib
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg import sql
from sqlalchemy import Boolean, Table

from domain.errors import Conflict, PratunamError
from ledger.database import SCHEMA, Database, Trouble, failure_of, refusal_of, told, trouble_of
from ledger.host_mirror import HostMirror
from ledger.ledger import FILE, MOVED, refuse_moved
from ledger.locks import OPENING
from ledger.meta import CommitMirror, read_meta
from ledger.postgres import PostgresEngine
from ledger.postgres_keys import KEYS_SCHEMA, PostgresKeyStore
from ledger.postgres_spool import spool_chunks
from ledger.sqlite import SqliteEngine
from ledger.tables import meta, metadata

_TOKEN, _FROM = "move", "moved_from"
#: rows of `meta` that belong to one place and are not taken along
_OWN = frozenset({MOVED, _TOKEN, _FROM})
_FENCE = """
CREATE TRIGGER moved_{when} BEFORE {when} ON meta BEGIN SELECT RAISE(ABORT, 'this home was moved to PostgreSQL'); END
"""
_encode = msgspec.msgpack.Encoder().encode
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken of one table: how many rows, and a digest of them that does not depend on their order."""

    table: str
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move did; `again`: it had been done before, and only its end was missing."""

    tables: tuple[Taken, ...]
    again: bool = False

    @property
    def digest(self) -> str:
        """Return one digest of all."""
        return hashlib.sha256(_encode([(one.table, one.rows, one.digest) for one in self.tables])).hexdigest()


def look_over(home: Path) -> Moved:
    """Count and digest what a move would take; nothing is changed. Raises BadSetting for a home that was moved."""
    with closing(_open(home)) as source:
        return Moved(tuple(_take_in(name, rows) for name, _, rows in _all(home, source)))


def move(home: Path, database: Database) -> Moved:
    """Move a home into an empty database, which is made ready for it; safe to repeat until it has ended.

    Raises Conflict when the database holds something else, or the home has changed since an earlier try; Busy when either cannot be
    had.
    """
    with closing(_open(home, database)) as source:
        if _is_locked(source):
            _forget_keys(home)
            return Moved((), again=True)
        token = _token(source)
        source.execute("BEGIN IMMEDIATE")
        try:
            moved = _fill(home, source, database, token)
            _lock(source, database)
            source.execute("COMMIT")
        except BaseException:
            if source.in_transaction:
                source.execute("ROLLBACK")
            raise
    _forget_keys(home)
    return moved


def _open(home: Path, database: Database | None = None) -> sqlite3.Connection:
    """Open a home's file; one that was moved is refused unless it went to `database`."""
    # opened as ever first: an older ledger is brought to this version's tables
    engine = SqliteEngine(home / FILE, CommitMirror(home / "keys.commits"))
    try:
        with engine.reading() as connection:
            if database is None or read_meta(connection, MOVED) != database.url:
                refuse_moved(connection)
    finally:
        engine.dispose()
    source = sqlite3.connect(home / FILE, timeout=20, isolation_level=None)
    for pragma in ("synchronous=FULL", "secure_delete=ON"):
        source.execute(f"PRAGMA {pragma}")
    return source


def _token(source: sqlite3.Connection) -> str:
    found = source.execute("SELECT value FROM meta WHERE name = ?", (_TOKEN,)).fetchone()
    if found is None:
        found = (secrets.token_hex(16),)
        source.execute("INSERT INTO meta VALUES (?, ?)", (_TOKEN, *found))
    return str(found[0])


def _fill(home: Path, source: sqlite3.Connection, database: Database, token: str) -> Moved:
    """Take everything in, in one transaction of the database; what an earlier try has committed is only compared."""
    here = Moved(tuple(_take_in(name, rows) for name, _, rows in _all(home, source)))
    PostgresEngine(database, HostMirror(home / "keys.host")).dispose()
    PostgresKeyStore.make_tables(database)
    try:
        with database.connect() as target:
            target.execute("SELECT pg_advisory_xact_lock(%s)", (OPENING,))
            target.execute("SET LOCAL statement_timeout = 0")
            target.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            found = target.execute("SELECT value FROM meta WHERE name = %s", (_FROM,)).fetchone()
            if found is not None:
                _refuse_other(found[0], f"{token} {here.digest}")
                return replace(here, again=True)
            _refuse_full(target)
            for name, columns, rows in _all(home, source):
                _pour(target, name, columns, rows)
            last = "coalesce((SELECT max(number) FROM outcomes), 0) + 1"
            target.execute(f"SELECT setval('outcomes_number_seq', {last}, false)".encode())
            _compare(here, target)
            target.execute("INSERT INTO meta VALUES (%s, %s)", (_FROM, f"{token} {here.digest}"))
    except psycopg.Error as error:
        trouble = trouble_of(error)
        raise failure_of(error) if trouble is Trouble.OTHER else refusal_of(error) or told(trouble) from None
    return here


def _all(home: Path, source: sqlite3.Connection) -> Iterator[tuple[str, list[str], Iterable[Row]]]:
    """Yield each table's name in the database, its columns, and the home's rows, in an order that foreign keys allow."""
    for table in metadata.sorted_tables:
        yield f"{SCHEMA}.{table.name}", [column.name for column in table.columns], _rows_of(table, source)
    yield f"{KEYS_SCHEMA}.keys", ["name", "wrapped"], _keys_of(home)
    yield f"{SCHEMA}.spool_chunks", ["blob", "chunk", "data", "written_at"], _chunks_of(home)


def _rows_of(table: Table, source: sqlite3.Connection) -> Iterator[Row]:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    truths = [place for place, column in enumerate(table.columns) if isinstance(column.type, Boolean)]
    for found in source.execute(f'SELECT {names} FROM "{table.name}"'):  # noqa: S608 -- names of our own tables
        row = list(found)
        for place in truths:
            row[place] = bool(row[place])
        if table is not meta or row[0] not in _OWN:
            yield tuple(row)


def _keys_of(home: Path) -> Iterator[Row]:
    with closing(sqlite3.connect(home / "keys.db")) as base:
        yield from base.execute("SELECT name, wrapped FROM keys")


def _chunks_of(home: Path) -> Iterator[Row]:
    for file in sorted((home / "spool").glob("*/*.chunk")):
        yield file.parent.name, int(file.stem), file.read_bytes(), file.stat().st_mtime_ns // 1_000_000


def _take_in(name: str, rows: Iterable[Row]) -> Taken:
    count = total = 0
    for row in rows:
        count += 1
        total += int.from_bytes(hashlib.sha256(_encode(row)).digest())
    return Taken(name, count, f"{total % (1 << 256):064x}")


def _pour(target: psycopg.Connection[Any], name: str, columns: list[str], rows: Iterable[Row]) -> None:
    places = sql.SQL(", ").join(map(sql.Identifier, columns))
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(*name.split(".")), places)
    with target.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            copy.write_row(row)


def _compare(here: Moved, target: psycopg.Connection[Any]) -> None:
    for one in here.tables:
        columns = sql.SQL(", ").join(map(sql.Identifier, _columns_of(one.table)))
        query = sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(*one.table.split(".")))
        own = " WHERE name NOT LIKE 'commits %'" if one.table == f"{SCHEMA}.meta" else ""
        with target.cursor(name="compare") as cursor:
            cursor.execute(query + sql.SQL(own))
            there = _take_in(one.table, cursor)
        if there != one:
            raise PratunamError(
                f"{one.table}: {one.rows} rows were sent and {there.rows} came back, or not the same. Nothing was kept.",
                message_th=f"{one.table}: ส่ง {one.rows} แถว อ่านกลับได้ {there.rows} แถว หรือข้อมูลไม่ตรงกัน จึงไม่เก็บไว้",
                remedy_en="The home is as it was. Move again; if it comes back, report it with both versions.",
                remedy_th="ข้อมูลเดิมยังอยู่ครบ โปรดสั่งย้ายใหม่ หากยังเกิดซ้ำโปรดแจ้งพร้อมหมายเลขรุ่น",
            )


def _columns_of(name: str) -> list[str]:
    table = name.partition(".")[2]
    if name.startswith(f"{KEYS_SCHEMA}."):
        return ["name", "wrapped"]
    known = spool_chunks if table == spool_chunks.name else metadata.tables[table]
    return [column.name for column in known.columns]


def _refuse_full(target: psycopg.Connection[Any]) -> None:
    names = [f"{SCHEMA}.{table.name}" for table in metadata.sorted_tables if table is not meta]
    for name in (*names, f"{KEYS_SCHEMA}.keys", f"{SCHEMA}.spool_chunks"):
        query = sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(*name.split(".")))
        if target.execute(query).fetchone() is not None:
            raise Conflict(
                "The database is not empty: it holds another installation's ledger.",
                message_th="ฐานข้อมูลปลายทางไม่ว่าง มีข้อมูลของระบบอื่นอยู่แล้ว",
                remedy_en="Name an empty database.",
                remedy_th="โปรดระบุฐานข้อมูลที่ว่าง",
            )


def _refuse_other(found: str, wanted: str) -> None:
    if found == wanted:
        return
    if found.partition(" ")[0] != wanted.partition(" ")[0]:
        raise Conflict(
            "The database holds another home's ledger.",
            message_th="ฐานข้อมูลปลายทางมีข้อมูลที่ย้ายมาจากระบบอื่นอยู่แล้ว",
            remedy_en="Name an empty database.",
            remedy_th="โปรดระบุฐานข้อมูลที่ว่าง",
        )
    raise Conflict(
        "The database holds an earlier state of this home, which has been used since.",
        message_th="ฐานข้อมูลปลายทางมีข้อมูลเดิมของระบบนี้ แต่ระบบนี้ถูกใช้งานต่อหลังจากนั้น",
        remedy_en=f"If nothing has used the database: DROP SCHEMA {SCHEMA}, {KEYS_SCHEMA} CASCADE there, then move again.",
        remedy_th=f"หากยังไม่มีการใช้ฐานข้อมูลนั้น ให้สั่ง DROP SCHEMA {SCHEMA}, {KEYS_SCHEMA} CASCADE แล้วย้ายใหม่",
    )


def _is_locked(source: sqlite3.Connection) -> bool:
    return source.execute("SELECT 1 FROM meta WHERE name = ?", (MOVED,)).fetchone() is not None


def _lock(source: sqlite3.Connection, database: Database) -> None:
    source.execute("INSERT INTO meta VALUES (?, ?)", (MOVED, database.url))
    for when in ("INSERT", "UPDATE"):
        source.execute(_FENCE.format(when=when))


def _forget_keys(home: Path) -> None:
    # overwritten, not only forgotten: a job whose key is destroyed must be closed here too
    with closing(sqlite3.connect(home / "keys.db", isolation_level=None)) as base:
        for pragma in ("synchronous=FULL", "secure_delete=ON"):
            base.execute(f"PRAGMA {pragma}")
        base.execute("DELETE FROM keys")
    handle = os.open(home, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
