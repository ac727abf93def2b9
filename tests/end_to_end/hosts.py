"""Several hosts of one gate: each with a home, an address and processes of its own, and links to Redis and PostgreSQL that can be cut.

A host is a group of processes, a scheduler and a worker, on a loopback address of its own; nothing but the two servers and the master key
is shared. The test itself stands beside them, on straight links, as the party's desk and as the judge.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.gate import Gate
from benchmarks.town import Town, TownPlan, policy_of, registrar_of
from domain.jobs import By
from pratunam.child import ready_children
from pratunam.demo.gate import program
from pratunam.embedded import find_binary
from pratunam.parts import make_home_folder, open_parts
from pratunam.policy.apply import ApplyRequest, apply_policy
from pratunam.settings import Settings, read_settings
from tests.gauntlet.proxy import Address, Door, Link
from tests.postgres import PostgresServer, free_port

READY_WITHIN_S, GONE_WITHIN_S = 60, 40
PROCESSES = ("scheduler", "worker")
BY = By("ops:test", "test")


class Host:
    """One host: home, address, links, and what runs there."""

    def __init__(self, folder: Path, name: str, redis: Link, ledgers: Sequence[Link]) -> None:
        """Keep the names; nothing runs and nothing is on disk yet."""
        self.name = name
        self.home = folder / name
        self.redis = redis
        self.ledgers = ledgers
        self._log = folder / f"{name}.log"
        self._given: dict[str, str] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def settings(self) -> Settings:
        """Return the host's settings as its processes read them."""
        return read_settings(self.home, self._given)

    def give(
        self, environment: Mapping[str, str], redis: Address, ledgers: Sequence[Address], name: str
    ) -> None:
        """Set what every host is given, and where this host's own ends of the links are."""
        self._given = dict(environment) | {
            "PRATUNAM_REDIS_URL": f"redis://{redis[0]}:{redis[1]}/0",
            "PRATUNAM_LEDGER_URL": ledger_url(name, ledgers),
            "PRATUNAM_HOST": redis[0],
            "PRATUNAM_LOG_LEVEL": "warning",
            # fewer than the town has accounts: one host alone must not take them all before the other has begun
            "PRATUNAM_WORKER_SESSIONS": "4",
        }
        make_home_folder(self.settings)

    def start(self, *names: str) -> None:
        """Start processes (all, where none is named), each in the host's own group; `ready` waits for them."""
        for name in names or PROCESSES:
            self.run(name, "--name", name, kept_as=name)

    def run(self, *words: str, kept_as: str = "") -> subprocess.Popen[bytes]:
        """Run one command on this host."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "pratunam.cli", *words, "--home", str(self.home)],
                env=os.environ | self._given,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if kept_as:
            self._running[kept_as] = process
        return process

    async def ready(self, *names: str) -> None:
        """Wait until they are ready; raises RuntimeError with the end of the log where one ended instead."""
        async with asyncio.timeout(READY_WITHIN_S):
            while not set(names or PROCESSES) <= set(ready_children(self.settings)):
                if any(process.poll() is not None for process in self._running.values()):
                    raise RuntimeError(f"{self.name} did not start: {self._log.read_text('utf-8')[-2000:]}")
                await asyncio.sleep(0.05)

    def signal(self, name: str, what: signal.Signals) -> None:
        """Send a signal to one process and to all that it started."""
        for process in self._family(self._running[name]):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(what)

    def lose(self) -> None:
        """Lose the whole host as by a power cut: every process at once, without a word."""
        for name in list(self._running):
            self.signal(name, signal.SIGKILL)
            self._running.pop(name).wait()

    async def stop(self) -> list[int]:
        """End what runs politely, and return the exit codes."""
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        codes = []
        for process in self._running.values():
            try:
                codes.append(await asyncio.to_thread(process.wait, GONE_WITHIN_S))
            except subprocess.TimeoutExpired:
                process.kill()
                codes.append(process.wait())
        self._running.clear()
        return codes

    async def sent(self) -> int:
        """Return how many records this host's worker has written to the wire."""
        return round(await self._counted("worker", "pratunam_records_sent_total"))

    async def led_at(self) -> float:
        """Return when this host's scheduler last looked at the registry (s since the epoch), as only the one that leads does; else 0."""
        return await self._counted("scheduler", "pratunam_registry_looked_at_seconds")

    async def _counted(self, process: str, metric: str) -> float:
        url = ready_children(self.settings)[process]
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            page = await answer.text()
        return sum(
            sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
            if sample.name == metric
        )

    @staticmethod
    def _family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
        try:
            first = psutil.Process(process.pid)
            return [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


@dataclass(frozen=True, slots=True)
class Several:
    """Two hosts, the town that judges them, and the settings of whoever stands beside them on straight links."""

    town: Town
    hosts: Sequence[Host]
    straight: Mapping[str, str]


@asynccontextmanager
async def two_hosts(
    plan: TownPlan, folder: Path, servers: Sequence[PostgresServer], name: str, redis_port: int
) -> AsyncIterator[Several]:
    """Build a registrar and two hosts, which stand ready and do not run yet; several servers: a primary and its standby."""
    (folder / "registrar.toml").write_text(registrar_of(plan, folder), "utf-8")
    (folder / "db.password").write_text(servers[0].password)
    shared = {
        "PRATUNAM_MASTER_KEY_FILE": str(folder / "master.key"),
        "PRATUNAM_LEDGER_PASSWORD_FILE": str(folder / "db.password"),
    }
    behind = [("127.0.0.1", redis_port), *(("127.0.0.1", server.port) for server in servers)]
    async with AsyncExitStack() as stack:
        words = ["registrar", "--port", "0", "--config", str(folder / "registrar.toml")]
        endpoint = await stack.enter_async_context(program(words, folder / "registrar.log"))
        straight = shared | {
            "PRATUNAM_REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
            "PRATUNAM_LEDGER_URL": ledger_url(name, behind[1:]),
        }
        parts = await stack.enter_async_context(open_parts(read_settings(folder / "desk", straight)))
        request = ApplyRequest(policy_of(plan, endpoint), "first", "test")
        await apply_policy(parts.ledger, request, BY, parts.clock.now())
        hosts = []
        for number, host_name in ((2, "one"), (3, "two")):
            links = [Link(f"{host_name}:{port}", (server, port)) for server, port in behind]
            doors = [Door({}, link) for link in links]
            ends = [await door.open(f"127.0.0.{number}") for door in doors]
            for door in doors:
                stack.push_async_callback(door.close)
            host = Host(folder, host_name, links[0], links[1:])
            host.give(shared, ends[0], ends[1:], name)
            stack.callback(host.lose)
            hosts.append(host)
        gate = Gate(folder / "desk", folder / "none.toml", folder / "none.log", {})
        yield Several(Town(plan, folder, parts, endpoint, gate), hosts, straight)


def ledger_url(name: str, places: Sequence[Address]) -> str:
    """Return the address of a database that lies at the first of these places that may be written."""
    hosts, ports = (",".join(str(place[part]) for place in places) for part in (0, 1))
    return f"postgresql://pratunam@/{name}?host={hosts}&port={ports}&target_session_attrs=read-write"


@asynccontextmanager
async def redis_by_tcp(folder: Path) -> AsyncIterator[int]:
    """Run a Redis on a loopback port, as hosts reach it, and yield the port."""
    port = free_port()
    words = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    command = [str(find_binary()), *words, "--maxmemory-policy", "noeviction", "--dir", str(folder)]
    with (folder / "redis.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
    try:
        await _until_open(port)
        yield port
    finally:
        process.kill()
        await process.wait()


async def _until_open(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
