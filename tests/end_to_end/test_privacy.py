"""Names and numbers planted in files and in the registrar's messages are found nowhere in clear, whatever the gate leaves anywhere."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import polars as pl
import psutil
import pytest
import redis.asyncio as aioredis

from benchmarks.town import REGISTRY, Town, TownPlan, party, town
from pratunam.running import must_run
from profiles.party_members.fields import FIELDS
from profiles.party_members.made_up import made_up_members
from tests.end_to_end.canaries import Search, disguises

SENT, CRASHED = 150, 30_000
#: IDs of each file that are looked for, beside the names that every row bears
SOUGHT = 15
#: processes are listed so often: none lives for a shorter time, and each look costs as much as a gate that is idle
LOOK_EVERY_MS = 50
SURNAME, GIVEN, ROAD = "คะนารีย์เหลืองอ่อน", "นกขมิ้นน้อย", "ถนนนกแก้วสีรุ้ง"
PLAN = TownPlan(
    [2], [SENT], 400, 100, 200, 50,
    log_level="debug",
    extra_registrar=(
        f'[[registries.{REGISTRY}.rules]]\nfield = "member_no"\nends_with = "7"\ncode = "not-found"\n'
        'message_th = "ไม่พบ {first_name} {last_name} เลข {national_id}"\n'
        'message_en = "Nobody is called {first_name} {last_name}, {national_id}."'
    ),
)  # fmt: skip
#: has every process of the gate keep contents unsealed, as a careless change might
CLEAR = """
import ledger.keystore as keystore
import ledger.sealing as sealing

class Clear(sealing.Sealer):
    def seal_packed(self, packed, aad):
        return packed

    def open_packed(self, sealed, aad):
        return bytes(sealed)

for name in ("create", "sealer"):
    def clear(self, job, sealed=getattr(keystore.KeyStore, name)):
        sealed(self, job)
        return Clear(bytes(32))
    setattr(keystore.KeyStore, name, clear)
