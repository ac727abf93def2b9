"""The normalised table as it lies in the spool: chunk 0 says what it is and is written last, chunks 1… hold the rows, all sealed."""

import asyncio

import msgspec

from domain.jobs import Job
from domain.ports import Spool
from intake.frames import TableChunk
from ledger.keystore import KeyStore
from ledger.sealing import Sealer, aad


class TableHead(msgspec.Struct, frozen=True, array_like=True):
    """What a spooled table is: its columns as named in the file, what was matched and cut, and how many chunks follow."""

    columns: tuple[str, ...]
    matched: dict[str, str]
    cut: tuple[str, ...]
    unknown: tuple[str, ...]
    encoding: str
    delimiter: str
    sheets: tuple[str, ...]
    header_row: int
    rows: int
    chunks: int
    notes: tuple[tuple[str, str], ...]


_encode = msgspec.msgpack.Encoder().encode
_decode_head = msgspec.msgpack.Decoder(TableHead).decode
_decode_chunk = msgspec.msgpack.Decoder(TableChunk).decode


class SpooledTable:
    """One job's table in the spool."""

    def __init__(self, spool: Spool, sealer: Sealer, party: str, job: str, blob: str) -> None:
        """Bind the blob to its party and job."""
        self._spool = spool
        self._sealer = sealer
        self._place = (party, job, "spool")
        self._blob = blob

    async def put(self, number: int, chunk: TableChunk) -> None:
        """Seal and write chunk `number` (from 1)."""
        await self._spool.put(self._blob, number, await asyncio.to_thread(self._seal, number, chunk))

    async def put_head(self, head: TableHead) -> None:
        """Seal and write the head; from now on the table is whole."""
        await self._spool.put(self._blob, 0, self._seal(0, head))

    async def head(self) -> TableHead:
        """Return the head; raises NotFound for a table that was never finished, SealBroken."""
        sealed = await self._spool.get(self._blob, 0)
        return _decode_head(self._sealer.open_packed(sealed, aad(*self._place, 0)))

    async def chunk(self, number: int) -> TableChunk:
        """Return chunk `number` (from 1); raises NotFound, SealBroken."""
        sealed = await self._spool.get(self._blob, number)
        return await asyncio.to_thread(self._open, number, sealed)

    async def delete(self) -> None:
        """Remove the table."""
        await self._spool.delete(self._blob)

    def _seal(self, number: int, value: TableChunk | TableHead) -> bytes:
        # a chunk's rows are packed already, and the head is short
        return self._sealer.seal_packed(_encode(value), aad(*self._place, number))

    def _open(self, number: int, sealed: bytes) -> TableChunk:
        return _decode_chunk(self._sealer.open_packed(sealed, aad(*self._place, number)))


async def rows_waiting(job: Job, spool: Spool, keys: KeyStore) -> int:
    """Return how many rows a received file has, before anybody has checked one; raises NotFound, SealBroken."""
    sealer = await asyncio.to_thread(keys.sealer, job.job)
    return (await SpooledTable(spool, sealer, job.party, job.job, job.blob).head()).rows
