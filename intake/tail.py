"""The tail of a job: rows that may not go the plain way, because another record of the same person must be answered first.

They lie on disk, those that follow each other in one part, and a part is put in order by itself: memory does not follow their number.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from domain.slices import MOST_LINES
from intake.spill import Spill

#: rows of the table whose persons are put in order together
NEAR_ROWS = 200_000
#: rows whose bodies are held at once
ROUND_ROWS = 20_000
#: `unit` is the first position of the person's rows; `waits` are slices of other jobs; `join_…` the equal record that is joined
TAIL: dict[str, pl.DataType | type[pl.DataType]] = {
    "_position": pl.UInt32,
    "hi": pl.UInt64,
    "lo": pl.UInt64,
    "content": pl.UInt64,
    "unit": pl.UInt32,
    "waits": pl.List(pl.UInt32),
    "join_number": pl.UInt32,
    "join_line": pl.UInt32,
}
_FREE, _WAITING = "tail-free", "tail-waiting"
_NEAR = "_near"


@dataclass(frozen=True, slots=True)
class TailRow:
    """One row of the tail."""

    position: int
    unit: int
    index: bytes
    waits: tuple[int, ...]
    join: tuple[int, int] | None


class Tail:
    """The rows in the order in which they are put into slices: those that wait for no other job first, a person's side by side."""

    def __init__(self, spill: Spill, near: int = NEAR_ROWS) -> None:
        """Begin without rows; `near` is how many rows of the table are put in order together."""
        self._spill = spill
        self._near_rows = near
        # as many slices of other jobs as hold no more lines than that
        self._near_slices = max(1, near // MOST_LINES)
        self._parts: dict[str, set[int]] = {_FREE: set(), _WAITING: set()}
        self._waiting = self._joined = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Take rows as `TAIL` says, all of a person at once."""
        waits = pl.col("waits").list
        self._joined += int(rows["join_number"].is_not_null().sum())
        self._waiting += self._scatter(
            _WAITING, rows.filter(waits.len() > 0), waits.first() // self._near_slices
        )
        self._scatter(_FREE, rows.filter(waits.len() == 0), pl.col("unit") // self._near_rows)

    def _scatter(self, name: str, rows: pl.DataFrame, near: pl.Expr) -> int:
        split = rows.with_columns(near.alias(_NEAR)).partition_by(_NEAR, as_dict=True, include_key=False)
        for (part,), found in split.items():
            self._spill.append(name, part, found)
            self._parts[name].add(part)
        return rows.height

    @property
    def warnings(self) -> dict[str, int]:
        """Return how many rows join a record and how many wait for one."""
        counts = ("joined-record", self._joined), ("waits-for-record", self._waiting - self._joined)
        return {code: count for code, count in counts if count}

    def rounds(self) -> Iterator[list[TailRow]]:
        """Yield rows in rounds, never parting a person's."""
        held: list[TailRow] = []
        for row in self._sorted():
            if len(held) >= ROUND_ROWS and row.unit != held[-1].unit:
                yield held
                held = []
            held.append(row)
        if held:
            yield held

    def _sorted(self) -> Iterator[TailRow]:
        for name, parts in self._parts.items():
            for part in sorted(parts):
                rows = self._spill.read(name, part)
                assert rows is not None
                rows = rows.sort(pl.col("waits").list.first(), "unit", "_position")
                yield from map(_row, rows.iter_rows())


def _row(row: tuple[int, int, int, int, int, list[int], int | None, int | None]) -> TailRow:
    position, hi, lo, content, unit, waits, number, line = row
    index = hi.to_bytes(8, "little") + lo.to_bytes(8, "little") + content.to_bytes(8, "little")
    join = None if number is None or line is None else (number, line)
    return TailRow(position, unit, index, tuple(waits), join)
