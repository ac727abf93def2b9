"""Counts: how many function calls (Python's and C's) and Redis commands the hot steps take, against those recorded last.

Counts do not change with the machine's mood, so a step of 10 % in one is a change of the code: it warns, and never fails. They are
those of one Python version and are compared with that one only. `python3 run.py bench counts --record` records them anew, in
`results/counts.json`, which is kept in the repository.
"""

import argparse
import asyncio
import gc
import json
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, cast

from rich.console import Console

from benchmarks.figures import RESULTS, print_table
from benchmarks.scheduler import NOW, snapshot
from benchmarks.town import REGISTRY, TownPlan, party
from benchmarks.waiting import Sitters, Waiting, waiting
from domain.clock import ManualClock
from domain.jobs import Outcome, Settlement
from domain.policy import RegistryRules
from domain.quota import AccountQuota, Lease, RegistryQuota, Share
from domain.states import RecordState
from domain.wire import Answer, End, Line, OpenSession, Upload, Verdict, Wire
from ledger.boxes import SliceBox, seal_slice
from ledger.engine import OnEngine
from ledger.settle import settle
from ledger.sqlite import SqliteEngine
from quotas.quotas import RedisQuotas, connect
from scheduler.decide import decide
from tests.scheduler.fakes import Stage, policy
from tests.workers.bench import bench
from workers.answers import Answers
from workers.sending import Sending
from workers.stock import Hand, Stock

RECORDED = RESULTS / "counts.json"
#: a step of so much is told
STEP = 0.10
PARTIES, LINES, HANDFUL, TICKS, SESSIONS = 100, 100, 20, 10, 20


