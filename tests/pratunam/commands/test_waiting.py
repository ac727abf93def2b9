"""Following one job to its end."""

import asyncio
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from domain.states import JobState
from pratunam.commands import waiting
from pratunam.commands.frame import Frame
from pratunam.commands.waiting import exit_code, wait_for
from pratunam.parts import Parts
from pratunam.settings import read_settings
from tests.pratunam.desk import Desk


@pytest.fixture
def job(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> str:
    """A queued job; looks follow each other at once."""
    monkeypatch.setattr(waiting, "_LOOK_EVERY_S", 0)
    found = desk.submitted(desk.members())
    desk.check(found)
    return found


def followed(desk: Desk, job: str, *, as_json: bool) -> tuple[JobState, int]:
    """Follow a job that somebody cancels after a look or two; its last state, and the looks."""

    async def work(parts: Parts) -> tuple[JobState, int]:
        frame = Frame(read_settings(), as_json, Console())
        looked = asyncio.Event()
        looks = 0
        ledger_job = parts.ledger.job

        async def counted(name: str) -> object:
            nonlocal looks
            looks += 1
            looked.set()
            return await ledger_job(name)

        parts.ledger.job = counted  # type: ignore[method-assign,assignment]  # counts, and asks the real one
        following = asyncio.create_task(wait_for(frame, parts, await ledger_job(job)))
        await looked.wait()
        await parts.ledger.cancel(job, frame.by, parts.clock.now())
        ended = await following
        assert exit_code(ended) == 1
        return ended.state, looks

    return desk.within(work)


def test_waiting_ends_with_the_job_and_prints_nothing(
    desk: Desk, job: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where nobody watches, not a word comes out."""
    state, looks = followed(desk, job, as_json=True)
    assert state is JobState.CANCELLED
    assert looks >= 1
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("on_a_terminal")
def test_a_person_sees_a_line_on_standard_error(
    desk: Desk, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job's name and its outlook, drawn where results are not."""
    page = desk.folder / "screen"
    with page.open("w", encoding="utf-8") as screen:
        monkeypatch.setattr(
            waiting, "Console", lambda stderr: Console(file=screen, force_terminal=True, width=160)
        )
        followed(desk, job, as_json=False)
    assert job in _drawn(page)
    assert "nothing is running" in _drawn(page)


def test_an_interrupt_ends_with_130_and_leaves_the_job(desk: Desk, server: str) -> None:
    """Ctrl-C while waiting: the job stays as it is."""
    command = [sys.executable, "-m", "pratunam.cli", "submit", desk.members(), "--party", "P001", "--wait"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        job = process.stdout.readline().split()[1]
        process.send_signal(signal.SIGINT)
        _, words = process.communicate()
    assert (process.returncode, words.split()[0]) == (130, "interrupted")
    assert desk.json("job", "show", job)["state"] == "received"


def _drawn(page: Path) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", page.read_text("utf-8"))
