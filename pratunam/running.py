"""What runs on a home: a small file that `up` (or a worker, or a scheduler) writes, checked against the processes themselves."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from domain.errors import NotRunning
from pratunam.settings import Settings


@dataclass(frozen=True, slots=True)
class Running:
    """One running gate: the process that supervises it, its Redis, and where metrics and /healthz listen."""

    pid: int
    redis_url: str
    url: str
    started_at: int


def note_running(settings: Settings, running: Running) -> None:
    """Say what runs; atomic, so that a reader never sees half of it."""
    path = _path(settings)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(asdict(running)), "utf-8")
    draft.chmod(0o600)
    draft.replace(path)


def forget_running(settings: Settings) -> None:
    """Say that nothing runs any more."""
    _path(settings).unlink(missing_ok=True)


def what_runs(settings: Settings) -> Running | None:
    """Return what runs on this home, or None; a file that a killed process left behind counts for nothing."""
    try:
        running = Running(**json.loads(_path(settings).read_text("utf-8")))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None
    return running if is_alive(running.pid) else None


def redis_address(settings: Settings) -> str | None:
    """Return the gate's Redis: that of what runs on this home, else the one that was set; None when there is neither."""
    running = what_runs(settings)
    return running.redis_url if running else settings.redis_url or None


def must_run(settings: Settings) -> Running:
    """Return what runs; raises NotRunning."""
    running = what_runs(settings)
    if running is None:
        raise NotRunning(
            f"Nothing is running on {settings.home}.",
            message_th="ระบบยังไม่ทำงาน",
            remedy_en="Start it: pratunam up",
            remedy_th="โปรดสั่ง: pratunam up",
        )
    return running


def is_alive(pid: int) -> bool:
    """Say whether a process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _path(settings: Settings) -> Path:
    return settings.run_folder / "running.json"
