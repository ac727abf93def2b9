"""Small disks that can be filled: a tmpfs each, mounted where nobody else sees it. Needs root on Linux."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

_CLONE_NEWNS = 0x00020000
_BALLAST = "ballast"
_CHUNK = 1 << 20
NO_ROOM = "no small disk: a tmpfs in a mount namespace needs root"


def own_mounts() -> bool:
    """Give this process and its children mounts of their own; False where that is not allowed. Once, before threads start."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS) != 0:
        return False
    return _mount("--make-rprivate", "/")


class SmallDisk:
    """A disk of so many MiB under a folder, or the folder as it is where none can be mounted."""

    def __init__(self, folder: Path, mib: int, *, is_wanted: bool) -> None:
        """Mount it; `is_small` says whether that was wanted and allowed."""
        self.folder = folder
        options = f"size={mib}m,mode={folder.stat().st_mode & 0o777:o}"
        self.is_small = is_wanted and _mount("-t", "tmpfs", "-o", options, "tmpfs", str(folder))

    def fill(self) -> None:
        """Leave no byte free."""
        with (self.folder / _BALLAST).open("wb", buffering=0) as ballast:
            size = _CHUNK
            while size:
                try:
                    while True:
                        ballast.write(bytes(size))
                except OSError:
                    size //= 2

    def free(self) -> None:
        """Give the room back."""
        (self.folder / _BALLAST).unlink(missing_ok=True)

    def close(self) -> None:
        """Take the disk away."""
        if self.is_small:
            subprocess.run(["umount", "-l", str(self.folder)], check=False, capture_output=True)


def _mount(*words: str) -> bool:
    return subprocess.run(["mount", *words], check=False, capture_output=True).returncode == 0
