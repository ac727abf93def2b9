"""Good rows on disk until it is known which of them go the plain way, sealed with a key that dies with this process.

They lie in blocks packed as a slice's lines are: one that needs no change becomes a slice as it is, and no row is packed twice.
Where each block lies is on disk as well: what is kept in memory does not follow the number of rows.
"""

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from struct import Struct

from ledger.boxes import pack_lines, unpack_lines
from ledger.sealing import KEY_BYTES, Sealer, aad

#: a block's place on disk: positions of its first and last row, how many rows, and where they lie
_PLACE = Struct("<5Q")


@dataclass(frozen=True, slots=True)
class Block:
    """Some good rows, in the file's order: positions of the first and the last, how many, and where they lie."""

    number: int
    first: int
    last: int
    count: int
    offset: int
    size: int


class HeldRows:
    """Good rows in blocks of `length`; only the last may be shorter. One thread may write while nobody reads."""

    def __init__(self, folder: Path, length: int) -> None:
        """Keep a file under `folder`."""
        self.length = length
        self._path = folder / "held"
        self._places = folder / "held-places"
        self._count = 0
        self._sealer = Sealer(os.urandom(KEY_BYTES))
        self._positions: list[int] = []
        self._bodies: list[bytes] = []
        self._written = 0

    def put(self, positions: Sequence[int], bodies: Sequence[bytes]) -> None:
        """Keep the next rows."""
        self._positions += positions
        self._bodies += bodies
        self._write(len(self._positions) - len(self._positions) % self.length)

    def end(self) -> None:
        """Keep the rows that fill no block."""
        self._write(len(self._positions))

    def blocks(self) -> Iterator[Block]:
        """Yield the blocks in the file's order; for when all rows are kept."""
        with self._places.open("rb") as listed:
            for number in range(self._count):
                yield Block(number, *_PLACE.unpack(listed.read(_PLACE.size)))

    def packed(self, block: Block) -> bytes:
        """Return a block's rows as `ledger.boxes.pack_lines` gave them."""
        with self._path.open("rb") as held:
            held.seek(block.offset)
            return self._sealer.open_packed(held.read(block.size), _place(block.number))

    def rows(self, block: Block) -> tuple[Sequence[int], Sequence[bytes]]:
        """Return a block's positions and bodies."""
        bodies, positions = unpack_lines(self.packed(block))
        return positions, bodies

    def pick(self, positions: Sequence[int]) -> dict[int, bytes]:
        """Return the bodies of some rows, block by block."""
        wanted = set(positions)
        found: dict[int, bytes] = {}
        for block in self._holding(sorted(wanted)):
            for at, body in zip(*self.rows(block), strict=True):
                if at in wanted:
                    found[at] = body
        return found

    def _holding(self, positions: Sequence[int]) -> Iterator[Block]:
        """Yield the blocks in which rows lie whose positions are given in order."""
        with self._places.open("rb") as listed:

            def block(number: int) -> Block:
                place = os.pread(listed.fileno(), _PLACE.size, number * _PLACE.size)
                return Block(number, *_PLACE.unpack(place))

            last = -1
            for at in positions:
                if at > last:
                    after = bisect_right(range(self._count), at, key=lambda number: block(number).first)
                    yield (found := block(after - 1))
                    last = found.last

    def _write(self, until: int) -> None:
        with self._path.open("ab") as out, self._places.open("ab") as listed:
            for start in range(0, until, self.length):
                positions = self._positions[start : min(start + self.length, until)]
                bodies = self._bodies[start : start + len(positions)]
                sealed = self._sealer.seal_packed(pack_lines(bodies, positions), _place(self._count))
                out.write(sealed)
                listed.write(
                    _PLACE.pack(positions[0], positions[-1], len(positions), self._written, len(sealed))
                )
                self._count += 1
                self._written += len(sealed)
        self._positions, self._bodies = self._positions[until:], self._bodies[until:]


def _place(number: int) -> bytes:
    return aad("", "", "held", number)
