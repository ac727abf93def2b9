"""The spool in PostgreSQL: sealed blobs in numbered chunks that every host can read. It never sees plain text; callers seal first."""

from collections.abc import AsyncIterator, Mapping

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    cast,
    delete,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from ledger.engine import LedgerEngine
from ledger.spool import BLOB, no_chunk, no_name
from ledger.tables import metadata as _of_ledger

#: of its own, since SQLite's homes have no such table
metadata = MetaData(naming_convention=_of_ledger.naming_convention)
spool_chunks = Table(
    "spool_chunks",
    metadata,
    Column("blob", Text, primary_key=True),
    Column("chunk", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
    Column("written_at", BigInteger, nullable=False),
)
_NOW_MS = cast(func.extract("epoch", func.clock_timestamp()) * 1000, BigInteger)


class PostgresSpool:
    """`domain.ports.Spool` beside the ledger, on the ledger's own engine: a row a chunk, committed when `put` returns."""

    def __init__(self, engine: LedgerEngine) -> None:
        """Keep blobs where the ledger lies; the engine stays the caller's to close."""
        self._engine = engine

    async def put(self, blob: str, chunk: int, data: bytes) -> None:
        """Write one chunk durably; writing the same chunk again replaces it."""
        await self._engine.write(_put, _named(blob), chunk, data)

    async def get(self, blob: str, chunk: int) -> bytes:
        """Read one chunk; raises NotFound."""
        data = await self._engine.read(_get, _named(blob), chunk)
        if data is None:
            raise no_chunk(blob, chunk)
        return data

    async def chunks(self, blob: str) -> AsyncIterator[bytes]:
        """Yield all chunks in order; a gap ends with NotFound, for then a piece is missing."""
        for chunk in range(await self._engine.read(_count, _named(blob))):
            yield await self.get(blob, chunk)

    async def blobs(self) -> Mapping[str, int]:
        """Return all blobs, each with when it was last written to (ms since the epoch)."""
        return await self._engine.read(_blobs)

    async def delete(self, blob: str) -> None:
        """Remove a blob and all its chunks; nothing happens when it is gone."""
        await self._engine.write(_delete, _named(blob))


def _put(connection: Connection, blob: str, chunk: int, data: bytes) -> None:
    row = {"data": data, "written_at": _NOW_MS}
    fresh = insert(spool_chunks).values(blob=blob, chunk=chunk, **row)
    connection.execute(fresh.on_conflict_do_update(index_elements=["blob", "chunk"], set_=row))


def _get(connection: Connection, blob: str, chunk: int) -> bytes | None:
    of_chunk = (spool_chunks.c.blob == blob, spool_chunks.c.chunk == chunk)
    return connection.execute(select(spool_chunks.c.data).where(*of_chunk)).scalar()


def _count(connection: Connection, blob: str) -> int:
    query = select(func.max(spool_chunks.c.chunk)).where(spool_chunks.c.blob == blob)
    last = connection.execute(query).scalar()
    return 0 if last is None else last + 1


def _blobs(connection: Connection) -> dict[str, int]:
    query = select(spool_chunks.c.blob, func.max(spool_chunks.c.written_at)).group_by(spool_chunks.c.blob)
    return {row[0]: row[1] for row in connection.execute(query)}


def _delete(connection: Connection, blob: str) -> None:
    connection.execute(delete(spool_chunks).where(spool_chunks.c.blob == blob))


def _named(blob: str) -> str:
    if not BLOB.fullmatch(blob):
        raise no_name()
    return blob
