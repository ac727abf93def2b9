"""What a preloaded library is told: how far a process's clock is off, and whether its disk fails to sync. Needs a C compiler to be had."""

import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

_SOURCE = Path(__file__).with_name("shim.c")
NO_LIBRARY = "no C compiler to build what steps clocks and fails syncs"


class Wishes:
    """The clock and the disk of some processes; without a compiler nothing can be wished (`can` is False)."""

    def __init__(self, library: Path | None, file: Path) -> None:
        """Nothing is wrong; `file` is what the processes look at."""
        self.can = library is not None
        self._library = library
        self._file = file
        self._clock_ns, self._fails = 0, False
        self._write()

    @property
    def environment(self) -> Mapping[str, str]:
        """Return what a process must have in its environment to hear of it."""
        if self._library is None:
            return {}
        return {"LD_PRELOAD": str(self._library), "GAUNTLET_WISHES": str(self._file)}

    def step_clock(self, seconds: float) -> None:
        """Have the wall clock be off by so much from now on."""
        self._clock_ns = round(seconds * 1e9)
        self._write()

    def fail_syncs(self, fails: bool) -> None:
        """Have fsync and fdatasync fail with EIO, or no more."""
        self._fails = fails
        self._write()

    def _write(self) -> None:
        packed = struct.pack("=qq", self._clock_ns, int(self._fails))
        if not self._file.exists():
            self._file.write_bytes(packed)
        with self._file.open("r+b") as file:
            file.write(packed)


def built_library(folder: Path) -> Path | None:
    """Compile the library into `folder`; None where there is no C compiler."""
    compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
    if compiler is None:
        return None
    made = folder / "shim.so"
    words = [compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(_SOURCE), "-ldl"]
    return made if subprocess.run(words, check=False, capture_output=True).returncode == 0 else None
