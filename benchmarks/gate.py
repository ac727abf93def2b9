"""A gate as a stranger runs it: `pratunam up` and single commands as processes of their own, ended politely or by force, started again."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

READY_WITHIN_S, STOP_WITHIN_S = 60.0, 40.0
_SERVERS = frozenset({"valkey-server", "redis-server"})


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return its standard output as JSON."""
        return json.loads(self.out)


class Gate:
    """One home, and the `pratunam up` that runs on it now, if any."""

    def __init__(self, home: Path, policy: Path, log: Path, environment: Mapping[str, str]) -> None:
        """Keep the names; nothing runs yet."""
        self.home = home
        self.printed = b""
        self.url = ""
        self._policy = policy
        self._log = log
        self._environment = os.environ | dict(environment)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Return the process that supervises the rest."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start it, and return once it has said `ready`; raises RuntimeError with the end of its log."""
        with self._log.open("ab") as stderr:
            process = await asyncio.create_subprocess_exec(
                *_words("up", "--home", str(self.home), "--policy", str(self._policy)),
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
            )
        self._process = process
        assert process.stdout is not None
        with suppress(TimeoutError):
            self.printed = await asyncio.wait_for(process.stdout.readline(), READY_WITHIN_S)
        word, _, self.url = self.printed.decode().strip().partition(" ")
        if word != "ready":
            await self.kill()
            raise RuntimeError(f"the gate did not start: {self._log.read_text('utf-8')[-2000:]}")

    async def stop(self) -> int:
        """End it politely; returns its exit code. What it printed after `ready` stands in `printed` then."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        return await self._ended()

    async def kill(self) -> int:
        """End its supervisor by force; the rest must end by itself. Returns its exit code."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.kill()
        return await self._ended()

    async def _ended(self) -> int:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        try:
            self.printed += await asyncio.wait_for(process.stdout.read(), STOP_WITHIN_S)
            return await asyncio.wait_for(process.wait(), STOP_WITHIN_S)
        except TimeoutError:
            process.kill()
            return await process.wait()

    @property
    def runs(self) -> bool:
        """Say whether it runs."""
        return self._process is not None and self._process.returncode is None

    def child(self, name: str) -> int:
        """Return the process of `scheduler` or `worker-1` that is ready now; raises FileNotFoundError."""
        return int(json.loads((self.home / "run" / f"{name}.ready.json").read_text("utf-8"))["pid"])

    def redis(self) -> int:
        """Return the process of the embedded server."""
        children = psutil.Process(self.pid).children()
        return next(each.pid for each in children if each.name() in _SERVERS)

    def family(self) -> list[psutil.Process]:
        """Return every process of the gate."""
        gate = psutil.Process(self.pid)
        return [gate, *gate.children(recursive=True)]

    async def command(self, *words: str, environment: Mapping[str, str] | None = None) -> Said:
        """Run one command on this home."""
        process = await asyncio.create_subprocess_exec(
            *_words(*words, "--home", str(self.home)),
            env=self._environment | dict(environment or {}),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return Said(process.returncode or 0, out.decode(), err.decode())


def _words(*words: str) -> list[str]:
    return [sys.executable, "-m", "pratunam.cli", *words]
