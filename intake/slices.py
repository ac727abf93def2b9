"""Good rows become slices' lines, in the file's order; a person's several rows, and those that wait, in slices of their own."""

from collections.abc import Callable, Iterator
from itertools import groupby

import polars as pl

from intake.frames import Join, Lines, Pipes, SliceBatch, written
from intake.persons import Persons
from intake.tail import TailRow
from ledger.boxes import INDEX_BYTES

#: slices and bytes of bodies that go to the parent at once: one transaction
BATCH_SLICES = 100
BATCH_BYTES = 4 << 20
#: slices of other jobs that one slice waits for, about
MOST_WAITS = 40


class Slicer:
    """Cuts lines into slices of `most` and sends them in batches; `lines` counts them."""

    def __init__(self, pipes: Pipes, persons: Persons, most: int) -> None:
        """Begin with none."""
        self.lines = 0
        self._pipes = pipes
        self._persons = persons
        self._most = most
        self._positions: list[int] = []
        self._bodies: list[bytes] = []
        self._index = b""
        self._batch: list[Lines] = []
        self._batch_bytes = 0

    def add(self, good: pl.DataFrame) -> None:
        """Take the next chunk's good rows."""
        plain, index = self._persons.take_apart(good)
        self._positions += plain["_position"].to_list()
        self._bodies += plain["body"].cast(pl.Binary).to_list()
        self._index += index
        whole = len(self._positions) - len(self._positions) % self._most
        for at in range(0, whole, self._most):
            self._plain(at, at + self._most)
        self._positions = self._positions[whole:]
        self._bodies = self._bodies[whole:]
        self._index = self._index[whole * INDEX_BYTES :]

    def end_rows(self) -> None:
        """Send the rest of the plain rows."""
        if self._positions:
            self._plain(0, len(self._positions))
        self._positions, self._bodies, self._index = [], [], b""

    def add_tail(self, rows: list[TailRow], pick: Callable[[list[int]], dict[int, bytes]]) -> None:
        """Take one round of the tail; `pick` finds the bodies of its rows."""
        bodies = pick([row.position for row in rows])
        for slice_rows in _parted(rows, self._most):
            after = {
                at: at - 1
                for at in range(1, len(slice_rows))
                if slice_rows[at].unit == slice_rows[at - 1].unit
            }
            self._put(
                Lines(
                    count=len(slice_rows),
                    positions=written([row.position for row in slice_rows]),
                    bodies=written([bodies[row.position] for row in slice_rows]),
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

    def _plain(self, start: int, end: int) -> None:
        self._put(
            Lines(
                count=end - start,
                positions=written(self._positions[start:end]),
                bodies=written(self._bodies[start:end]),
                index=self._index[start * INDEX_BYTES : end * INDEX_BYTES],
                after={},
                waits=(),
                joins=(),
            )
        )

    def _put(self, lines: Lines) -> None:
        self.lines += lines.count
        self._batch.append(lines)
        self._batch_bytes += len(bytes(lines.bodies))
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
