"""The registrar of a gauntlet: the reference central system as a process of its own, its knobs, and what it saw."""

import asyncio
import os
import re
import signal
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

from tests.gauntlet.plan import REGISTRY
from tests.gauntlet.processes import pratunam

_ACCOUNT = re.compile(rb'"account":(\d+)')
_READY_WITHIN_S, _STOP_WITHIN_S = 90.0, 10.0


class Registrar:
    """One registrar, from its start to its end; its state is in its memory, so it is never killed in mid-run."""

    def __init__(self, folder: Path) -> None:
        """Nothing runs yet; the arrivals are written to a file in `folder`."""
        self.url = ""
        self.log = folder / "arrivals.jsonl"
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._read_to = 0
        self._sent: Counter[str] = Counter()

    async def start(self, rules: str) -> None:
        """Start it by its rules."""
        config = self._folder / "registrar.toml"
        config.write_text(rules, "utf-8")
        with (self._folder / "registrar.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *pratunam("registrar", "--port", "0", "--config", str(config)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), _READY_WITHIN_S)
        self.url = line.decode().split()[1]

    @property
    def address(self) -> tuple[str, int]:
        """Return where it listens."""
        return "127.0.0.1", int(self.url.rpartition(":")[2])

    def signal(self, number: signal.Signals) -> None:
        """Stop it or let it go on."""
        assert self._process is not None
        os.kill(self._process.pid, number)

    async def control(self, **wish: object) -> None:
        """Turn its knobs."""
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.post(f"{self.url}/control", json=wish),
        ):
            pass

    def sent(self, accounts: Sequence[str]) -> Counter[str]:
        """Return how many records have come so far, by account; read from its log, since a report of a long run costs it seconds."""
        with self.log.open("rb") as log:
            log.seek(self._read_to)
            whole = log.read()
        whole = whole[: whole.rfind(b"\n") + 1]
        self._read_to += len(whole)
        self._sent.update(accounts[int(each)] for each in _ACCOUNT.findall(whole))
        return Counter(self._sent)

    async def report(self) -> dict[str, Any]:
        """Return what it saw of the registry."""
        return dict((await self._get("report?bins=0"))["registries"][REGISTRY])

    async def effects(self) -> dict[str, int]:
        """Return how often each record took effect, by the digest of its natural key."""
        found = (await self._get("effects"))[REGISTRY]
        return {digest: count for party in found.values() for digest, count in party.items()}

    async def stop(self) -> None:
        """End it."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGCONT)
                self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), _STOP_WITHIN_S)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    async def _get(self, path: str) -> Any:
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/{path}") as answer:
            return await answer.json()
