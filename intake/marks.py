"""One bit a row of a table: which rows do not go the plain way. It knows positions and nothing of what stands there."""

from collections.abc import Iterable


class Marks:
    """Marks on the rows from position 0 to before `rows`; a question about a stretch without any costs nearly nothing."""

    def __init__(self, rows: int) -> None:
        """Begin with none."""
        self._bits = bytearray(rows // 8 + 1)

    def add(self, positions: Iterable[int]) -> None:
        """Mark these rows."""
        for at in positions:
            self._bits[at >> 3] |= 1 << (at & 7)

    def within(self, first: int, last: int) -> frozenset[int]:
        """Return the marked rows from `first` to `last`, both included."""
        found = int.from_bytes(self._bits[first >> 3 : (last >> 3) + 1], "little") >> (first & 7)
        found &= (2 << (last - first)) - 1
        if not found:
            return frozenset()
        return frozenset(at for at in range(first, last + 1) if found >> (at - first) & 1)
