"""Checked rows that must be read again when their slices are cut: on disk, sealed with a key that dies with this process."""

import io
import os
from pathlib import Path

import polars as pl

from ledger.sealing import KEY_BYTES, Sealer, aad


class HeldRows:
    """Good rows by chunk (`_position` and `body`); checking them twice would cost more than this."""

    def __init__(self, folder: Path) -> None:
        """Keep files under `folder`."""
        self._folder = folder
        self._sealer = Sealer(os.urandom(KEY_BYTES))

    def put(self, number: int, good: pl.DataFrame) -> None:
        """Keep the good rows of chunk `number`."""
        out = io.BytesIO()
        # packed while it is written: that is cheaper than writing it whole and packing it then
        good.select("_position", pl.col("body").cast(pl.Binary)).write_ipc_stream(out, compression="lz4")
        self._path(number).write_bytes(self._sealer.seal(out.getvalue(), _place(number)))

    def get(self, number: int) -> pl.DataFrame:
        """Return the good rows of chunk `number`."""
        return pl.read_ipc_stream(
            io.BytesIO(self._sealer.open(self._path(number).read_bytes(), _place(number)))
        )

    def _path(self, number: int) -> Path:
        return self._folder / f"held-{number}"


def _place(number: int) -> bytes:
    return aad("", "", "held", number)
