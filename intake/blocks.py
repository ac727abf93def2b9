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
        self._held = bytearray()
        self._lines = 0

    def feed(self, text: bytes) -> Iterator[Block]:
        """Yield the blocks that are complete now; raises BadFile for a record beyond the cap."""
        self._held += text
        if len(self._held) >= self._block_bytes:
            data = bytes(self._held)
            cut = self._last_end(data)
            del self._held[:cut]
            self._lines += data.count(b"\n", 0, cut)
            yield Block(data[:cut], last=False)

    def end(self) -> Iterator[Block]:
        """Yield what is left; raises BadFile when a quotation mark is still open."""
        data = bytes(self._held)
        self._held.clear()
        if data.count(b'"') % 2:
            raise open_quote(self._start_line(data))
        yield Block(data, last=True)

    def _last_end(self, data: bytes) -> int:
        """Return the offset behind the last line feed that ends a record."""
        odd = data.count(b'"') % 2
        end = data.rfind(b"\n")
        seen = len(data)
        while end >= 0:
            odd ^= data.count(b'"', end, seen) % 2
            if not odd:
                break
            seen, end = end, data.rfind(b"\n", 0, end)
        if len(data) - end - 1 > ROW_BYTES:
            line = self._lines + data.count(b"\n", 0, end + 1) + 1
            raise (
                open_quote(line)
                if b'"' in data[end + 1 :] and b"\n" in data[end + 1 :]
                else long_row(line, ROW_BYTES)
            )
        return end + 1

    def _start_line(self, data: bytes) -> int:
        """Return the line of the record in which the quotation mark is opened that is never closed."""
        seen, odd, end = len(data), 1, data.rfind(b"\n")
        while end >= 0:
            odd ^= data.count(b'"', end, seen) % 2
            if not odd:
                break
            seen, end = end, data.rfind(b"\n", 0, end)
        return self._lines + data.count(b"\n", 0, end + 1) + 1
