"""The tail of a job: rows that may not go the plain way, because another record of the same person must be answered first."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

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

    def __init__(self, rows: pl.DataFrame) -> None:
        """Take rows as `TAIL` says."""
        self._rows = rows.sort(
            pl.col("waits").list.len() > 0,
            pl.col("waits").list.first(),
            "unit",
            "_position",
            nulls_last=False,
        )

    @property
    def warnings(self) -> dict[str, int]:
        """Return how many rows join a record and how many wait for one."""
        joined = int(self._rows["join_number"].is_not_null().sum())
        waiting = int((self._rows["waits"].list.len() > 0).sum()) - joined
        return {
            code: count for code, count in (("joined-record", joined), ("waits-for-record", waiting)) if count
        }

    def rounds(self) -> Iterator[list[TailRow]]:
        """Yield rows in rounds, never parting a person's."""
        held: list[TailRow] = []
        for batch in self._rows.iter_slices(ROUND_ROWS):
            for row in batch.iter_rows():
                one = _row(row)
                if len(held) >= ROUND_ROWS and one.unit != held[-1].unit:
                    yield held
                    held = []
                held.append(one)
        if held:
            yield held


def _row(row: tuple[int, int, int, int, int, list[int], int | None, int | None]) -> TailRow:
    position, hi, lo, content, unit, waits, number, line = row
    index = hi.to_bytes(8, "little") + lo.to_bytes(8, "little") + content.to_bytes(8, "little")
    join = None if number is None or line is None else (number, line)
    return TailRow(position, unit, index, tuple(waits), join)
