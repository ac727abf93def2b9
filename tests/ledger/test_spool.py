"""The spool in a folder."""

from pathlib import Path

import pytest

from domain.errors import NotFound
from ledger.spool import FolderSpool


@pytest.fixture
def spool(tmp_path: Path) -> FolderSpool:
    """An empty spool."""
    return FolderSpool(tmp_path / "spool")


async def test_chunks_come_back_in_order(spool: FolderSpool) -> None:
    """Whatever the order of writing; writing one again replaces it."""
    for chunk in (10, 0, 2, 1, 9, 8, 7, 6, 5, 4, 3, 1):
        await spool.put("b1", chunk, b"%d" % chunk)
    assert [data async for data in spool.chunks("b1")] == [b"%d" % chunk for chunk in range(11)]
    assert await spool.get("b1", 10) == b"10"


async def test_what_is_not_there_is_not_found(spool: FolderSpool) -> None:
    """A chunk that is missing says so; a gap is never passed over; a blob that never was has no chunks."""
    await spool.put("b1", 0, b"a")
    await spool.put("b1", 2, b"c")
    with pytest.raises(NotFound):
        await spool.get("b1", 1)
    with pytest.raises(NotFound):
        _ = [data async for data in spool.chunks("b1")]
    assert [data async for data in spool.chunks("b2")] == []


async def test_a_deleted_blob_is_gone(spool: FolderSpool, tmp_path: Path) -> None:
    """All its chunks and its folder; deleting again is no error; other blobs stay."""
    await spool.put("b1", 0, b"a")
    await spool.put("b2", 0, b"b")
    for _ in range(2):
        await spool.delete("b1")
    assert [file.name for file in (tmp_path / "spool").iterdir()] == ["b2"]


@pytest.mark.parametrize("name", ["..", "../x", "a/b", "", ".hidden", "a" * 200])
async def test_a_blob_s_name_leads_nowhere_else(spool: FolderSpool, name: str) -> None:
    """Names that could leave the folder are refused."""
    with pytest.raises(NotFound):
        await spool.put(name, 0, b"x")
    with pytest.raises(NotFound):
        await spool.delete(name)


async def test_half_written_chunks_are_never_seen(spool: FolderSpool, tmp_path: Path) -> None:
    """A draft that a crash left beside the chunks does not count, and nothing else is left behind."""
    await spool.put("b1", 0, b"a")
    (tmp_path / "spool" / "b1" / "00000001.1-ab.draft").write_bytes(b"half")
    assert [data async for data in spool.chunks("b1")] == [b"a"]
    await spool.put("b1", 1, b"b")
    assert [data async for data in spool.chunks("b1")] == [b"a", b"b"]


async def test_only_this_user_reads_the_spool(spool: FolderSpool, tmp_path: Path) -> None:
    """The folders are closed to others."""
    await spool.put("b1", 0, b"a")
    assert (tmp_path / "spool").stat().st_mode & 0o077 == 0
    assert (tmp_path / "spool" / "b1").stat().st_mode & 0o077 == 0
