"""`run.py soak --hours H`: one seed of the simulator after another, on all cores, until the time is over; then what was reached."""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator

from tests.sim.__main__ import lines_of
from tests.sim.reached import summary
from tests.sim.running import Report, run_seed

#: seeds that one process runs before another takes its place
SEEDS_A_PROCESS = 100
#: a word on how it goes comes so often (s)
TELL_S = 60.0


def main(arguments: list[str]) -> int:
    """Run seeds for so many hours; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="run.py soak", description="Hours of worlds of faults.")
    parser.add_argument("--hours", type=float, default=1.0, help="stop after so long (default 1)")
    parser.add_argument("--from", dest="first", type=int, default=1, help="the first seed (default 1)")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="processes at once (default: all cores)"
    )
    given = parser.parse_args(arguments)
    began = told = time.monotonic()
    seeds = broken = records = faults = 0
    sometimes: Counter[str] = Counter()
    for report in _reports(given.first, given.jobs, began + given.hours * 3600):
        seeds += 1
        broken += bool(report.broken)
        records += report.records
        faults += report.faults
        sometimes += report.sometimes
        if report.broken:
            print("\n".join(lines_of(report)), flush=True)
        if time.monotonic() - told >= TELL_S:
            told = time.monotonic()
            print(f"{seeds} seeds in {told - began:.0f} s, {broken} broken", flush=True)
    took_s = time.monotonic() - began
    print("\n".join(summary(sometimes)))
    print(f"{seeds} seeds, {records} records, {faults} faults in {took_s:.0f} s: {broken} broken")
    return 1 if broken else 0


def _reports(first: int, processes: int, until: float) -> Iterator[Report]:
    """Yield reports as they come; no seed begins once the time is over."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, maxtasksperchild=SEEDS_A_PROCESS) as pool:
        under_way = deque(pool.apply_async(run_seed, (first + at,)) for at in range(processes))
        following = first + processes
        while under_way:
            yield under_way.popleft().get()
            if time.monotonic() < until:
                under_way.append(pool.apply_async(run_seed, (following,)))
                following += 1
        pool.close()  # so that each process ends by itself, and clears away what it made
        pool.join()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
