"""The story itself: set the stage, start registrar and gate, hand in every file, watch, and let the registrar judge."""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.live import Live

from domain.jobs import By, Job
from domain.states import ENDED_JOB_STATES
from intake.receive import receive
from intake.results import write_results
from pratunam.demo.cast import PLAYERS, REGISTRY, Player
from pratunam.demo.files import write_file
from pratunam.demo.gate import program
from pratunam.demo.screen import Scene, draw, plain_line, summary
from pratunam.demo.stage import Intermission, environment, policy_toml, registrar_toml
from pratunam.demo.verdict import differences
from pratunam.doorbells import ring_check
from pratunam.gate import open_quotas
from pratunam.intake_parts import intake_parts, submit_request
from pratunam.parts import Parts, open_parts
from pratunam.settings import Settings
from pratunam.status import StatusReader

#: the window of one party closes so long (ms) after the files are written, and opens again so much later
_CLOSES_AFTER_MS, _CLOSED_FOR_MS = 25_000, 12_000
_LOOK_EVERY_S = 0.5
#: without a terminal one line is printed at every so many looks
_LINE_EVERY = 10


#: columns where no terminal is
_WIDE = 160


async def run_demo(*, leave: bool) -> bool:
    """Tell the story; returns whether the registrar's report and the gate's counts agree and no limit was broken."""
    # what is not read on a terminal is not cut to the width of one
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE)
    folder = Path(tempfile.mkdtemp(prefix="pratunam-demo-"))
    began = time.monotonic()
    console.print(f"Writing {len(PLAYERS)} parties' files into {folder} …", markup=False)
    files = [
        await asyncio.to_thread(write_file, player, number, folder)
        for number, player in enumerate(PLAYERS, 1)
    ]
    intermission = _intermission()
    (folder / "registrar.toml").write_text(registrar_toml(intermission), "utf-8")
    arguments = ["registrar", "--port", "0", "--config", str(folder / "registrar.toml")]
    async with program(arguments, folder / "registrar.log") as endpoint:
        report = await _play(console, folder, files, endpoint, intermission)
        passed = await _tell_verdict(console, folder, report, time.monotonic() - began)
        if not leave:
            console.print("The registrar still answers, until Ctrl-C: " + endpoint + "/report", markup=False)
            await _until_interrupted()
    return passed


async def _play(
    console: Console, folder: Path, files: list[Path], endpoint: str, intermission: Intermission
) -> dict[str, Any]:
    policy = folder / "policy.toml"
    policy.write_text(policy_toml(endpoint, intermission, _now()), "utf-8")
    settings = replace(Settings(), home=folder / "home")
    arguments = ["up", "--home", str(settings.home), "--policy", str(policy)]
    more = environment() | {"PRATUNAM_MASTER_KEY_FILE": str(settings.master_key_path)}
    async with program(arguments, folder / "gate.log", more) as url:
        console.print(f"The gate is open: {url}/metrics · the registrar: {endpoint}/report", markup=False)
        async with open_parts(settings) as parts:
            taken: dict[str, Job] = {}
            handing_in = asyncio.create_task(_submit(parts, files, taken))
            await _watch(console, parts, taken, handing_in)
            await _few_at_once(_results(parts, job, folder) for job in taken.values())
            report = await _report(endpoint)
            report["jobs"] = [taken[player.party] for player in PLAYERS]
            return report


async def _submit(parts: Parts, files: list[Path], taken: dict[str, Job]) -> None:
    """Hand in all files, the largest first: the smallest must not wait behind it."""
    intake = await intake_parts(parts, REGISTRY)

    async def hand_in(player: Player, file: Path) -> None:
        request = submit_request(player.party, intake.rules, file.name, max_invalid_pct=20.0)
        by = By(f"party:{player.party}", "demo")
        taken[player.party] = await receive(file, request, intake, by, parts.clock.now())
        await ring_check(parts.settings, taken[player.party].job)

    await _few_at_once(hand_in(player, file) for player, file in zip(PLAYERS, files, strict=True))


async def _results(parts: Parts, job: Job, folder: Path) -> None:
    await write_results(job.job, folder / "results" / job.party, await intake_parts(parts, REGISTRY))


async def _few_at_once(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all, two at a time: each brings a child process of its own."""
    places = asyncio.Semaphore(2)

    async def placed(work: Coroutine[Any, Any, None]) -> None:
        async with places:
            await work

    async with asyncio.TaskGroup() as group:
        for work in works:
            group.create_task(placed(work))


async def _watch(
    console: Console, parts: Parts, taken: dict[str, Job], handing_in: asyncio.Task[None]
) -> None:
    """Show the gate until every file has been handed in and every job has ended; `taken` is kept up to date."""
    async with open_quotas(parts.settings) as quotas:
        reader = StatusReader(parts, quotas)
        async with _screen(console) as show:
            while True:
                is_all_in = handing_in.done()
                for party, job in list(taken.items()):
                    taken[party] = await parts.ledger.job(job.job)
                show(Scene(await reader.read(), taken))
                if is_all_in and all(job.state in ENDED_JOB_STATES for job in taken.values()):
                    break
                await asyncio.sleep(_LOOK_EVERY_S)
    await handing_in


@asynccontextmanager
async def _screen(console: Console) -> AsyncIterator[Any]:
    if console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            yield lambda scene: live.update(draw(scene, console.width), refresh=True)
        return
    looks = 0

    def line(scene: Scene) -> None:
        nonlocal looks
        if looks % _LINE_EVERY == 0:
            console.print(plain_line(scene), markup=False)
        looks += 1

    yield line


async def _tell_verdict(console: Console, folder: Path, report: dict[str, Any], took_s: float) -> bool:
    jobs: list[Job] = report["jobs"]
    names = {player.party: player.name_en for player in PLAYERS}
    console.print()
    console.print(summary(jobs, names))
    rows = sum(job.rows for job in jobs)
    seen = report["registries"][REGISTRY]
    found = differences(report, jobs)
    console.print(
        f"\n{rows:,} rows of {len(jobs)} parties in {took_s:.0f} s. Results of each party: {folder / 'results'}",
        markup=False,
    )
    console.print(
        f"The registrar saw {seen['arrivals']:,} records, at most {seen['sessions']['most']} sessions at once, "
        f"{sum(seen['pushbacks'].values())} pushbacks; worst excess over its limit: {seen['bucket']['max_excess']}; "
        f"outside windows: {seen['outside']['count']}; in effect more than once: {seen['effects']['more']}.",
        markup=False,
    )
    for sentence in found:
        console.print(f"  broken: {sentence}", markup=False)
    console.print("Verdict: every promise kept." if not found else "Verdict: not kept.", markup=False)
    return not found


async def _report(endpoint: str) -> dict[str, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{endpoint}/report", params={"bins": "0"}) as answer,
    ):
        answer.raise_for_status()
        report: dict[str, Any] = await answer.json()
        return report


async def _until_interrupted() -> None:
    await asyncio.Event().wait()


def _intermission() -> Intermission:
    closes_at = (_now() + _CLOSES_AFTER_MS) // 1000 * 1000
    return Intermission(closes_at, closes_at + _CLOSED_FOR_MS)


def _now() -> int:
    return time.time_ns() // 1_000_000
