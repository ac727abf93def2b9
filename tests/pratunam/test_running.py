"""What runs on a home."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from domain.errors import NotRunning
from pratunam.running import Running, forget_running, must_run, note_running, redis_address, what_runs
from pratunam.settings import Settings


@pytest.fixture
def settings(home: Path) -> Settings:
    """Settings of an empty home."""
    return Settings(home=home)


def test_nothing_runs_on_a_new_home(settings: Settings) -> None:
    """None, and an error with the command that helps where something must run."""
    assert what_runs(settings) is None
    assert redis_address(settings) is None
    with pytest.raises(NotRunning, match="pratunam up"):
        must_run(settings)


def test_what_runs_is_noted_and_forgotten(settings: Settings) -> None:
    """Readable by its owner alone; its Redis comes before one that was set."""
    running = Running(os.getpid(), "unix:///s", "http://127.0.0.1:1", 5)
    note_running(settings, running)
    assert must_run(settings) == running
    assert redis_address(Settings(home=settings.home, redis_url="redis://other")) == "unix:///s"
    assert (settings.run_folder / "running.json").stat().st_mode & 0o077 == 0
    forget_running(settings)
    forget_running(settings)
    assert redis_address(Settings(home=settings.home, redis_url="redis://other")) == "redis://other"


def test_a_dead_process_left_nothing_behind(settings: Settings) -> None:
    """A note of a process that has ended, or one that is half a file, counts for nothing."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    note_running(settings, Running(dead.pid, "unix:///s", "http://127.0.0.1:1", 5))
    assert what_runs(settings) is None
    (settings.run_folder / "running.json").write_text('{"pid": 1', "utf-8")
    assert what_runs(settings) is None
