"""`run.py sweep`: one fault at every point of every way; prints how many points there are, and what broke. `WAY…` sweeps some."""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence

from tests.sweep.awaits import Awaits
from tests.sweep.points import Chosen, How, broken_among, count_points
from tests.sweep.ways import WAYS

#: files whose awaits are told of: the upload's way
FILES = ("session", "login", "supply", "sending", "resolve", "settling", "pacer", "stations")
#: points that one process takes at a time
A_TIME = 20


def main(arguments: list[str]) -> int:
    """Sweep; 1 when a promise was broken at some point."""
    parser = argparse.ArgumentParser(prog="run.py sweep", description="One fault at every point of a way.")
    parser.add_argument("ways", nargs="*", metavar="WAY", help=f"of: {', '.join(WAYS)} (default: all)")
    parser.add_argument("--every", type=int, default=1, help="take only every so-manieth point")
    parser.add_argument("--points", default="", help="only these, e.g. 41 or 1-200")
    parser.add_argument("--how", choices=[how.name for how in How], help="only this fault")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args(arguments)
    unknown = [name for name in given.ways if name not in WAYS]
    if unknown:
        parser.error(f"no such way: {', '.join(unknown)}")
    faults = [How[given.how]] if given.how else list(How)
    began, runs, broken, awaits = time.monotonic(), 0, 0, Awaits()
    print(f"{'way':<24}{'fault':<34}{'points':>8}{'runs':>8}{'broken':>8}")
    with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
        for name in given.ways or WAYS:
            all_points = count_points(WAYS[name], awaits)
            for how in faults:
                points = all_points[how]
                first, last = _span(given.points, points)
                chosen = list(range(first, last + 1, given.every))
                found = [one for many in pool.imap(broken_among, _parts(name, how, chosen)) for one in many]
                runs += len(chosen)
                broken += len({n for n, _ in found})
                print(f"{name:<24}{how.value:<34}{points:>8}{len(chosen):>8}{len(found):>8}", flush=True)
                for n, what in found:
                    print(f'  run.py sweep "{name}" --how {how.name} --points {n}: {what}', flush=True)
        pool.close()  # so that each process ends by itself, and clears away what it made
        pool.join()
    print(f"{runs} runs in {time.monotonic() - began:.0f} s: {broken} broken")
    print(told(awaits))
    return 1 if broken else 0


def _span(asked: str, points: int) -> tuple[int, int]:
    """Return the first and the last point to take; the one after the last of all is a run without a fault."""
    first, _, last = asked.partition("-")
    return (int(first), min(int(last or first), points + 1)) if asked else (1, points + 1)


def told(awaits: Awaits) -> str:
    """Say at how many awaits of the upload's way a process stood after one of its steps, and where it never did."""
    lines = []
    for file in FILES:
        reached, missed = awaits.of(f"workers/{file}.py")
        never = f"; never at line {', '.join(map(str, missed))}" if missed else ""
        lines.append(f"  workers/{file}.py: stood at {len(reached)} of {len(reached) + len(missed)}{never}")
    return "\n".join(["awaits of the upload's way at which a run without a fault stood:", *lines])


def _parts(name: str, how: How, chosen: Sequence[int]) -> Iterator[Chosen]:
    for at in range(0, len(chosen), A_TIME):
        yield Chosen(name, how, tuple(chosen[at : at + A_TIME]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
