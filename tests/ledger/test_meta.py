"""The commit counter and what it notices."""

import shutil
from pathlib import Path

import pytest

from ledger.database import Database
from ledger.host_mirror import HostMirror
from ledger.keystore import KeyStore
from ledger.ledger import open_ledger
from ledger.meta import CommitMirror
from tests.ledger.scene import BY, NOW, Scene, new_job


async def test_a_ledger_put_back_from_a_copy_knows_it(tmp_path: Path, keys: KeyStore) -> None:
    """Behind its counter it asks first, also after the next start, until somebody has seen to it."""
    home, copy = tmp_path / "home", tmp_path / "copy"
    ledger = await open_ledger(home, keys)
    await ledger.receive(new_job("J1"), BY, NOW)
    await ledger.close()
    shutil.copytree(home, copy)
    ledger = await open_ledger(home, keys)
    await ledger.receive(new_job("J2"), BY, NOW)
    assert not await ledger.restored_from_copy()
    await ledger.close()
    shutil.rmtree(home)
    shutil.copytree(copy, home)
    for _ in range(2):
        ledger = await open_ledger(home, keys)
        assert await ledger.restored_from_copy()
        await ledger.receive(new_job("J3"), BY, NOW)
        await ledger.close()
    ledger = await open_ledger(home, keys)
    await ledger.forget_restored(BY, NOW)
    assert not await ledger.restored_from_copy()
    assert (await ledger.audit(limit=1))[0].action == "ledger.restored-settled"
    await ledger.close()


async def test_a_new_home_and_a_restart_are_no_copies(tmp_path: Path, keys: KeyStore) -> None:
    """Neither opening again nor a fresh ledger beside old keys has anything to ask about."""
    for home in (tmp_path / "one", tmp_path / "one", tmp_path / "two"):
        ledger = await open_ledger(home, keys)
        await ledger.receive(new_job("J1"), BY, NOW)
        assert not await ledger.restored_from_copy()
        await ledger.close()


async def test_every_write_counts_and_no_look_does(
    scene: Scene, where: Path | Database, keys: KeyStore
) -> None:
    """The mirror beside the key store follows each commit."""
    kind = CommitMirror if isinstance(where, Path) else HostMirror
    mirror = kind(keys.counter_path)
    before = mirror.read()
    await scene.ledger.receive(new_job("J1"), BY, NOW)
    await scene.ledger.note("doctor", "x", {}, BY, NOW)
    await scene.ledger.job("J1")
    assert mirror.read() == before + 2
    mirror.close()


def test_a_mirror_that_holds_nothing_readable_counts_from_nothing(tmp_path: Path) -> None:
    """An empty or broken file is no reason to ask."""
    (tmp_path / "c").write_text("???")
    mirror = CommitMirror(tmp_path / "c")
    assert mirror.read() == 0
    mirror.write(7)
    assert mirror.read() == 7
    mirror.close()


@pytest.mark.parametrize("kind", [CommitMirror, HostMirror])
def test_closing_twice_closes_nobody_else_s_file(tmp_path: Path, kind: type[CommitMirror]) -> None:
    """The file's number is given to the next file that is opened; a second close must leave that alone."""
    mirror = kind(tmp_path / "c")
    mirror.close()
    with (tmp_path / "other").open("w") as other:
        mirror.close()
        other.write("still open")
    assert (tmp_path / "other").read_text() == "still open"
