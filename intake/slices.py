"""Good rows become slices' lines, in the file's order; a person's several rows, and those that wait, in slices of their own."""

from collections.abc import Iterator
from itertools import groupby

from intake.frames import Join, Lines, Pipes, SliceBatch
from intake.held import Block, HeldRows
from intake.persons import Persons
from intake.tail import TailRow
from ledger.boxes import INDEX_BYTES, pack_lines

#: slices and packed bytes that go to the parent at once: one transaction
BATCH_SLICES = 100
BATCH_BYTES = 4 << 20
#: slices of other jobs that one slice waits for, about
MOST_WAITS = 40


class Slicer:
    """Makes slices of at most `most` lines and sends them in batches; `lines` counts them."""

    def __init__(self, pipes: Pipes, persons: Persons, held: HeldRows, most: int) -> None:
        """Begin with none."""
        self.lines = 0
        self._pipes = pipes
        self._persons = persons
        self._held = held
        self._most = most
        self._positions: list[int] = []
        self._bodies: list[bytes] = []
        self._index = bytearray()
        self._batch: list[Lines] = []
        self._batch_bytes = 0

    def add_plain(self) -> None:
        """Take the held rows that go the plain way."""
        for block in self._held.blocks():
            index = self._persons.index(block.count)
            apart = self._persons.apart(block.first, block.last)
            if apart or block.count > self._most:
                self._cut(block, index, apart)
            else:
                self._put(Lines(block.count, self._held.packed(block), index, {}, (), ()))
        self._send(len(self._positions))

    def add_tail(self, rows: list[TailRow]) -> None:
        """Take one round of the tail."""
        bodies = self._held.pick([row.position for row in rows])
        for slice_rows in _parted(rows, self._most):
            after = {
                at: at - 1
                for at in range(1, len(slice_rows))
                if slice_rows[at].unit == slice_rows[at - 1].unit
            }
            self._put(
                Lines(
                    count=len(slice_rows),
                    packed=pack_lines(
                        [bodies[row.position] for row in slice_rows], [row.position for row in slice_rows]
                    ),
                    index=b"".join(row.index for row in slice_rows),
                    after=after,
                    waits=tuple(sorted({number for row in slice_rows for number in row.waits})),
                    joins=tuple(Join(at, *row.join) for at, row in enumerate(slice_rows) if row.join),
                )
            )

    def end(self) -> None:
        """Send what is left."""
        if self._batch:
            self._pipes.say(SliceBatch(tuple(self._batch)))
        self._batch, self._batch_bytes = [], 0

    def _cut(self, block: Block, index: bytes, apart: frozenset[int]) -> None:
        """Take the rows of a block that is too long or holds rows that go another way; what fills no slice waits for more."""
        for at, (position, body) in enumerate(zip(*self._held.rows(block), strict=True)):
            if position not in apart:
                self._positions.append(position)
                self._bodies.append(body)
                self._index += index[at * INDEX_BYTES : (at + 1) * INDEX_BYTES]
        whole = len(self._positions) - len(self._positions) % self._most
        if not whole and len(self._positions) * 2 > self._most:
            # nearly a slice: it keeps its place in the order
            whole = len(self._positions)
        self._send(whole)

    def _send(self, until: int) -> None:
        """Send so many of the waiting rows."""
        for start in range(0, until, self._most):
            end = min(start + self._most, until)
            packed = pack_lines(self._bodies[start:end], self._positions[start:end])
            index = bytes(self._index[start * INDEX_BYTES : end * INDEX_BYTES])
            self._put(Lines(end - start, packed, index, {}, (), ()))
        del self._positions[:until], self._bodies[:until], self._index[: until * INDEX_BYTES]

    def _put(self, lines: Lines) -> None:
        self.lines += lines.count
        self._batch.append(lines)
        self._batch_bytes += len(lines.packed)
        if len(self._batch) >= BATCH_SLICES or self._batch_bytes >= BATCH_BYTES:
            self.end()


def _parted(rows: list[TailRow], most: int) -> Iterator[list[TailRow]]:
    """Yield the rows of one slice after another: persons unparted, waiting ones not beside those that need not wait."""
    held: list[TailRow] = []
    waits: set[int] = set()
    for _, group in groupby(rows, key=lambda row: row.unit):
        unit = list(group)
        more = waits | set(unit[0].waits)
        if held and (
            len(held) + len(unit) > most
            or bool(held[-1].waits) != bool(unit[0].waits)
            or len(more) > MOST_WAITS
        ):
            yield held
            held, more = [], set(unit[0].waits)
        held += unit
        waits = more
    if held:
        yield held
