"""Good rows on disk until it is known which of them go the plain way, sealed with a key that dies with this process.

They lie in blocks packed as a slice's lines are: one that needs no change becomes a slice as it is, and no row is packed twice.
"""

import os
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.boxes import pack_lines, unpack_lines
from ledger.sealing import KEY_BYTES, Sealer, aad


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
        self.blocks: list[Block] = []
        self.length = length
        self._path = folder / "held"
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
        firsts = [block.first for block in self.blocks]
        wanted = set(positions)
        found: dict[int, bytes] = {}
        for number in sorted({bisect_right(firsts, at) - 1 for at in wanted}):
            for at, body in zip(*self.rows(self.blocks[number]), strict=True):
                if at in wanted:
                    found[at] = body
        return found

    def _write(self, until: int) -> None:
        with self._path.open("ab") as out:
            for start in range(0, until, self.length):
                positions = self._positions[start : min(start + self.length, until)]
                bodies = self._bodies[start : start + len(positions)]
                number = len(self.blocks)
                sealed = self._sealer.seal_packed(pack_lines(bodies, positions), _place(number))
                out.write(sealed)
                self.blocks.append(
                    Block(number, positions[0], positions[-1], len(positions), self._written, len(sealed))
                )
                self._written += len(sealed)
        self._positions, self._bodies = self._positions[until:], self._bodies[until:]


def _place(number: int) -> bytes:
    return aad("", "", "held", number)
