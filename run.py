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
LOCKS = ROOT / "requirements"
DEV_LOCK = LOCKS / "dev.lock"
OLDEST = (3, 11)
MATCHES = (
    f"import sys; sys.exit(sys.version_info[:3] != {sys.version_info[:3]})"  # exit code 0: the same Python
)
PACKAGES = (
    "pratunam", "console", "workers", "planner", "scheduler", "quotas", "intake", "ledger", "profiles",
    "metrics", "domain", "registrar",
)  # fmt: skip

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


class Stopped(Exception):
    """The command can't go on; the message names the remedy."""


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


def call(command: Sequence[str], env: Mapping[str, str] | None = None) -> int:
    """Run a program in the clone's folder and return its exit code; Ctrl-C is the program's to handle."""
    process = subprocess.Popen(command, cwd=ROOT, env=None if env is None else dict(env))
    while True:
        try:
            code = process.wait()
            return 128 - code if code < 0 else code
        except KeyboardInterrupt:
            continue  # the child got the same signal; wait for it to end cleanly


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
    if STAMP.exists() and subprocess.run([in_venv("python"), "-c", MATCHES], check=False).returncode == 0:
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
    if uv and uv_install(uv):
        return "uv"
    pip = [
        in_venv("python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "--disable-pip-version-check",
    ]
    if not Path(in_venv("pip")).exists() and call([in_venv("python"), "-m", "ensurepip"]) != 0:
        raise Stopped(NO_INSTALL)
    if call([*pip, "-r", str(LOCKS / "uv.lock")]) == 0 and uv_install(in_venv("uv")):
        return "uv, itself installed by hash"
    if call([*pip, "-r", str(DEV_LOCK)]) == 0:
        return "pip"
    raise Stopped(NO_INSTALL)


def uv_install(uv: str) -> bool:
    """True when uv made the environment exactly the locked packages, each of the locked hash."""
    return (
        call([uv, "pip", "sync", "--quiet", "--require-hashes", "--python", in_venv("python"), str(DEV_LOCK)])
        == 0
    )


def link_project() -> None:
    """Put the clone on the environment's path and make its console script; needs no network and no build."""
    site = subprocess.run(
        [in_venv("python"), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    (Path(site) / "pratunam.pth").write_text(f"{ROOT}\n")
    script = Path(in_venv("pratunam"))
    script.write_text(f"#!{in_venv('python')}\nimport sys\nfrom pratunam.cli import main\nsys.exit(main())\n")
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
        make_venv(uv)
        by = install(uv or (in_venv("uv") if Path(in_venv("uv")).exists() else None))
        link_project()
        STAMP.write_text(wanted)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // (
        1024 if sys.platform != "darwin" else 1 << 20
    )
    print(
        f"… ready in {time.monotonic() - began:.1f} s, by {by}, at most {peak} MiB.",
        file=sys.stderr,
        flush=True,
    )
    return 0


# --- commands -------------------------------------------------------------------------------------


def pratunam(*command: str) -> Callable[[Sequence[str]], int]:
    """A command that hands over to the console script."""

    def go(arguments: Sequence[str]) -> int:
        if not (ROOT / "pratunam" / "cli.py").exists():
            return not_there("the command line (pratunam/cli.py)")
        return call([in_venv("pratunam"), *command, *arguments])

    return go


def not_there(what: str) -> int:
    """Say that a part has not been built yet."""
    print(f"run.py: {what} is not there yet in this version.", file=sys.stderr)
    return 2


def module(name: str) -> Callable[[Sequence[str]], int]:
    """A command that runs a module of the tree, when it exists."""

    def go(arguments: Sequence[str]) -> int:
        path = ROOT.joinpath(*name.split("."))
        if not path.with_suffix(".py").exists() and not (path / "__main__.py").exists():
            return not_there(name)
        return call([in_venv("python"), "-m", name, *arguments])

    return go


def pytest_arguments(arguments: Sequence[str], cores: int) -> list[str]:
    """Add the number of test processes where the caller named none and did not pick single tests."""
    chosen = any(
        a.startswith("-n") or a in ("-s", "--pdb", "--capture=no", "--collect-only") for a in arguments
    )
    narrow = any("::" in a or a.endswith(".py") for a in arguments)
    return list(arguments) if chosen or narrow or cores < 2 else ["-n", str(min(cores, 4)), *arguments]


def test(arguments: Sequence[str]) -> int:
    """The tests: the whole suite, or what the arguments name; warnings are errors."""
    return call([in_venv("python"), "-m", "pytest", *pytest_arguments(arguments, os.cpu_count() or 1)])


def checks() -> list[tuple[str, list[str]]]:
    """Every check by name, in the order in which a fault is cheapest to find."""
    rooms = [p for p in PACKAGES if (ROOT / p).is_dir()]
    trees = [
        *rooms,
        "run.py",
        ".ci/dead_code.py",
        "tests",
        *(["benchmarks"] if (ROOT / "benchmarks").is_dir() else []),
    ]
    return [
        ("format", [in_venv("ruff"), "format", "--check", "."]),
        ("lint", [in_venv("ruff"), "check", "."]),
        ("types", [in_venv("mypy"), *trees]),
        ("imports", [in_venv("lint-imports")]),
        ("dependencies", [in_venv("deptry"), *rooms]),
        ("dead code", [in_venv("python"), ".ci/dead_code.py"]),
    ]


def check(arguments: Sequence[str]) -> int:
    """Format, lint, strict types, import rules, dependencies, dead code; all of them, or those named."""
    outcome: dict[str, bool] = {}
    for name, command in checks():
        if arguments and name not in arguments:
            continue
        print(f"== {name}", flush=True)
        outcome[name] = call(command) == 0
    print(
        "\n" + "\n".join(f"{'ok    ' if ok else 'FAILED'}  {name}" for name, ok in outcome.items()),
        flush=True,
    )
    return 0 if outcome and all(outcome.values()) else 1


def lock(_: Sequence[str]) -> int:
    """Resolve the dependencies anew and write the hashed locks; they hold no address."""
    uv = shutil.which("uv") or in_venv("uv")
    compile_ = [uv, "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes",
                "--no-emit-index-url", "--no-emit-find-links", "--no-header"]  # fmt: skip
    runtime, project = "requirements/runtime.lock", ["--extra", "demo", "pyproject.toml"]
    jobs = [
        [*project, "-o", runtime],
        [*project, "--group", "dev", "-c", runtime, "-o", "requirements/dev.lock"],
        ["--group", "installer", "-o", "requirements/uv.lock"],
    ]
    return 0 if all(call([*compile_, *job]) == 0 for job in jobs) else 1


COMMANDS: dict[str, tuple[Callable[[Sequence[str]], int], str]] = {
    "setup": (setup, "make .venv from the hashed locks (every command does so by itself)"),
    "demo": (pratunam("demo"), "a dozen parties' files through the gate to a reference registrar, judged"),
    "up": (pratunam("up"), "everything on this machine, until Ctrl-C; arguments as of `pratunam up`"),
    "test": (test, "the tests; arguments go to pytest (run.py test tests/quotas -x)"),
    "check": (check, "format, lint, types, imports, dependencies, dead code; or only those named"),
    "bench": (module("benchmarks"), "speed, measured"),
    "sim": (module("tests.sim"), "scenarios on a virtual clock"),
    "soak": (module("tests.soak"), "hours of mixed load and faults"),
    "lock": (lock, "resolve the dependencies anew (maintainers)"),
}


def usage() -> str:
    """The help text: one line a command."""
    lines = [f"  {name:<6} {text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(["python3 run.py COMMAND [ARGUMENTS]", "", *lines, "  help   this"])


def main(arguments: Sequence[str]) -> int:
    """Run one command; 2 when the command line is wrong."""
    name, rest = (arguments[0], arguments[1:]) if arguments else ("help", [])
    if name in ("help", "-h", "--help"):
        print(usage())
        return 0
    if name not in COMMANDS:
        print(f"run.py: no such command: {name}\n\n{usage()}", file=sys.stderr)
        return 2
    try:
        refusal = too_old(sys.version_info[:2])
        if refusal:
            raise Stopped(refusal)
        setup()
        return COMMANDS[name][0](rest)
    except Stopped as stop:
        print(f"run.py: {stop}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
