"""The front door: opens the durable truth of one home. Everything else asks for `ledger.protocols.Ledger`."""

import asyncio
from pathlib import Path

from domain.errors import BadSetting
from ledger.keystore import KeyStore
from ledger.meta import CommitMirror
from ledger.protocols import Ledger
from ledger.sqlite import SqliteEngine
from ledger.verbs import SqlLedger

FILE = "ledger.db"


async def open_ledger(home: Path | str, keys: KeyStore) -> Ledger:
    """Open the ledger of a home (a folder; later also the address of a PostgreSQL), making or migrating its tables.

    Raises BadSetting for an address that is not understood or a ledger of a newer version. The key store stays the caller's.
    """
    if isinstance(home, str) and "://" in home:
        raise BadSetting(
            "This version keeps its ledger in a folder only.",
            message_th="รุ่นนี้เก็บสมุดงานกลางไว้ในโฟลเดอร์เท่านั้น",
            remedy_en="Give the path of a home, not an address.",
            remedy_th="ระบุที่อยู่โฟลเดอร์แทนที่อยู่เครือข่าย",
        )
    return await asyncio.to_thread(_open, Path(home), keys)


def _open(home: Path, keys: KeyStore) -> Ledger:
    return SqlLedger(SqliteEngine(home / FILE, CommitMirror(keys.counter_path)), keys)
