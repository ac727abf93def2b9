"""The one way to set up and drive the project; standard library only, safe to run first in a fresh clone.

It has the environment made (`environment.py`), then hands over to the programs in it. It must not import
anything else of the project: it runs before anything is installed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # where PYTHONSAFEPATH is set, it is not there by itself

from environment import Stopped, hand_over, lock, setup, setup_peers  # noqa: E402 - found only from here on

OLDEST = (3, 11)


def too_old(version: tuple[int, int]) -> str:
    """What to say to an interpreter that is older than the project needs; empty when it will do."""
    if version >= OLDEST:
        return ""
    return (
        f"Python {version[0]}.{version[1]} is too old: Pratunam needs {OLDEST[0]}.{OLDEST[1]} or later.\n"
        "Remedy: run this with a newer one, for example `python3.11 run.py help`."
    )


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


COMMANDS: dict[str, tuple[Callable[[Sequence[str]], int], str]] = {
    "setup": (setup, "make .venv from the hashed locks (every command does so by itself)"),
    "demo": (pratunam("demo"), "a dozen parties' files through the gate, judged"),
    "up": (pratunam("up"), "everything on this machine, until Ctrl-C"),
    "test": (test, "the tests; arguments go to pytest (run.py test tests/quotas -x)"),
    "check": (
        part(".ci/checks.py", "python", str(ROOT / ".ci" / "checks.py")),
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
