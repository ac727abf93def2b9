"""The spool in a folder: sealed blobs in numbered chunks. It never sees plain text; callers seal first."""

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from domain.errors import NotFound

BLOB = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def no_chunk(blob: str, chunk: int) -> NotFound:
    """Return what is said of a piece that is missing, whichever spool it is."""
    return NotFound(
        f"The spool holds no chunk {chunk} of {blob}.",
        message_th=f"ไม่พบส่วนที่ {chunk} ของ {blob} ในที่พักข้อมูล",
        remedy_en="Submit the file again; where the spool was put back from a copy, see docs/operations.md.",
        remedy_th="โปรดส่งแฟ้มใหม่ หากที่พักข้อมูลถูกกู้คืนจากสำเนา ดู docs/operations.md",
    )


def no_name() -> NotFound:
    """Return what is said of a name that can be no blob's."""
    return NotFound(
        "This is no name of a blob.",
        message_th="ชื่อข้อมูลในที่พักไม่ถูกต้อง",
        remedy_en="Names are the ledger's own; report this with the version.",
        remedy_th="ชื่อนี้ระบบเป็นผู้ตั้งเอง โปรดแจ้งพร้อมหมายเลขรุ่น",
    )


class FolderSpool:
    """`domain.ports.Spool` on one machine's disk: a folder a blob, a file a chunk, each in place whole or not at all."""

    def __init__(self, path: Path) -> None:
        """Keep blobs under `path`, readable by this user alone."""
        self._path = path
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def put(self, blob: str, chunk: int, data: bytes) -> None:
        """Write one chunk durably; writing the same chunk again replaces it."""
        await asyncio.to_thread(self._put, blob, chunk, data)

    async def get(self, blob: str, chunk: int) -> bytes:
        """Read one chunk; raises NotFound."""
        try:
            return await asyncio.to_thread(self._chunk(blob, chunk).read_bytes)
        except (FileNotFoundError, NotADirectoryError):
            raise no_chunk(blob, chunk) from None

    async def chunks(self, blob: str) -> AsyncIterator[bytes]:
        """Yield all chunks in order; a gap ends with NotFound, for then a piece is missing."""
        folder = self._folder(blob)
        numbers = await asyncio.to_thread(_numbers, folder)
        for chunk in range(max(numbers, default=-1) + 1):
            yield await self.get(blob, chunk)

    async def delete(self, blob: str) -> None:
        """Remove a blob and all its chunks; nothing happens when it is gone."""
        await asyncio.to_thread(shutil.rmtree, self._folder(blob), ignore_errors=True)

    async def blobs(self) -> Mapping[str, int]:
        """Return all blobs, each with when it was last written to (ms since the epoch)."""
        return await asyncio.to_thread(self._blobs)

    def _blobs(self) -> dict[str, int]:
        found = {}
        for folder in self._path.iterdir():
            with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                # a chunk is renamed into its folder, which thereby tells when it came
                found[folder.name] = folder.stat().st_mtime_ns // 1_000_000
        return found

    def _put(self, blob: str, chunk: int, data: bytes) -> None:
        folder = self._folder(blob)
        folder.mkdir(mode=0o700, exist_ok=True)
        target = self._chunk(blob, chunk)
        draft = target.with_suffix(f".{os.getpid()}-{os.urandom(4).hex()}.draft")
        try:
            with draft.open("wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
            draft.replace(target)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                draft.unlink()
            raise
        # a rename is durable only when its folder is, and a new folder only when its parent is
        _sync_folder(folder)
        _sync_folder(self._path)

    def _folder(self, blob: str) -> Path:
        if not BLOB.fullmatch(blob):
            raise no_name()
        return self._path / blob

    def _chunk(self, blob: str, chunk: int) -> Path:
        return self._folder(blob) / f"{chunk:08d}.chunk"


def _numbers(folder: Path) -> list[int]:
    return [int(file.stem) for file in folder.glob("*.chunk")] if folder.is_dir() else []


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
