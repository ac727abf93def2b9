"""The one way to set up and drive the project; standard library only, safe to run first in a fresh clone.

It makes `.venv` from the hashed locks once, then hands over to the programs in it. It must not import
anything of the project: it runs before anything is installed.
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "pratunam.stamp"
COMPILED = VENV / "compiled"
LOCKS = ROOT / "requirements"
DEV_LOCK, UV_LOCK, PEERS_LOCK = LOCKS / "dev.lock", LOCKS / "uv.lock", LOCKS / "peers.lock"
PEERS_STAMP = VENV / "peers.stamp"
OLDEST = (3, 11)
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


# --- setup ----------------------------------------------------------------------------------------


def too_old(version: tuple[int, int]) -> str:
    """What to say to an interpreter that is older than the project needs; empty when it will do."""
    if version >= OLDEST:
        return ""
    return (
        f"Python {version[0]}.{version[1]} is too old: Pratunam needs {OLDEST[0]}.{OLDEST[1]} or later.\n"
        "Remedy: run this with a newer one, for example `python3.11 run.py help`."
    )


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


# --- commands -------------------------------------------------------------------------------------


def part(file: str, program: str, *words: str) -> Callable[[Sequence[str]], int]:
    """A command that hands over to a program of the environment, once the file that it runs has been built."""

    def go(arguments: Sequence[str]) -> int:
        if not (ROOT / file).exists():
            raise Stopped(f"{file} is not there yet in this version.", 2)
        return hand_over(program, *words, *arguments)

    return go


def pratunam(command: str) -> Callable[[Sequence[str]], int]:
    """One of the project's own commands."""
    return part("pratunam/cli.py", "pratunam", command)


def module(name: str) -> Callable[[Sequence[str]], int]:
    """A package that is a program."""
    return part(f"{name.replace('.', '/')}/__main__.py", "python", "-m", name)


def pytest_arguments(arguments: Sequence[str], cores: int) -> list[str]:
    """Add the number of test processes where the caller named none and did not pick single tests."""
    chosen = any(
        a.startswith("-n") or a in ("-s", "--pdb", "--capture=no", "--collect-only") for a in arguments
    )
    narrow = any("::" in a or a.endswith(".py") for a in arguments)
    return list(arguments) if chosen or narrow or cores < 2 else ["-n", str(min(cores, 4)), *arguments]


def test(arguments: Sequence[str]) -> int:
    """The tests: the whole suite, or what the arguments name; warnings are errors."""
    os.chdir(ROOT)
    return hand_over("python", "-m", "pytest", *pytest_arguments(arguments, os.cpu_count() or 1))


def bench(arguments: Sequence[str]) -> int:
    """Speed, measured; what a peer needs is installed when it is asked for."""
    if "pace" in arguments or not arguments:
        setup_peers()
    return module("benchmarks")(arguments)


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


COMMANDS: dict[str, tuple[Callable[[Sequence[str]], int], str]] = {
    "setup": (setup, "make .venv from the hashed locks (every command does so by itself)"),
    "demo": (pratunam("demo"), "a dozen parties' files through the gate, judged"),
    "up": (pratunam("up"), "everything on this machine, until Ctrl-C"),
    "test": (test, "the tests; arguments go to pytest (run.py test tests/quotas -x)"),
    "check": (
        part(".ci/checks.py", "python", ".ci/checks.py"),
        "format, lint, types, imports, dependencies, dead code, counts; or only those named",
    ),
    "bench": (bench, "speed, measured"),
    "sim": (module("tests.sim"), "scenarios on a virtual clock"),
    "sweep": (module("tests.sweep"), "one fault at every point of a way"),
    "soak": (module("tests.soak"), "hours of mixed load and faults"),
    "gauntlet": (module("tests.gauntlet"), "real processes under faults"),
    "lock": (lock, "resolve the dependencies anew (maintainers)"),
}


def usage() -> str:
    """The help text: one line a command."""
    lines = [f"  {name:<8} {text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(["python3 run.py COMMAND [ARGUMENTS]", "", *lines, "  help     this"])


def main(arguments: Sequence[str]) -> int:
    """Run one command; 2 when the command line is wrong, 130 when it was interrupted."""
    name, rest = (arguments[0], arguments[1:]) if arguments else ("help", [])
    if name in ("help", "-h", "--help"):
        print(usage())
        return 0
    try:
        if name not in COMMANDS:
            raise Stopped(f"no such command: {name}\n\n{usage()}", 2)
        refusal = too_old(sys.version_info[:2])
        if refusal:
            raise Stopped(refusal)
        setup()
        return COMMANDS[name][0](rest)
    except Stopped as stop:
        print(f"run.py: {stop}", file=sys.stderr)
        return stop.code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
