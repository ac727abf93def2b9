"""`run.py gauntlet`: real processes, real stores, real sockets, faults from a seed; a table of what was done and what came of it."""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.figures import write_json
from tests.gauntlet.deck import APART, DRAWN, FAULTS, KILLED, KINDS
from tests.gauntlet.disks import own_mounts
from tests.gauntlet.plan import Plan
from tests.gauntlet.play import Played, play, play_apart
from tests.gauntlet.tally import Tally
from tests.gauntlet.unguarded import BUILDS

#: rows that parties have waiting (s of their pace); in a long run a file whose check died may wait a minute
_AHEAD_S, _FEW_MINUTES = 12.0, 5


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
    parser.add_argument(
        "--without", choices=BUILDS, help="a build without this guard, which must be found out"
    )
    given = parser.parse_args(arguments)
    build = BUILDS.get(given.without)
    if build is not None:
        given.only = [build.fault]
    console = Console(width=200)
    if given.list:
        console.print("\n".join(KINDS))
        return 0
    wrong = [name for name in given.only or () if name not in KINDS]
    if wrong:
        parser.error(f"there is no kind {', '.join(wrong)}; --list names all")
    is_brief = given.minutes <= _FEW_MINUTES
    plan = Plan(
        given.seed,
        given.minutes,
        given.shape,
        ahead_s=_AHEAD_S if is_brief else 4 * _AHEAD_S,
        rows_a_file=160 if is_brief else 600,
        small_disks=own_mounts(),
        may_preload=True,
        without=given.without or "",
        idempotent=build is None or build.idempotent,
    )
    chosen = given.only or list(KINDS)
    if given.keep:
        given.keep.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="ptn-g-", ignore_cleanup_errors=True) as folder:
        played = asyncio.run(_until_told(_all(plan, chosen, given, (given.keep or Path(folder)).absolute())))
    tell(console, played, chosen)
    write(played, "-".join(given.only or ["all"]).replace(" ", "_"))
    if build is not None:
        told = [*played.verdict.sentences, *(text for texts in played.broken.values() for text in texts)]
        is_found = any(build.word in sentence for sentence in told)
        console.print(f"without a guard, {given.without}: {'found out' if is_found else 'NOT found out'}")
        return 0 if is_found else 1
    return 0 if played.is_clean else 1


async def _all(plan: Plan, chosen: Sequence[str], given: argparse.Namespace, folder: Path) -> Played:
    """Run what was chosen on the common field, then what needs a home of its own."""
    tally = Tally(_say)
    kills = [] if given.no_kills or given.only else list(KILLED)
    drawn = [kind for kind in DRAWN if kind.name in chosen and (given.only or kind in FAULTS)]
    apart = [kind for kind in APART if kind.name in chosen]
    played = await play(plan, drawn, kills, folder, tally, is_short=given.quick) if drawn else None
    if not apart:
        assert played is not None
        return played
    rest = await play_apart(plan, apart, folder, tally)
    return rest if played is None else replace(played, broken=rest.broken, took_s=played.took_s + rest.took_s)


def _say(text: str) -> None:
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


async def _until_told(playing: Coroutine[None, None, Played]) -> Played:
    """Play, and leave nothing running when told to end."""
    task = asyncio.create_task(playing)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


def tell(console: Console, played: Played, chosen: Sequence[str]) -> None:
    """Print the table of faults, the judges' numbers and the recovery times."""
    table = Table("fault", "how it is injected", "at stake", "covers", "count", "result", box=None)
    rest = [name for name in KINDS if name not in chosen]
    for name, kind in KINDS.items():
        if name in rest:
            continue
        table.add_row(
            name, kind.how, kind.stake, kind.covers, str(played.counts.get(name, 0)), result_of(played, name)
        )
    console.print(table)
    if rest:
        console.print(f"not run: {len(rest)} other kinds")
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
        f"seed {played.plan.seed}, {played.plan.minutes:g} min, {played.plan.shape}: {played.jobs} files "
        f"({played.refused} handed in again), {played.valid} valid records, "
        f"{played.arrivals} arrivals ({played.verdict.late} of ended sessions, {played.verdict.repeated} repeated by the network); {counts}"
    )
    starts = ", ".join(f"{name} {count}" for name, count in sorted(played.starts.items()))
    console.print(f"starts: {starts}; {sum(played.counts.values())} faults, {played.took_s:.0f} s in all")


def result_of(played: Played, name: str) -> str:
    """Return what a row says: a kind that was not injected is never called kept."""
    if played.broken.get(name):
        return f"broken: {played.broken[name][0]}"
    if not played.counts.get(name, 0):
        reason = played.not_run.get(name, "")
        return f"not run{': ' + reason if reason else ''}"
    return "kept" if played.verdict.is_clean else "see below"


def write(played: Played, name: str) -> Path:
    """Keep the run's figures beside the benchmarks'."""
    return write_json(f"gauntlet-{name[:60]}-{played.plan.seed}", msgspec.to_builtins(played))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
