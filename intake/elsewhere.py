"""The party's other open jobs, as the check of a new one sees them: their blind index, and the keys of records that are joined."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from intake.frames import Lines
from intake.parts import IntakeParts
from ledger.boxes import open_slice
from ledger.values import IndexPart, StoredSlice

#: opened slices whose keys are kept in memory
KEPT_SLICES = 200


@dataclass(slots=True)
class Elsewhere:
    """Slices of other jobs, numbered in order of taking in."""

    parts: IntakeParts
    party: str
    names: list[str] = field(default_factory=list)
    _where: list[tuple[str, int]] = field(default_factory=list)
    _keys: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _readers: dict[str, "_Reader"] = field(default_factory=dict)

    def number(self, part: IndexPart) -> int:
        """Take a slice in and return its number."""
        self.names.append(part.slice_id)
        self._where.append((part.job, part.seq))
        return len(self.names) - 1

    async def joined(self, batch: Iterable[Lines]) -> dict[tuple[int, int], str]:
        """Return the keys of the records that these lines join."""
        wanted = sorted({(join.number, join.line) for lines in batch for join in lines.joins})
        return {(number, line): (await self._keys_of(number))[line] for number, line in wanted}

    async def _keys_of(self, number: int) -> tuple[str, ...]:
        if number not in self._keys:
            job, seq = self._where[number]
            stored = await self._stored(job, seq)
            sealer = await asyncio.to_thread(self.parts.keys.sealer, job)
            box = await asyncio.to_thread(open_slice, stored.box, sealer, self.party, job, seq)
            if len(self._keys) >= KEPT_SLICES:
                self._keys.pop(next(iter(self._keys)))
            self._keys[number] = box.keys
        return self._keys[number]

    async def _stored(self, job: str, seq: int) -> StoredSlice:
        # joined records come nearly in order: one reader a job goes forward and begins anew only when it must
        reader = self._readers.get(job)
        if reader is None or reader.passed >= seq:
            reader = self._readers[job] = _Reader(self.parts.ledger.slices(job))
        return await reader.find(seq)


class _Reader:
    """Reads a job's slices forward."""

    def __init__(self, slices: AsyncIterator[StoredSlice]) -> None:
        self.passed = -1
        self._slices = slices

    async def find(self, seq: int) -> StoredSlice:
        async for stored in self._slices:
            self.passed = stored.seq
            if stored.seq == seq:
                return stored
        raise LookupError(f"slice {seq} is in the index and not in the ledger")
