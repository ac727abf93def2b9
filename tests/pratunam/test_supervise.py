"""Children are kept alive, and end when told to."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pratunam.supervise import PARENT, ChildPlan, Supervisor

_SLEEPER = "import signal; signal.sigwait({signal.SIGTERM})"
_STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"


class _Diary:
    """What the supervisor told, and a way to wait for the next word."""

    def __init__(self) -> None:
        self.words: list[tuple[str, str]] = []
        self._told = asyncio.Event()

    def __call__(self, name: str, what: str) -> None:
        self.words.append((name, what))
        self._told.set()

    async def until(self, enough: Callable[[list[tuple[str, str]]], bool]) -> None:
        while not enough(self.words):
            self._told.clear()
            await asyncio.wait_for(self._told.wait(), 30)


def starts(name: str, times: int) -> Callable[[list[tuple[str, str]]], bool]:
    """Whether a child was started so many times."""
    return lambda words: sum(who == name and "started" in what for who, what in words) >= times


def plan(name: str, program: str, grace_s: float = 20.0) -> ChildPlan:
    """A child that runs a few lines of Python."""
    return ChildPlan(name, [sys.executable, "-c", program], dict(os.environ), grace_s)


@asynccontextmanager
async def supervised(*plans: ChildPlan) -> AsyncIterator[tuple[Supervisor, _Diary]]:
    """Run children for the length of a block; all of them have ended after it."""
    diary = _Diary()
    supervisor = Supervisor(plans, diary)
    running = asyncio.create_task(supervisor.run())
    try:
        yield supervisor, diary
    finally:
        supervisor.stop()
        await asyncio.wait_for(running, 30)
    assert supervisor.pids() == {}


async def test_a_child_that_dies_is_started_again() -> None:
    """Killed, it comes back as another process, and its sister stays."""
    async with supervised(plan("one", _SLEEPER), plan("two", _SLEEPER)) as (supervisor, diary):
        await diary.until(lambda words: starts("one", 1)(words) and starts("two", 1)(words))
        first = supervisor.pids()
        os.kill(first["one"], signal.SIGKILL)
        await diary.until(starts("one", 2))
        again = supervisor.pids()
    assert again["one"] != first["one"]
    assert again["two"] == first["two"]
    assert any("SIGKILL" in what for who, what in diary.words if who == "one")


async def test_a_child_that_dies_young_waits_longer_each_time() -> None:
    """The waits that are told grow, so that a broken child does not spin."""
    async with supervised(plan("broken", "raise SystemExit(3)")) as (_, diary):
        await diary.until(lambda words: sum("ended" in what for _, what in words) >= 2)
    waits = [
        float(what.rpartition("in ")[2].removesuffix(" s")) for _, what in diary.words if "ended" in what
    ]
    assert all("exit code 3" in what for _, what in diary.words if "ended" in what)
    assert waits[1] > waits[0] > 0


async def test_stopping_is_clean() -> None:
    """A child that ends on SIGTERM is not started again, and nothing is told of an end."""
    async with supervised(plan("one", _SLEEPER)) as (_, diary):
        await diary.until(starts("one", 1))
    assert not any("ended by itself" in what for _, what in diary.words)


async def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    """After its grace it is gone, whatever it does with SIGTERM."""
    fifo = tmp_path / "deaf"
    os.mkfifo(fifo)
    program = f"{_STUBBORN}; open({str(fifo)!r}, 'w').close(); signal.pause()"
    async with supervised(plan("deaf", program, grace_s=0.1)):
        # opening to read waits for the child, which ignores SIGTERM by then
        await asyncio.to_thread(fifo.read_text, "utf-8")


async def test_a_child_that_cannot_be_started_is_tried_again_and_its_sister_stays() -> None:
    """No process to be had for one: the other runs on."""
    missing = ChildPlan("missing", ["/no/such/program"], dict(os.environ))
    async with supervised(missing, plan("two", _SLEEPER)) as (supervisor, diary):
        await diary.until(lambda words: sum("could not be started" in what for _, what in words) >= 2)

        assert set(supervisor.pids()) == {"two"}


@pytest.mark.parametrize("is_there", [True, False])
def test_a_child_whose_supervisor_died_before_it_could_ask_ends_at_once(is_there: bool) -> None:
    """Between its start and its word to the kernel nobody would ever send it the signal."""
    program = "from pratunam.supervise import die_with_parent as ask; ask(); print('goes on')"
    parent = str(os.getpid() if is_there else 1)
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {PARENT: parent},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.stdout == "goes on\n", ran.returncode == 0) == (is_there, is_there)


async def test_a_child_knows_its_supervisor(tmp_path: Path) -> None:
    """By its process, so that it can tell whether that is still there."""
    note = tmp_path / "note"
    write = f"import os, pathlib; pathlib.Path({str(note)!r}).write_text(os.environ[{PARENT!r}]); "
    async with supervised(plan("one", write + _SLEEPER)) as (_, diary):
        await diary.until(starts("one", 1))
        async with asyncio.timeout(30):
            while not note.exists() or not note.read_text():  # noqa: ASYNC110 -- another process's file rings no bell
                await asyncio.sleep(0.01)
    assert note.read_text() == str(os.getpid())
