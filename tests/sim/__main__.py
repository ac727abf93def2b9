"""`python -m tests.sim SEED` replays one seed; `--seeds A-B` runs many and prints what was reached."""

import argparse
import sys
from collections import Counter

from tests.sim.reached import summary
from tests.sim.running import Report, run_seed

#: how many broken promises of one seed are printed
SHOWN = 12


def main(arguments: list[str]) -> int:
    """Run seeds; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="run.py sim", description="Worlds of faults on a virtual clock.")
    parser.add_argument("seed", nargs="?", type=int, help="replay this one")
    parser.add_argument("--seeds", default="1-20", help="run these, e.g. 1-100")
    given = parser.parse_args(arguments)
    first, _, last = given.seeds.partition("-")
    seeds = [given.seed] if given.seed is not None else range(int(first), int(last or first) + 1)
    sometimes: Counter[str] = Counter()
    broken = 0
    for seed in seeds:
        report = run_seed(seed)
        sometimes += report.sometimes
        broken += bool(report.broken)
        print("\n".join(lines_of(report)), flush=True)
    print("\n".join(summary(sometimes)))
    return 1 if broken else 0


def lines_of(report: Report) -> list[str]:
    """Return what is printed of one seed."""
    end = f"BROKEN; replay: python3 run.py sim {report.seed}" if report.broken else "ok"
    head = (
        f"seed {report.seed}: {report.records} records, {report.faults} faults, {report.virtual_s:.0f} virtual s,"
        f" {report.real_s:.2f} s, {report.digest}, {end}"
    )
    return [head, *(f"  {one}" for one in report.broken[:SHOWN])]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
