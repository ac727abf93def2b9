"""Makes `.venv` from the hashed locks of requirements/, brings it up to date where they changed, and writes the locks.

`run.py` imports it before anything is installed, so it must import nothing but the standard library, and it starts no command of ours.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "pratunam.stamp"
COMPILED = VENV / "compiled"
LOCKS = ROOT / "requirements"
DEV_LOCK, UV_LOCK, PEERS_LOCK = LOCKS / "dev.lock", LOCKS / "uv.lock", LOCKS / "peers.lock"
PEERS_STAMP = VENV / "peers.stamp"
SAME_PYTHON = f"import sys; sys.exit(sys.version_info[:3] != {sys.version_info[:3]})"

# A shell finds the interpreter, since a `#!` line takes neither spaces nor long paths.
CONSOLE_SCRIPT = """#!/bin/sh
'''exec' "{python}" "$0" "$@"
' '''
import sys
from pratunam.cli import main
sys.exit(main())
"""
NO_VENV = """This Python cannot make a virtual environment: its `venv` or `ensurepip` module is missing.
Remedy, one of:
  Debian, Ubuntu:  sudo apt install python3-venv
  anywhere:        put `uv` on the PATH; it needs neither
Then run the same command again."""
NO_INSTALL = """The locked packages could not be installed (the reason stands above).
Remedy, one of:
  no network:      connect, or set PIP_FIND_LINKS / UV_FIND_LINKS to a folder with the wheels
  behind a proxy:  set HTTPS_PROXY, and SSL_CERT_FILE for its certificate
  a hash differs:  the file served is not the one locked; do not install it, tell the maintainers
Nothing half made is used: run the same command again and it begins anew."""
NO_PEERS = """The packages of the peers (requirements/peers.lock) could not be installed (the reason stands above).
What needs them is left out; the rest is measured. Remedy: as for any package, connect, or name a folder
with the wheels in PIP_FIND_LINKS / UV_FIND_LINKS; then run the same command again."""


class Stopped(Exception):
    """The command can't go on; the message names the remedy."""

    def __init__(self, message: str, code: int = 1) -> None:
        """Say what to do, and with which code to end."""
        super().__init__(message)
        self.code = code


def digest(files: Sequence[Path], extra: str) -> str:
    """SHA-256 over the files' bytes and `extra`: changes when the environment must be made again."""
    total = hashlib.sha256(extra.encode())
    for file in files:
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def wanted_stamp() -> str:
    """The digest that a finished `.venv` of this clone and this interpreter carries."""
    files = [ROOT / "pyproject.toml", *sorted(LOCKS.glob("*.lock"))]
    return digest(files, f"{sys.version_info[:3]} {ROOT}")


def in_venv(name: str) -> str:
    """The path of a program of the environment."""
    return str(VENV / "bin" / name)


def call(command: Sequence[str]) -> int:
    """Run a program in the clone's folder and return its exit code; 128 + n when signal n ended it."""
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    return 128 - code if code < 0 else code


