"""Records that have no answer yet, as people see them: by sheet and row of their file. Shows where they stand, never who they are."""

from __future__ import annotations

import asyncio
import io
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.jobs import Job
from ledger.boxes import open_slice
from pratunam.parts import Parts

if TYPE_CHECKING:  # intake loads polars
    from intake.frames import TableChunk
    from intake.spooled import SpooledTable

_STATES = ("doubtful", "unknown")


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """One record: its row and sheet in the file, and where the ledger keeps it; the row of an erased one is known to nobody."""

    row: int | None
    sheet: str
    slice_id: str
    line: int


async def list_unsettled(parts: Parts, job: Job, state: str) -> Sequence[RecordPlace]:
    """Return a job's records in one state (`unknown`, `doubtful`) in the file's order."""
    records = await parts.ledger.unsettled(job.job, state)
    if not records:
        return []
    if job.erased_at is not None:
        return [RecordPlace(None, "", each.slice_id, each.line) for each in records]
    positions = await _positions(parts, job)
    wanted = {(each.slice_id, each.line): positions[each.slice_id][each.line] for each in records}
    rows = await _rows(parts, job, frozenset(wanted.values()))
    places = [RecordPlace(*rows[at], *key) for key, at in wanted.items()]
    return sorted(places, key=lambda place: wanted[place.slice_id, place.line])


async def find_unsettled(parts: Parts, job: Job, row: int, sheet: str | None) -> RecordPlace | None:
    """Return the unknown or doubtful record of one row of the file; without `sheet`, of the only sheet that has one there."""
    for state in _STATES:
        found = [
            place
            for place in await list_unsettled(parts, job, state)
            if place.row == row and sheet in {None, place.sheet}
        ]
        if len(found) == 1:
            return found[0]
    return None


async def find_line(parts: Parts, job: Job, slice_id: str, line: int) -> RecordPlace | None:
    """Return the unknown or doubtful record of one line of a slice, as the lists name it."""
    for state in _STATES:
        for each in await parts.ledger.unsettled(job.job, state):
            if (each.slice_id, each.line) == (slice_id, line):
                return RecordPlace(None, "", slice_id, line)
    return None


async def _positions(parts: Parts, job: Job) -> dict[str, array[int]]:
    """Return, slice by slice, each line's position in the spooled table."""
    sealer = await asyncio.to_thread(parts.keys.sealer, job.job)
    found: dict[str, array[int]] = {}
    async for stored in parts.ledger.slices(job.job):
        box = await asyncio.to_thread(open_slice, stored.box, sealer, job.party, job.job, stored.seq)
        found[stored.slice_id] = array("I", box.positions)
    return found


async def _rows(parts: Parts, job: Job, wanted: frozenset[int]) -> dict[int, tuple[int, str]]:
    """Return row number and sheet of each wanted position."""
    table = await _table(parts, job)
    head = await table.head()
    found: dict[int, tuple[int, str]] = {}
    for number in range(1, head.chunks + 1):
        chunk = await table.chunk(number)
        mine = [at for at in wanted if chunk.first <= at < chunk.first + chunk.rows]
        if mine:
            rows = await asyncio.to_thread(_row_numbers, chunk)
            found |= {at: (rows[at - chunk.first], chunk.sheet) for at in mine}
    return found


async def _table(parts: Parts, job: Job) -> SpooledTable:
    from intake.spooled import SpooledTable

    sealer = await asyncio.to_thread(parts.keys.sealer, job.job)
    return SpooledTable(parts.spool, sealer, job.party, job.job, job.blob)


def _row_numbers(chunk: TableChunk) -> list[int]:
    import polars as pl

    rows: list[int] = pl.read_ipc_stream(io.BytesIO(chunk.data), columns=["_row"])["_row"].to_list()
    return rows
