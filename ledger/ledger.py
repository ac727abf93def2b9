"""The front door: opens the durable truth of one installation. Everything else asks for `ledger.protocols.Ledger`."""

import asyncio
from pathlib import Path

from ledger.database import Database
from ledger.engine import LedgerEngine
from ledger.host_mirror import HostMirror
from ledger.keystore import KeyStore
from ledger.meta import CommitMirror
from ledger.postgres import PostgresEngine
from ledger.protocols import Ledger
from ledger.sqlite import SqliteEngine
from ledger.verbs import SqlLedger

FILE = "ledger.db"


async def open_ledger(where: Path | Database, keys: KeyStore) -> Ledger:
    """Open the ledger of a home (a folder), or the one in a PostgreSQL database, making or migrating its tables.

    Raises BadSetting for a ledger of a newer version or a server that is not fit, Busy for one that cannot be reached. The key store
    stays the caller's.
    """
    return await asyncio.to_thread(lambda: SqlLedger(_engine(where, keys), keys))


def _engine(where: Path | Database, keys: KeyStore) -> LedgerEngine:
    if isinstance(where, Database):
        return PostgresEngine(where, HostMirror(keys.counter_path))
    return SqliteEngine(where / FILE, CommitMirror(keys.counter_path))