def keeping_compiled(environment: Mapping[str, str]) -> dict[str, str]:
    """Have every Python keep its compiled files, in the environment's folder unless the caller named one.

    A suite starts hundreds of Pythons; where the caller forbids such files (as images do), each would
    compile all libraries anew, which takes it three seconds instead of one.
    """
    kept = {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {"PYTHONPYCACHEPREFIX": str(COMPILED)} | kept


def hand_over(program: str, *arguments: str) -> int:
    """Become a program of the environment, so that signals and the exit code are its own; never returns."""
    sys.stdout.flush()
    os.execve(in_venv(program), [in_venv(program), *arguments], keeping_compiled(os.environ))


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Only one set-up of a clone at a time; a second one waits and then finds it done."""
    with (ROOT / ".setup.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def make_venv(uv: str | None) -> None:
    """Make an empty environment, unless a finished one is there to be brought up to date in place.

    Others may be running from a finished one, so it is never thrown away; an unfinished one always is.
    """
    if STAMP.exists() and subprocess.run([in_venv("python"), "-c", SAME_PYTHON], check=False).returncode == 0:
        STAMP.unlink()
        return
    shutil.rmtree(VENV, ignore_errors=True)
    if uv and call([uv, "venv", "--quiet", "--no-config", "--python", sys.executable, str(VENV)]) == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    if call([sys.executable, "-m", "venv", str(VENV)]) != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        raise Stopped(NO_VENV)


def install(uv: str | None) -> str:
    """Install the hashed lock, by uv where it is, else by a uv of known hash, else by pip; says by which."""
    own = in_venv("uv")
    if uv and sync(uv, DEV_LOCK):
        return "uv"
    if Path(own).exists() and sync(own, DEV_LOCK, UV_LOCK):
        return "its own uv"
    pip = [in_venv("python"), "-m", "pip", "install", "--quiet", "--require-hashes"]
    if not Path(in_venv("pip")).exists() and call([in_venv("python"), "-m", "ensurepip"]) != 0:
        raise Stopped(NO_VENV)
    if call([*pip, "-r", str(UV_LOCK)]) == 0 and sync(own, DEV_LOCK, UV_LOCK):
        return "its own uv"
    if call([*pip, "-r", str(DEV_LOCK)]) == 0:
        return "pip"
    raise Stopped(NO_INSTALL)


def sync(uv: str, *locks: Path) -> bool:
    """True when uv made the environment exactly the locked packages, each of the locked hash."""
    command = [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", in_venv("python")]
    return call([*command, *map(str, locks)]) == 0


def link_project() -> None:
    """Put the clone on the environment's path and make its console script; needs no network and no build."""
    for site in (VENV / "lib").glob("python3*/site-packages"):
        (site / "pratunam.pth").write_text(f"{ROOT}\n")
    script = Path(in_venv("pratunam"))
    script.write_text(CONSOLE_SCRIPT.format(python=in_venv("python")))
    script.chmod(0o755)


def setup(_: Sequence[str] = ()) -> int:
    """Make `.venv` from the locks, once; say how long it took and how much memory."""
    with alone():
        wanted = wanted_stamp()
        if STAMP.exists() and STAMP.read_text() == wanted:
            return 0
        began = time.monotonic()
        print("Making the environment in .venv (once) …", file=sys.stderr, flush=True)
        uv = shutil.which("uv")
        PEERS_STAMP.unlink(missing_ok=True)  # what follows takes them away
        make_venv(uv)
        by = install(uv)
        link_project()
        STAMP.write_text(wanted)
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // unit
    took_s = time.monotonic() - began
    print(f"… ready in {took_s:.1f} s, by {by}, at most {peak_mib} MiB.", file=sys.stderr, flush=True)
    return 0


def setup_peers() -> None:
    """Install what the peers of a measurement need, once; where that fails, say so and go on without."""
    with alone():
        wanted = digest([PEERS_LOCK], "")
        if PEERS_STAMP.exists() and PEERS_STAMP.read_text() == wanted:
            return
        print("Installing what the peers need (once) …", file=sys.stderr, flush=True)
        uv = shutil.which("uv") or in_venv("uv")
        by_uv = [uv, "pip", "install", "--quiet", "--python", in_venv("python")]
        by_pip = [in_venv("python"), "-m", "pip", "install", "--quiet"]
        command = by_uv if Path(uv).exists() else by_pip
        if call([*command, "--require-hashes", "-r", str(PEERS_LOCK)]) == 0:
            PEERS_STAMP.write_text(wanted)
            return
        print(NO_PEERS, file=sys.stderr, flush=True)


def lock(arguments: Sequence[str]) -> int:
    """Resolve anew what pyproject.toml asks for, and write the hashed locks; they hold no address."""
    uv = shutil.which("uv") or in_venv("uv")
    if not Path(uv).exists():
        raise Stopped("Locking needs uv. Remedy: put `uv` on the PATH.")
    options = "--quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url"
    project = ["pyproject.toml"]
    files = {
        "runtime": project,
        "dev": [*project, "--group", "dev", "-c", "requirements/runtime.lock"],
        "peers": ["--group", "peers", "-c", "requirements/dev.lock"],
        "uv": ["--group", "installer"],
    }
    resolve = [uv, "pip", "compile", *options.split(), "--no-emit-find-links", *arguments]
    codes = [call([*resolve, *what, "-o", f"requirements/{name}.lock"]) for name, what in files.items()]
    return max(codes)
