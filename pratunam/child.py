"""The frame of one long-running process (scheduler, worker): parts, logs, metrics, polite stop, and a note that it is ready."""

import asyncio
import gc
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry

from domain.errors import NotRunning
from metrics.collectors import GateMetrics
from metrics.exporter import serve_metrics
from metrics.logs import LogEvents, configure_logs
from pratunam import __version__
from pratunam.given_server import check_server_at
from pratunam.parts import Parts, open_parts
from pratunam.running import is_alive, what_runs
from pratunam.settings import Settings
from pratunam.supervise import die_with_parent

_READY_SUFFIX = ".ready.json"


@dataclass(frozen=True, slots=True)
class Child:
    """One process's surroundings: its parts, the gate's Redis, an event that is set when it should end, and its word that it is ready."""

    parts: Parts
    redis_url: str
    stopping: asyncio.Event
    note_ready: Callable[[], None]


@asynccontextmanager
async def long_running(settings: Settings, name: str) -> AsyncIterator[Child]:
    """Open everything that a process needs; raises NotRunning where no Redis is known."""
    die_with_parent()
    configure_logs(settings.log_level, settings.log_format, name)
    redis_url = redis_of(settings)
    await check_server_at(redis_url)
    registry = CollectorRegistry()
    async with (
        open_parts(settings, make_home=False) as parts,
        serve_metrics(registry, settings.host, settings.port) as url,
    ):
        parts.emit.subscribe(LogEvents())
        parts.emit.subscribe(GateMetrics(registry, __version__))
        note = settings.run_folder / f"{name}{_READY_SUFFIX}"
        collect_seldom()
        try:
            yield Child(parts, redis_url, stop_on_signals(), lambda: _note_ready(note, url))
        finally:
            note.unlink(missing_ok=True)


def collect_seldom() -> None:
    """Leave what is loaded out of Python's search for cycles, and search less often: it would go through all of it many times a minute."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def redis_of(settings: Settings) -> str:
    """Return the gate's Redis: as set, or that of what runs on this home."""
    if settings.redis_url:
        return settings.redis_url
    running = what_runs(settings)
    if running is None:
        raise NotRunning(
            "There is no Redis for this home.",
            message_th="ยังไม่มี Redis สำหรับระบบนี้",
            remedy_en="Run `pratunam up`, or set PRATUNAM_REDIS_URL.",
            remedy_th="สั่ง `pratunam up` หรือกำหนด PRATUNAM_REDIS_URL",
        )
    return running.redis_url


def ready_children(settings: Settings) -> Mapping[str, str]:
    """Return the processes that are ready, by name, with the address of their metrics."""
    found: dict[str, str] = {}
    for path in sorted(settings.run_folder.glob(f"*{_READY_SUFFIX}")):
        with suppress(OSError, ValueError, KeyError):
            note = json.loads(path.read_text("utf-8"))
            if is_alive(int(note["pid"])):
                found[path.name.removesuffix(_READY_SUFFIX)] = str(note["metrics"])
    return found


def forget_ready(settings: Settings) -> None:
    """Remove what killed processes left behind: their numbers may belong to others by now."""
    for path in settings.run_folder.glob(f"*{_READY_SUFFIX}"):
        path.unlink(missing_ok=True)


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGTERM and Ctrl-C set."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping


def _note_ready(note: Path, metrics_url: str) -> None:
    note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = note.with_suffix(".draft")
    draft.write_text(json.dumps({"pid": os.getpid(), "metrics": metrics_url}), "utf-8")
    draft.replace(note)