def calls_of(step: Callable[[], object]) -> int:
    """Return how many functions a step calls, Python's and C's, in this thread."""
    count = 0

    def note(_frame: object, event: str, _what: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    gc.disable()
    sys.setprofile(note)
    try:
        step()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


def at_once(what: Coroutine[Any, Any, object]) -> None:
    """Run a coroutine that waits for nothing; raises RuntimeError when it does wait."""
    try:
        what.send(None)
    except StopIteration:
        return
    raise RuntimeError("A step that is counted waited for something.")


def decision() -> int:
    """Count one decision of 100 parties."""
    world = snapshot(PARTIES)
    decide(world, NOW)
    return calls_of(lambda: decide(world, NOW + 1))


async def whole_round() -> int:
    """Count one whole round of 100 parties on a ledger and a gate in memory: views, decision, what is written."""
    names = [party(number) for number in range(PARTIES)]
    stage = Stage(policy(dict.fromkeys(names, 1)))
    stage.waits(**dict.fromkeys(names, 1_000))
    await stage.run(2_250)
    stage.clock.advance(250)
    return calls_of(lambda: at_once(stage.scheduler.run_once()))


def sealing(place: Waiting) -> int:
    """Count the sealing of one slice of 100 lines."""
    bodies = tuple(b'{"n":%d}' % line for line in range(LINES))
    box = SliceBox(tuple(f"k-{line}" for line in range(LINES)), bodies, tuple(range(LINES)), {})
    sealer = place.parts.keys.create("J9")
    return calls_of(lambda: seal_slice(box, sealer, party(0), "J9", 0))


def settling(place: Waiting) -> int:
    """Count the settlement of 100 records in the real ledger, statements warm."""
    ledger, keys = place.parts.ledger, place.parts.keys
    assert isinstance(ledger, OnEngine)
    engine = ledger.engine
    assert isinstance(engine, SqliteEngine)

    def step(first: int) -> None:
        outcomes = tuple(
            Outcome(line, RecordState.ACCEPTED, receipt=f"R{line}") for line in range(first, first + LINES)
        )
        [told] = engine.write_now(settle, [Settlement("J0000.0", outcomes)], keys, place.parts.clock.now())
        assert told.moved == LINES, told

    step(0)
    return calls_of(lambda: step(LINES))


class Paper:
    """An exchange that leads nowhere: what is written is gone, and answers are said by hand."""

    def __init__(self) -> None:
        """Nobody listens yet."""
        self.hear: Callable[[Sequence[Answer] | End], None] = print

    def open(self, _session: OpenSession) -> Upload:
        """Be the exchange."""
        return cast("Upload", self)

    def is_clear(self) -> bool:
        """Hold no bytes."""
        return True

    def room(self) -> int:
        """Take any handful."""
        return LINES

    def write(self, lines: Sequence[Line], until: int | None = None) -> None:
        """Forget them."""

    def listen(self, hear: Callable[[Sequence[Answer] | End], None]) -> None:
        """Keep who listens."""
        self.hear = hear


async def handful() -> int:
    """Count one handful of 20 records: drawn by a tick, sent, answered; ledger, gate and wire in memory."""
    clock, paper = ManualClock(), Paper()
    work = bench(
        RegistryRules("reg", "party-members", "http://127.0.0.1:9"), cast("Wire", paper), clock=clock
    )
    held, stock = work.ledger.add_slice(5 * LINES), Stock()
    stock.add(Hand(held.claimed, held.box, idempotent=True))
    wants = [0]
    pacer = work.station.pacer
    seat = pacer.take_seat(Lease("reg", "P1", "A1", "host:1", 1, 1), lambda: wants[0], _nothing, 6_000)
    sending = Sending(
        work.station, seat, OpenSession("s-1", "A1", "P1", 900), stock, Answers(work.station, "P1", stock)
    )
    sending.open()

    def step() -> None:
        wants[0] = HANDFUL
        clock.advance(200)
        at_once(pacer.run_once())
        wants[0] = 0
        sending.pump()
        paper.hear([Answer(key, Verdict.ACCEPTED, receipt="R") for key in list(stock.out)])

    step()
    before = seat.settled
    count = calls_of(step)
    assert seat.settled == before + HANDFUL, seat.settled
    return count


def _nothing() -> None:
    """A tick was answered."""


async def redis_commands(place: Waiting) -> int:
    """Count Redis' commands, those within the script too, of ten ticks of 20 sessions that draw and settle."""
    now_us = [1_800_000_000_000_000]
    client = connect(place.url)
    quotas = RedisQuotas(client, test_clock=lambda: now_us[0])
    registry = RegistryQuota(REGISTRY, 800, 800, SESSIONS, 1_000, 0, newest_wins=True)
    names = [f"{party(0)}-{number:02d}" for number in range(SESSIONS)]
    await quotas.begin(1, registry)
    await quotas.configure(registry, {name: AccountQuota(20, 20) for name in names})
    await quotas.set_shares(REGISTRY, 1, {party(0): Share(400, 400, 5_000, SESSIONS)}, 800)
    sitters = Sitters(quotas)
    for name in names:
        await sitters.sit(party(0), name)
    counted = [0, 0]
    for each in range(2):
        for _ in range(TICKS):
            now_us[0] += 20_000
            await sitters.tick(2)
        stats = await client.info("commandstats")
        counted[each] = sum(int(one["calls"]) for name, one in stats.items() if name != "cmdstat_info")
    await client.aclose()
    return counted[1] - counted[0]


async def count() -> dict[str, int]:
    """Count all steps."""
    found = {"decision of 100 parties": decision(), "round of 100 parties": await whole_round()}
    found["handful of 20 drawn, sent, answered"] = await handful()
    async with waiting(TownPlan([SESSIONS], [], 800, 800, 20, 20), 3 * LINES) as place:
        found["slice of 100 lines sealed"] = sealing(place)
        found["100 outcomes settled"] = settling(place)
        found["Redis commands of ten ticks of 20 sessions"] = await redis_commands(place)
    return found


def steps_of(found: Mapping[str, int], before: Mapping[str, int]) -> list[str]:
    """Return a sentence for each count that changed by a step, is new, or is gone."""
    told = [f"{name}: {count:,}, not recorded before" for name, count in found.items() if name not in before]
    told += [f"{name}: recorded, and counted no more" for name in before if name not in found]
    for name, count in found.items():
        was = before.get(name, count)
        if abs(count - was) >= STEP * max(was, 1):
            told.append(f"{name}: {count:,}, was {was:,} ({count / max(was, 1) - 1:+.0%})")
    return told


def version() -> str:
    """Return the version whose counts these are."""
    return f"{sys.implementation.name} {sys.version_info.major}.{sys.version_info.minor}"


def options(words: Sequence[str]) -> dict[str, Any]:
    """Read the options of the command line."""
    reader = argparse.ArgumentParser(prog="run.py bench counts")
    reader.add_argument("--record", action="store_true", help="these are the counts from now on")
    return vars(reader.parse_args(words))


async def main(console: Console, *, record: bool = False) -> None:
    """Count, print the table, and warn of each step; or record."""
    found = await count()
    recorded: dict[str, Any] = json.loads(RECORDED.read_text("utf-8")) if RECORDED.exists() else {}
    is_known = recorded.get("python") == version()
    before = recorded["counts"] if is_known else {}
    print_table(
        console, [{"step": name, "counted": n, "recorded": before.get(name)} for name, n in found.items()]
    )
    if record:
        text = json.dumps({"python": version(), "counts": found}, indent=1)
        RECORDED.write_text(f"{text}\n", "utf-8")
        return
    if not is_known:
        console.print(f"Nothing recorded by {version()} to compare with.")
        return
    for each in steps_of(found, before):
        console.print(f"WARNING  {each}", style="yellow")
        console.print("         Meant? Then record it: python3 run.py bench counts --record")


if __name__ == "__main__":
    asyncio.run(main(Console(width=120)))
