"""The front door: opens the durable truth of one installation. Everything else asks for `ledger.protocols.Ledger`."""

import asyncio
from pathlib import Path

from sqlalchemy import Connection

from domain.errors import BadSetting
from ledger.database import Database
from ledger.engine import LedgerEngine
from ledger.host_mirror import HostMirror
from ledger.keystore import KeyStore
from ledger.meta import CommitMirror, read_meta
from ledger.postgres import PostgresEngine
from ledger.protocols import Ledger
from ledger.sqlite import SqliteEngine
from ledger.verbs import SqlLedger

FILE = "ledger.db"
#: where in `meta` a home says that it was moved away
MOVED = "moved_to"


async def open_ledger(where: Path | Database, keys: KeyStore) -> Ledger:
    """Open the ledger of a home (a folder), or the one in a PostgreSQL database, making or migrating its tables.

    Raises BadSetting for a ledger of a newer version or a server that is not fit, Busy for one that cannot be reached. The key store
    stays the caller's.
    """
    return await asyncio.to_thread(lambda: SqlLedger(_engine(where, keys), keys))


def _engine(where: Path | Database, keys: KeyStore) -> LedgerEngine:
    if isinstance(where, Database):
        return PostgresEngine(where, HostMirror(keys.counter_path))
    engine = SqliteEngine(where / FILE, CommitMirror(keys.counter_path))
    try:
        engine.read_now(refuse_moved)
    except BaseException:
        engine.dispose()
        raise
    return engine


def refuse_moved(connection: Connection) -> None:
    """Raise BadSetting for a home that was moved away: its jobs are sent from elsewhere now."""
    where = read_meta(connection, MOVED)
    if where is not None:
        raise BadSetting(
            f"This home was moved into PostgreSQL ({where}) and is locked.",
            message_th=f"ข้อมูลของระบบนี้ถูกย้ายไปยัง PostgreSQL ({where}) แล้ว และถูกล็อกไว้",
            remedy_en="Set PRATUNAM_LEDGER_URL to that address.",
            remedy_th="กำหนด PRATUNAM_LEDGER_URL เป็นที่อยู่นั้น",
        )
