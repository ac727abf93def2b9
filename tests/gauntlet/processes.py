"""Processes of the gate as a service manager runs them: each in a group of its own, started again when it dies, whoever killed it."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

#: a process that died is started again after so long (s); slower each time it dies young
_PAUSE_S, _LONGEST_PAUSE_S, _SETTLED_S = 0.3, 2.0, 5.0
_STOP_WITHIN_S = 25.0


def pratunam(*words: str) -> list[str]:
    """Return the words that run a command of the gate."""
    return [sys.executable, "-m", "pratunam.cli", *words]


class Kept:
    """One process that is kept alive; its own folder `run` says when it is ready."""

    def __init__(
        self, name: str, words: Sequence[str], environment: Mapping[str, str], log: Path, note: Path
    ) -> None:
        """Nothing runs yet; `note` is the file that the process writes when it is ready."""
        self.name = name
        self.environment = dict(environment)
        self.starts = 0
        self._words = words
        self._log = log
        self._note = note
        self._process: asyncio.subprocess.Process | None = None
        self._wanted = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Return the process while it runs."""
        process = self._process
        return None if process is None or process.returncode is not None else process.pid

    @property
    def is_ready(self) -> bool:
        """Say whether the process that runs now has said that it is ready."""
        try:
            return self.pid is not None and int(json.loads(self._note.read_text())["pid"]) == self.pid
        except (OSError, ValueError):
            return False

    async def ready(self, within_s: float = 120) -> None:
        """Wait until it is ready; raises TimeoutError with its name."""
        try:
            async with asyncio.timeout(within_s):
                while not self.is_ready:  # noqa: ASYNC110 -- another process rings no bell
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise TimeoutError(f"{self.name} is not ready after {within_s} s") from None

    def start(self) -> None:
        """Run it from now on."""
        self._wanted.set()
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    async def stop(self, *, by_force: bool = False) -> int | None:
        """End it, politely unless by force, and do not start it again; returns its exit code."""
        self._wanted.clear()
        process = self._process
        if process is None or process.returncode is not None:
            return None if process is None else process.returncode
        self.signal(signal.SIGKILL if by_force else signal.SIGTERM)
        self.signal(signal.SIGCONT)
        try:
            return await asyncio.wait_for(process.wait(), _STOP_WITHIN_S)
        except TimeoutError:
            self.signal(signal.SIGKILL)
            return await process.wait()

    async def close(self) -> None:
        """End it for good, by force."""
        await self.stop(by_force=True)
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its whole group."""
        pid = self.pid
        if pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(pid, number)

    def kill(self) -> None:
        """Kill it and all that it runs, as `kill -9` does."""
        for child in self.children():
            with suppress(psutil.Error):
                child.kill()
        self.signal(signal.SIGKILL)

    def children(self) -> list[psutil.Process]:
        """Return the processes that it runs itself (the check of a file)."""
        pid = self.pid
        try:
            return [] if pid is None else psutil.Process(pid).children(recursive=True)
        except psutil.Error:
            return []

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        pause_s = _PAUSE_S
        while True:
            await self._wanted.wait()
            began = loop.time()
            with self._log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self._words,
                    env=self.environment,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self.starts += 1
            await self._process.wait()
            lived_long = loop.time() - began > _SETTLED_S
            pause_s = _PAUSE_S if lived_long else min(_LONGEST_PAUSE_S, pause_s * 2)
            await asyncio.sleep(pause_s)


async def run(
    words: Sequence[str], environment: Mapping[str, str], within_s: float = 60
) -> tuple[int, str, str]:
    """Run one command to its end; returns exit code, output and errors."""
    process = await asyncio.create_subprocess_exec(
        *words,
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), within_s)
    except TimeoutError:
        process.kill()
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()
