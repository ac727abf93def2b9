"""Every check by name, with the programs of the environment that run.py made: `python3 run.py check [NAME…]`.

It knows no fault itself: each program says what it found.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS_ONLY = ("tests", "benchmarks")  # checked like the rooms, but never packaged
OURS_BESIDE = ("run.py", "environment.py", ".ci/checks.py", ".ci/dead_code.py")


def program(name: str) -> str:
    """The path of a program of the environment."""
    return str(Path(sys.executable).parent / name)


def checks() -> dict[str, list[str]]:
    """Every check, in the order in which a fault is cheapest to find."""
    rooms = sorted(
        init.parent.name for init in ROOT.glob("*/__init__.py") if init.parent.name not in OURS_ONLY
    )
    return {
        "format": [program("ruff"), "format", "--check", "."],
        "lint": [program("ruff"), "check", "."],
        "types": [program("mypy"), *rooms, *OURS_BESIDE, *OURS_ONLY],
        "imports": [program("lint-imports")],
        "dependencies": [program("deptry"), *rooms],
        "dead-code": [sys.executable, ".ci/dead_code.py"],
        "counts": [sys.executable, "-m", "benchmarks.counts"],  # warns, and fails only where it cannot count
    }


def main(names: list[str]) -> int:
    """Run all checks, or those named; 1 when one of them fails, 2 for a name that is none."""
    known = checks()
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no such check: {', '.join(unknown)}. There are: {', '.join(known)}.", file=sys.stderr)
        return 2
    outcome: dict[str, bool] = {}
    for name in names or known:
        print(f"== {name}", flush=True)
        outcome[name] = subprocess.run(known[name], cwd=ROOT, check=False).returncode == 0
    lines = [f"{'ok    ' if passed else 'FAILED'}  {name}" for name, passed in outcome.items()]
    print("", *lines, sep="\n", flush=True)
    return 0 if all(outcome.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
