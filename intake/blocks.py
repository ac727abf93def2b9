"""Cuts a stream of UTF-8 at ends of records, so that each block can be read on its own; memory never follows a line's length.

A line feed ends a record when the number of quotation marks before it is even.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from intake.faults import long_row, open_quote

#: bytes of a block before it is cut: about 40,000 records of the full 22 columns; a check of fewer costs more a row
BLOCK_BYTES = 12 << 20
#: most bytes of one record
ROW_BYTES = 256 << 10


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records; `last` when nothing follows."""

    data: bytes
    last: bool


class Blocks:
    """Collects pieces and gives out blocks of whole records."""

    def __init__(self, block_bytes: int = BLOCK_BYTES) -> None:
        """Begin empty."""
        self._block_bytes = block_bytes
        # grows with the first block and serves all others: a buffer that grew for each would leave holes of every size
        self._held = bytearray()
        self._size = 0
        self._lines = 0

    def feed(self, text: bytes) -> Iterator[Block]:
        """Yield the blocks that are complete now; raises BadFile for a record beyond the cap."""
        self._held[self._size : self._size + len(text)] = text
        self._size += len(text)
        if self._size >= self._block_bytes:
            cut = self._last_end()
            self._lines += self._held.count(b"\n", 0, cut)
            yield Block(self._take(cut), last=False)

    def end(self) -> Iterator[Block]:
        """Yield what is left; raises BadFile when a quotation mark is still open."""
        if self._held.count(b'"', 0, self._size) % 2:
            raise open_quote(self._start_line())
        data = self._take(self._size)
        self._held.clear()
        yield Block(data, last=True)

    def _take(self, cut: int) -> bytes:
        """Return the first bytes, copied once, and move the others to the front."""
        with memoryview(self._held) as held:
            data = bytes(held[:cut])
            held[: self._size - cut] = held[cut : self._size]
        self._size -= cut
        return data

    def _last_end(self) -> int:
        """Return the offset behind the last line feed that ends a record."""
        end = self._before_open(self._held.count(b'"', 0, self._size) % 2)
        if self._size - end - 1 > ROW_BYTES:
            line = self._lines + self._held.count(b"\n", 0, end + 1) + 1
            rest = self._held[end + 1 : self._size]
            raise open_quote(line) if b'"' in rest and b"\n" in rest else long_row(line, ROW_BYTES)
        return end + 1

    def _start_line(self) -> int:
        """Return the line of the record in which the quotation mark is opened that is never closed."""
        return self._lines + self._held.count(b"\n", 0, self._before_open(1) + 1) + 1

    def _before_open(self, odd: int) -> int:
        """Return the offset of the last line feed that ends a record, -1 without one; `odd` quotation marks, modulo 2, are held."""
        seen, end = self._size, self._held.rfind(b"\n", 0, self._size)
        while end >= 0:
            odd ^= self._held.count(b'"', end, seen) % 2
            if not odd:
                break
            seen, end = end, self._held.rfind(b"\n", 0, end)
        return end
