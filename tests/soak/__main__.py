"""`run.py soak --hours H`: one seed of the simulator after another, on all cores, until the time is over; then what was reached.

With `--book FILE` the hours of several runs add up: a run goes on where the last one of the same build ended, and ends when the book
has its hours. It may be ended at any time; what was told last is kept.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path

from tests.sim.__main__ import lines_of
from tests.sim.reached import summary
from tests.sim.running import Report, run_seed
from tests.soak.book import keep_book, open_book

#: seeds that one process runs before another takes its place
SEEDS_A_PROCESS = 100
#: a word on how it goes comes so often (s)
TELL_S = 60.0
#: between two seeds no more than this is counted (s): whoever was stopped meanwhile ran none
LONGEST_S = 30.0


def main(arguments: list[str]) -> int:
    """Run seeds for so many hours; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="run.py soak", description="Hours of worlds of faults.")
    parser.add_argument("--hours", type=float, default=1.0, help="stop after so long (default 1)")
    parser.add_argument("--from", dest="first", type=int, default=1, help="the first seed (default 1)")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="processes at once (default: all cores)"
    )
    parser.add_argument(
        "--book", type=Path, help="count here, and go on where the last run of this build ended"
    )
    given = parser.parse_args(arguments)
    book = open_book(given.book, given.first)
    last = told = time.monotonic()
    for report in _reports(book.next_seed, given.jobs, told + given.hours * 3600 - book.seconds):
        book.count(report)
        now = time.monotonic()
        book.seconds += min(now - last, LONGEST_S)
        last = now
        if report.broken:
            print("\n".join(lines_of(report)), flush=True)
        if time.monotonic() - told >= TELL_S:
            told = time.monotonic()
            print(f"{book.seeds} seeds in {book.seconds:.0f} s, {len(book.broken)} broken", flush=True)
            keep_book(book, given.book)
    keep_book(book, given.book)
    print("\n".join(summary(Counter(book.sometimes))))
    print(
        f"{book.seeds} seeds, {book.records} records, {book.faults} faults in {book.seconds:.0f} s on build {book.build}: "
        f"{len(book.broken)} broken"
    )
    return 1 if book.broken else 0


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
