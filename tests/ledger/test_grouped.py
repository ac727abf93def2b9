"""Writes that wait together: one transaction for all, and each with its own answer whatever becomes of its neighbours."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from domain.errors import Busy, NotFound
from ledger import grouped
from ledger.grouped import Verb
from ledger.meta import CommitMirror, write_meta
from ledger.sqlite import SqliteEngine


class Home:
    """A ledger's engine, and the notes that its verbs write."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.db"
        self.mirror = CommitMirror(folder / "commits")
        self.engine = SqliteEngine(self.path, self.mirror)

    async def together(self, *verbs: Callable[[Connection], Any]) -> list[Any]:
        """Run verbs that all wait while another is being run; an error stands in its verb's place."""
        begun, go_on = threading.Event(), threading.Event()

        def hold_up(_: Connection) -> None:
            begun.set()
            assert go_on.wait(10)

        first = asyncio.ensure_future(self.engine.write(hold_up))
        await asyncio.to_thread(begun.wait, 10)
        rest = [asyncio.ensure_future(self.engine.write(verb)) for verb in verbs]
        await asyncio.sleep(0)  # each has put its wish down
        go_on.set()
        await first
        return await asyncio.gather(*rest, return_exceptions=True)

    def note(self, name: str) -> Callable[[Connection], str]:
        """Return a verb that writes one line and answers with its name."""

        def verb(connection: Connection) -> str:
            write_meta(connection, name, "here")
            return name

        return verb

    def kept(self) -> dict[str, str]:
        """Return what another connection sees."""
        with closing(sqlite3.connect(self.path)) as base:
            return dict(base.execute("SELECT name, value FROM meta").fetchall())


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Home]:
    """A fresh one, whose transactions take in whatever waits, however slow the machine is."""
    monkeypatch.setattr(grouped, "LONG_S", 3600)
    made = Home(tmp_path)
    yield made
    await made.engine.close()


async def test_what_waits_together_is_committed_together(home: Home) -> None:
    """Five writes that waited are one commit, and each hears its own answer."""
    before = int(home.kept().get("commits", 0))
    assert await home.together(*(home.note(f"n{number}") for number in range(5))) == [
        f"n{number}" for number in range(5)
    ]
    kept = home.kept()
    assert int(kept["commits"]) == before + 2  # the one that held them up, and theirs
    assert {f"n{number}" for number in range(5)} <= set(kept)


async def test_what_is_asked_in_one_step_is_committed_together(home: Home) -> None:
    """The sessions that one tick woke claim in the same step of the loop: one transaction for all, though nothing held them up."""
    before = int(home.kept().get("commits", 0))
    names = [f"n{number}" for number in range(5)]
    assert await asyncio.gather(*(home.engine.write(home.note(name)) for name in names)) == names
    assert int(home.kept()["commits"]) == before + 1


async def test_an_answer_that_is_an_error_takes_back_its_own_verb_alone(home: Home) -> None:
    """What it wrote before it answered is gone; what stood before and after it is kept."""

    def refuse(connection: Connection) -> None:
        write_meta(connection, "half", "done")
        raise NotFound("no such thing", message_th="ไม่มี")

    one, refused, two = await home.together(home.note("one"), refuse, home.note("two"))
    assert (one, two) == ("one", "two")
    assert isinstance(refused, NotFound)
    assert {"one", "two"} <= set(home.kept())
    assert "half" not in home.kept()


async def test_a_verb_that_breaks_spoils_nothing_for_its_neighbours(home: Home) -> None:
    """Any other error takes all back; the others are run again, and happen once."""
    runs: list[str] = []

    def counted(connection: Connection) -> int:
        runs.append("run")
        write_meta(connection, "counted", str(len(runs)))
        return len(runs)

    def broken(connection: Connection) -> None:
        write_meta(connection, "broken", "yes")
        raise ZeroDivisionError

    counted_as, error = await home.together(counted, broken)
    assert isinstance(error, ZeroDivisionError)
    assert (counted_as, home.kept()["counted"]) == (2, "2")
    assert "broken" not in home.kept()


async def test_a_transaction_that_is_not_surely_undone_is_not_run_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails after the commit is told to everyone who waited; a second run could claim a second slice."""
    runs: list[int] = []

    def count(_: Connection) -> None:
        runs.append(1)

    real, calls = home.mirror.write, iter((False, True))

    def fail_once(commits: int) -> None:
        if next(calls, False):
            raise OSError("no room")
        real(commits)

    monkeypatch.setattr(home.mirror, "write", fail_once)
    answers = await home.together(count, count)
    assert [type(answer) for answer in answers] == [OSError, OSError]
    assert len(runs) == 2


async def test_a_lock_that_cannot_be_had_is_told_to_all_that_waited(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each hears that the ledger is busy, and nothing was run."""
    runs: list[int] = []
    turns = iter((True, False))
    real = home.engine._turnstile.turn

    def busy() -> Any:
        if next(turns, False):
            return real()
        raise Busy("busy", message_th="ไม่ว่าง")

    monkeypatch.setattr(home.engine._turnstile, "turn", busy)
    answers = await home.together(lambda _: runs.append(1), lambda _: runs.append(2))
    assert [type(answer) for answer in answers] == [Busy, Busy]
    assert runs == []


async def test_who_was_cancelled_before_its_turn_changes_nothing(home: Home) -> None:
    """Nobody waits for the answer: what it would claim would be lost."""
    given_up: list[asyncio.Task[str]] = []

    def give_up(_: Connection) -> None:
        begun.set()
        assert go_on.wait(10)
        loop.call_soon_threadsafe(given_up[0].cancel)
        done.wait(10)

    loop, begun, go_on, done = asyncio.get_running_loop(), *(threading.Event() for _ in range(3))
    first = asyncio.ensure_future(home.engine.write(give_up))
    await asyncio.to_thread(begun.wait, 10)
    given_up.append(asyncio.ensure_future(home.engine.write(home.note("gone"))))
    go_on.set()
    await asyncio.gather(*given_up, return_exceptions=True)
    done.set()
    await first
    await home.engine.write(home.note("next"))
    assert given_up[0].cancelled()
    assert "next" in home.kept()
    assert "gone" not in home.kept()


async def test_a_transaction_that_has_lasted_begins_no_other_verb(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other processes wait for its end: those that were not reached are committed next, in their order."""
    monkeypatch.setattr(grouped, "LONG_S", 0)
    before = int(home.kept().get("commits", 0))
    order: list[str] = []

    def noted(name: str) -> Callable[[Connection], str]:
        def verb(_: Connection) -> str:
            order.append(name)
            return name

        return verb

    names = [f"n{number}" for number in range(4)]
    assert await home.together(*map(noted, names)) == order == names
    assert int(home.kept()["commits"]) == before + 5


async def test_a_write_that_comes_after_the_end_is_refused_and_never_run(tmp_path: Path) -> None:
    """Also not by a turn that is still under way: its caller was told that it failed."""
    runs: list[Verb] = []
    turns = grouped.GroupedWrites(runs.append)
    turns.close()
    with pytest.raises(RuntimeError):
        await turns.write(lambda _: None)
    turns._serve()
    assert runs == []
