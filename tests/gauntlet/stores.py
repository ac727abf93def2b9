"""The stores that a gauntlet stands on: one Valkey on TCP that may be killed and started from an old copy, one PostgreSQL."""

import asyncio
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psycopg
import redis
import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from pratunam.embedded import find_binary
from tests.postgres import PostgresServer, free_port

_READY_WITHIN_S, _PATIENCE_S, _LOOK_EVERY_S = 60.0, 8.0, 0.2


class Valkey:
    """One server on the loopback address; it keeps nothing on disk unless a copy is asked for."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """Nothing runs yet."""
        folder.mkdir()
        self.port = free_port()
        self.folder = folder
        self.environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return its address, round the proxy."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """Return its process."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start it, with the copy in its folder where there is one; it answers when this returns."""
        settings = (
            f'port {self.port}\nbind 127.0.0.1\nsave ""\nappendonly no\ndir "{self.folder}"\n'
            "maxmemory 256mb\nmaxmemory-policy noeviction\nenable-debug-command local\nlogfile server.log\n"
        )
        self._spawn(settings)
        async with asyncio.timeout(_READY_WITHIN_S), self.client() as client:
            while True:
                with suppress(redis.RedisError, OSError):
                    if await client.ping():
                        return
                await asyncio.sleep(0.01)

    def _spawn(self, settings: str) -> None:
        with (self.folder / "words.log").open("ab") as told:
            self._process = subprocess.Popen(
                [str(find_binary()), "-"],
                stdin=subprocess.PIPE,
                stdout=told,
                env=self.environment,
                start_new_session=True,
            )
        assert self._process.stdin is not None
        self._process.stdin.write(settings.encode())
        self._process.stdin.close()

    def client(self, database: int = 0) -> aioredis.Redis:
        """Return a client of the test's own, round the proxy."""
        return aioredis.from_url(
            f"redis://127.0.0.1:{self.port}/{database}", retry=Retry(NoBackoff(), 0), socket_timeout=5
        )

    async def kill(self) -> None:
        """End it by force; returns once it is gone."""
        process = self._process
        if process is not None and process.poll() is None:
            process.kill()
            await asyncio.to_thread(process.wait)

    async def copy(self) -> None:
        """Write a copy of what it holds now, which the next start will find."""
        async with self.client() as client:
            await client.save()

    def forget_copy(self) -> None:
        """Have the next start find nothing."""
        (self.folder / "dump.rdb").unlink(missing_ok=True)


class Postgres(PostgresServer):
    """The tests' own server, told a preloaded library where there is one."""

    def __init__(self, folder: Path, preload: Mapping[str, str]) -> None:
        """Make the cluster; `preload` goes into the environment of the server alone."""
        self._preload = dict(preload)
        self._may_preload = False
        super().__init__(folder)

    def start(self, **settings: str) -> None:
        self._may_preload = True
        super().start(**settings)

    def _as_somebody(self) -> dict[str, object]:
        given = super()._as_somebody()
        if self._may_preload:
            given["env"] = given["env"] | self._preload
        return given

    def revive(self) -> None:
        """See that it answers; where it does not by itself, stop it by force and start it again, as people would."""
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            with suppress(psycopg.OperationalError):
                self.sql("postgres", "SELECT 1")
                return
            threading.Event().wait(_LOOK_EVERY_S)
        self.stop(signal.SIGQUIT)
        self.start()
