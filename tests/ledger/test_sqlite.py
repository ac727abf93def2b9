"""SQLite as the ledger's engine; and on both engines: several processes, and the end of one at any moment."""

import asyncio
import fcntl
import random
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from domain.errors import Busy, NotFound
from domain.states import JobState
from ledger import jobs, sqlite
from ledger.database import Database
from ledger.keystore import KeyStore
from ledger.ledger import open_ledger
from ledger.meta import CommitMirror
from ledger.sqlite import SqliteEngine
from tests.ledger.scene import BY, NOW, REGISTRY, Scene, new_job
from tests.source import ROOT


async def child(where: Path | Database, tmp_path: Path, token: int) -> asyncio.subprocess.Process:
    """Start a process that claims and settles on the test's ledger."""
    place = where.url if isinstance(where, Database) else str(where)
    words = (place, str(tmp_path / "keys" / "keys.db"), str(token))
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.ledger.crash_child", *words, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )


async def claimed_by(process: asyncio.subprocess.Process) -> list[str]:
    """What a process says it has claimed, until it ends."""
    assert process.stdout is not None
    return [line.decode().strip() async for line in process.stdout]


async def test_two_processes_never_get_the_same_slice(
    scene: Scene, where: Path | Database, tmp_path: Path
) -> None:
    """Both work on one file at once; each slice is claimed once and the job is finished."""
    await scene.submit(lines=(2,) * 30)
    both = [await child(where, tmp_path, token) for token in (1, 2)]
    claims = await asyncio.gather(*(claimed_by(process) for process in both))
    assert [await process.wait() for process in both] == [0, 0]
    assert sorted(claims[0] + claims[1]) == sorted(f"J1.{seq}" for seq in range(30))
    assert (await scene.ledger.job("J1")).state is JobState.FINISHED


async def test_a_killed_process_leaves_whole_commits(
    scene: Scene, where: Path | Database, tmp_path: Path
) -> None:
    """Killed at any moment, again and again: counters, states and sealed rows agree, and what was settled stays settled."""
    dice = random.Random(7)
    await scene.submit(lines=(5,) * 40)
    accepted = 0
    for token in range(1, 4):
        process = await child(where, tmp_path, token)
        assert process.stdout is not None
        for _ in range(dice.randint(1, 4)):
            await process.stdout.readline()
        process.kill()
        await process.wait()
        assert await scene.is_counted_right("J1")
        job = await scene.ledger.job("J1")
        boxes = [one async for one in scene.ledger.outcomes("J1")]
        assert len(boxes) == job.records.accepted >= accepted
        accepted = job.records.accepted
        if isinstance(where, Path):
            with closing(sqlite3.connect(where / "ledger.db")) as base:
                assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        await scene.ledger.rescue(REGISTRY, frozenset(), NOW, idempotent=True)
    assert (await scene.ledger.verify_audit()).broken_at is None


async def test_several_may_open_a_new_home_at_once(where: Path | Database, keys: KeyStore) -> None:
    """One makes the tables, the others wait for it."""
    opened = await asyncio.gather(*(open_ledger(where, keys) for _ in range(4)))
    for number, ledger in enumerate(opened):
        await ledger.receive(new_job(f"J{number}"), BY, NOW)
    assert len(await opened[0].jobs()) == 4
    for ledger in opened:
        await ledger.close()


async def test_what_fails_half_way_changes_nothing(scene: Scene) -> None:
    """A verb that raises after its first write leaves no trace of it."""
    await scene.submit("J1", lines=(2,))
    before = await scene.ledger.job("J1")
    with pytest.raises(NotFound):
        await scene.ledger.resolve("J1", "J1.5", 0, None, BY, NOW)
    assert await scene.ledger.job("J1") == before


async def test_a_commit_is_on_the_disk_when_it_returns(tmp_path: Path) -> None:
    """Write-ahead log, synchronous FULL, overwriting deletes, foreign keys, on every connection."""
    engine = SqliteEngine(tmp_path / "ledger.db", CommitMirror(tmp_path / "commits"))
    with engine.reading() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}
    assert (tmp_path / "ledger.db").stat().st_mode & 0o077 == 0
    await engine.close()


async def test_a_ledger_that_stays_locked_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the lock cannot be had the error says to come back, and quotes nothing."""
    monkeypatch.setattr(sqlite, "BUSY_MS", 1)
    engine = SqliteEngine(tmp_path / "ledger.db", CommitMirror(tmp_path / "commits"))
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy):
        await engine.write(jobs.receive, new_job("J1"), BY, NOW)
    other.execute("ROLLBACK")
    other.close()
    assert (await engine.write(jobs.receive, new_job("J1"), BY, NOW)).job == "J1"
    await engine.close()


async def test_a_turn_that_never_comes_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was stopped in its turn holds nobody up for ever."""
    monkeypatch.setattr(sqlite, "BUSY_MS", 30)
    engine = SqliteEngine(tmp_path / "ledger.db", CommitMirror(tmp_path / "commits"))
    with (tmp_path / "ledger.lock").open("rb+") as stopped:
        fcntl.flock(stopped, fcntl.LOCK_EX)
        with pytest.raises(Busy):
            await engine.write(jobs.receive, new_job("J1"), BY, NOW)
    assert (await engine.write(jobs.receive, new_job("J1"), BY, NOW)).job == "J1"
    await engine.close()


async def test_a_caller_that_is_cancelled_does_not_undo_a_commit(scene: Scene) -> None:
    """The verb runs to its end in its thread; the next one sees what it did."""
    task = asyncio.ensure_future(scene.ledger.receive(new_job("J1"), BY, NOW))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (await scene.ledger.receive(new_job("J1"), BY, NOW)).job == "J1"
    assert len(await scene.ledger.jobs()) == 1
