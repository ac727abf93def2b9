"""Frames of blind hashes in files, partition by partition; for what would not fit in memory. Never plain values."""

import io
from pathlib import Path

import polars as pl

_SIZE_BYTES = 8


class Spill:
    """Files `NAME-PART` under one folder, each a row of length-prefixed Arrow streams."""

    def __init__(self, folder: Path) -> None:
        """Write under `folder`, which must exist and be ours alone."""
        self._folder = folder

    def scatter(self, name: str, frame: pl.DataFrame, by: str, parts: int) -> None:
        """Append the rows to their partitions, by the remainder of the integer column `by`."""
        if not frame.height:
            return
        if parts == 1:
            self.append(name, 0, frame)
            return
        split = frame.with_columns((pl.col(by) % parts).alias("_part")).partition_by(
            "_part", as_dict=True, include_key=False
        )
        for (part,), rows in split.items():
            self.append(name, int(part), rows)

    def append(self, name: str, part: int, frame: pl.DataFrame) -> None:
        """Append the rows to one partition."""
        out = io.BytesIO()
        frame.write_ipc_stream(out, compression="uncompressed")
        with self._path(name, part).open("ab") as held:
            held.write(len(out.getbuffer()).to_bytes(_SIZE_BYTES))
            held.write(out.getbuffer())

    def read(self, name: str, part: int, columns: list[str] | None = None) -> pl.DataFrame | None:
        """Return one partition (only these columns, if any are named), or None when nothing was written there."""
        path = self._path(name, part)
        if not path.exists():
            return None
        frames = []
        with path.open("rb") as held:
            while head := held.read(_SIZE_BYTES):
                frames.append(
                    pl.read_ipc_stream(io.BytesIO(held.read(int.from_bytes(head))), columns=columns)
                )
        return pl.concat(frames)

    def _path(self, name: str, part: int) -> Path:
        return self._folder / f"{name}-{part}"