"""


def with_canaries(path: Path, rows: int, seed: int) -> list[str]:
    """Write a file in which every row bears the canaries, some rows are wrong; returns all IDs in it."""
    names = {field: FIELDS[field].headers[0] for field in ("last_name", "first_name", "road", "national_id")}
    members = made_up_members(rows, seed, faults={"no-such-day": 0.05, "title-in-name": 0.05}).with_columns(
        pl.lit(SURNAME).alias(names["last_name"]),
        pl.concat_str(pl.col(names["first_name"]), pl.lit(GIVEN)).alias(names["first_name"]),
        pl.lit(ROAD).alias(names["road"]),
    )
    members.write_csv(path)
    return [str(each) for each in members[names["national_id"]]]


class Watch:
    """Gathers what passes by while the gate runs: commands to Redis, command lines of its processes, and the scratch of a check."""

    def __init__(self, place: Town, search: Search) -> None:
        """Nothing is gathered yet."""
        self._place = place
        self._search = search
        self.seen = bytearray()
        self.commands: set[str] = set()
        self.is_cruel = False
        self.crashed = asyncio.Event()
        self.found: list[str] = []

    async def monitor(self) -> None:
        """Read every command that Redis gets, until cancelled."""
        path = must_run(self._place.parts.settings).redis_url.removeprefix("unix://")
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"MONITOR\r\n")
        try:
            while data := await reader.read(1 << 16):
                self.seen += data
        finally:
            writer.close()

    async def processes(self) -> None:
        """Look at the gate's processes, and crash a check that has something in its scratch, if that is wished; until cancelled."""
        scratch = self._place.parts.settings.home / "scratch"
        while True:
            for process in self._place.gate.family():
                with contextlib.suppress(psutil.Error):
                    words = process.cmdline()
                    self.commands.add(" ".join(words))
                    if self.is_cruel and "intake.child" in words and _held(scratch):
                        self._crash(process, scratch)
            for _ in range(LOOK_EVERY_MS // 10):
                await asyncio.sleep(0.01)
                if self.is_cruel and _held(scratch):
                    break

    def _crash(self, process: psutil.Process, scratch: Path) -> None:
        """Stop it, look at what lies about in the middle of a check, then have it die as by a fault of its own."""
        process.suspend()
        self.found += [f"scratch/{name}" for name in self._search.under(scratch)]
        process.send_signal(signal.SIGSEGV)
        process.resume()
        self.is_cruel = False
        self.crashed.set()


async def submitted(place: Town, file: Path) -> str:
    """Hand in a file by the command line; returns the job."""
    said = await place.gate.command("submit", str(file), "--party", party(0), "--max-invalid", "50", "--json")
    assert said.code == 0, said.err
    return str(said.json["job"])


async def until_empty(scratch: Path) -> None:
    """Wait until nothing is left in the scratch but the locks of those who take files in, which are empty."""
    while await asyncio.to_thread(_is_left, scratch):  # noqa: ASYNC110 - another process rings no bell
        await asyncio.sleep(0.05)


def _is_left(scratch: Path) -> bool:
    return _held(scratch) or any(path.name != "places" for path in scratch.iterdir())


def _held(scratch: Path) -> bool:
    return any(path.is_file() and path.stat().st_size for path in scratch.rglob("*"))


async def redis_contents(place: Town) -> AsyncIterator[bytes]:
    """Yield every key and its value, of all databases."""
    for database in range(4):
        url = must_run(place.parts.settings).redis_url
        async with aioredis.from_url(url, db=database) as client:
            async for key in client.scan_iter():
                yield bytes(key)
                yield bytes(await client.dump(key) or b"")


async def told(place: Town, job: str) -> AsyncIterator[tuple[str, bytes]]:
    """Yield what the gate tells whoever asks: pages and commands."""
    async with aiohttp.ClientSession() as session:
        for page in ("metrics", "healthz"):
            async with session.get(f"{place.gate.url}/{page}") as answer:
                yield page, await answer.read()
    for words in (("job", "show", job), ("notices",), ("audit",)):
        said = await place.gate.command(*words, "--json")
        yield " ".join(words), (said.out + said.err).encode()


@contextlib.asynccontextmanager
async def watched(watch: Watch) -> AsyncIterator[None]:
    """Watch until the block ends."""
    tasks = [asyncio.create_task(watch.monitor()), asyncio.create_task(watch.processes())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def where_found(folder: Path, environment: dict[str, str]) -> list[str]:
    """Run files with canaries through a gate, crash a check, and return where they were seen in clear."""
    inputs, rest = folder / "in", folder / "town"
    for each in (inputs, rest, rest / "tmp"):
        each.mkdir(parents=True)
    ids = (
        with_canaries(inputs / "a.csv", SENT, 2)[:SOUGHT]
        + with_canaries(inputs / "b.csv", CRASHED, 3)[-SOUGHT:]
    )
    search = Search([SURNAME, GIVEN, ROAD, *ids])
    plan = replace(PLAN, environment={"TMPDIR": str(rest / "tmp")} | environment)
    async with town(plan, rest) as place:
        watch = Watch(place, search)
        async with watched(watch):
            job = await submitted(place, inputs / "a.csv")
            [done] = await place.until_done([await place.parts.ledger.job(job)])
            assert (done.records.rejected > 0, done.invalid > 0) == (True, True)
            watch.is_cruel = True
            await submitted(place, inputs / "b.csv")
            async with asyncio.timeout(60):
                await watch.crashed.wait()
                await until_empty(place.parts.settings.home / "scratch")
        found = watch.found + [name async for name, text in told(place, job) if search.found_in(text)]
        found += ["passing by"] * search.found_in(bytes(watch.seen))
        found += [name for name in watch.commands if search.found_in(name.encode())]
        found += ["redis" async for each in redis_contents(place) if search.found_in(each)]
        found += search.under(rest)
        assert b"EVALSHA" in watch.seen.upper()
    return found + search.under(rest)


async def test_names_and_numbers_are_found_nowhere_in_clear(place: Path) -> None:
    """Redis, ledger, spool, scratch, logs, metrics, notices, commands' output, process list, temporary folders; also after a crash."""
    assert await where_found(place, {}) == []


async def test_the_same_search_catches_a_gate_that_does_not_seal(place: Path) -> None:
    """Else it would prove nothing."""
    clear = place / "clear"
    clear.mkdir()
    (clear / "sitecustomize.py").write_text(CLEAR, "utf-8")
    path = os.pathsep.join([str(clear), str(Path.cwd())])
    found = await where_found(place, {"PYTHONPATH": path})
    assert "home/ledger.db" in found
    assert any(name.startswith("home/spool/") for name in found)


@pytest.mark.parametrize("disguise", disguises(SURNAME))
def test_the_search_sees_through(disguise: str) -> None:
    """Each disguise by itself, of a name and of a number."""
    for word in (SURNAME, "0000294751483"):
        search = Search([word])
        assert search.found_in(disguises(word)[disguise])
        assert not search.found_in(disguises("somebody else of no interest")[disguise])
