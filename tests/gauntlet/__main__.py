"""`run.py gauntlet`: real processes, real stores, real sockets, faults from a seed; a table of what was done and what came of it."""

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.town import machine
from tests.gauntlet.deck import FAULTS, KILLED, KINDS
from tests.gauntlet.kinds import Kind
from tests.gauntlet.plan import Plan
from tests.gauntlet.play import Played, play

RESULTS = Path("benchmarks") / "results"


def main(arguments: list[str]) -> int:
    """Run one gauntlet; 1 when a promise was broken, 2 for a wrong command line."""
    parser = argparse.ArgumentParser(
        prog="run.py gauntlet", description="Real processes under faults from a seed."
    )
    parser.add_argument("--minutes", type=float, default=3.0, help="how long faults are done (default 3)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", metavar="KIND", help="these kinds alone (may be repeated)")
    parser.add_argument("--shape", choices=("stream", "batch", "single"), default="stream")
    parser.add_argument("--quick", action="store_true", help="short faults")
    parser.add_argument("--no-kills", action="store_true", help="no kill every ten seconds")
    parser.add_argument("--list", action="store_true", help="list the kinds")
    parser.add_argument(
        "--keep", type=Path, help="leave logs and arrivals in this folder, which must not be there yet"
    )
    given = parser.parse_args(arguments)
    console = Console(width=200)
    if given.list:
        console.print("\n".join(KINDS))
        return 0
    wrong = [name for name in given.only or () if name not in KINDS]
    if wrong:
        parser.error(f"there is no kind {', '.join(wrong)}; --list names all")
    chosen = [KINDS[name] for name in given.only or ()]
    plan = Plan(given.seed, given.minutes, given.shape)
    kills = [] if given.no_kills or chosen else list(KILLED)
    played = _run(plan, chosen or list(FAULTS), kills, given.keep, is_short=given.quick)
    tell(console, played)
    write(played, "-".join(given.only or ["all"]).replace(" ", "_"))
    return 0 if played.is_clean else 1


def _run(plan: Plan, kinds: list[Kind], kills: list[Kind], keep: Path | None, *, is_short: bool) -> Played:
    if keep is not None:
        keep.mkdir(parents=True)
        return asyncio.run(play(plan, kinds, kills, keep.absolute(), is_short=is_short))
    with tempfile.TemporaryDirectory(prefix="ptn-g-", ignore_cleanup_errors=True) as folder:
        return asyncio.run(play(plan, kinds, kills, Path(folder), is_short=is_short))


def tell(console: Console, played: Played) -> None:
    """Print the table of faults, the judges' numbers and the recovery times."""
    table = Table("fault", "how it is injected", "at stake", "covers", "count", "result", box=None)
    for name, kind in KINDS.items():
        table.add_row(
            name, kind.how, kind.stake, kind.covers, str(played.counts[name]), result_of(played, name)
        )
    console.print(table)
    if played.times:
        times = Table("killed", "times", "all back s: min, median, max", "longest silence s", box=None)
        for each in played.times:
            spread = [
                ", ".join(f"{value:.2f}" for value in values) for values in (each.back_s, each.silence_s)
            ]
            times.add_row(each.what, str(each.count), *spread)
        console.print(times)
    for name, told in played.broken.items():
        console.print(f"broken: {name}: {'; '.join(told)}", markup=False)
    for sentence in played.verdict.sentences:
        console.print(f"broken: {sentence}", markup=False)
    counts = ", ".join(f"{name} {count}" for name, count in played.verdict.counts.items())
    console.print(
        f"seed {played.plan.seed}, {played.plan.minutes:g} min, {played.plan.shape}: {played.jobs} files, {played.valid} valid records, "
        f"{played.arrivals} arrivals ({played.verdict.late} of ended sessions, {played.verdict.repeated} repeated by the network); {counts}"
    )
    starts = ", ".join(f"{name} {count}" for name, count in sorted(played.starts.items()))
    console.print(f"starts: {starts}; {sum(played.counts.values())} faults, {played.took_s:.0f} s in all")


def result_of(played: Played, name: str) -> str:
    """Return what a row says: a kind that was not injected is never called kept."""
    if played.broken.get(name):
        return f"broken: {played.broken[name][0]}"
    if not played.counts[name]:
        reason = played.not_run.get(name, "")
        return f"not run{': ' + reason if reason else ''}"
    return "kept" if played.verdict.is_clean else "see below"


def write(played: Played, name: str) -> Path:
    """Keep the run's figures beside the benchmarks'."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / f"gauntlet-{name[:60]}-{played.plan.seed}.json"
    told = {"machine": machine()} | asdict(played)
    file.write_text(json.dumps(told, indent=1), "utf-8")
    return file


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
