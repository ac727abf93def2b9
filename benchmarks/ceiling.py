"""Ceiling: limits lifted, one worker process, from sealed slices to settled outcomes, against a bare aiohttp client on the same registrar.

The bare client keeps nothing: it logs in, sends ready-made lines, reads the answers, and forgets. Rounds of both are interleaved.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiohttp
import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.figures import write_json
from benchmarks.town import REGISTRY, Town, TownPlan, party, town, write_members

RECORDS, ACCOUNTS, ROUNDS = 60_000, 4, 3
#: lines in one request of the bare batch client, and in one handful of the bare stream client
BATCH = 100
NO_LIMIT = 1_000_000


async def main(console: Console) -> None:
    """Run both shapes and print the table."""
    found = [each for shape in ("stream", "batch") for each in await measure(shape)]
    table = Table(
        "shape", "gate records/s", "bare client records/s", "ratio", "gate CPU s per 1,000", box=None
    )
    for each in found:
        table.add_row(
            each["shape"],
            f"{each['gate']:,.0f}",
            f"{each['bare']:,.0f}",
            f"{each['ratio']:.3f}",
            f"{each['cpu']:.4f}",
        )
    console.print(table)
    write_json("ceiling", {"rounds": found})


async def measure(shape: str) -> list[dict[str, Any]]:
    """Run `ROUNDS` rounds in one shape: each the gate, then the bare client."""
    plan = TownPlan(
        [ACCOUNTS] * ROUNDS + [ACCOUNTS],
        [RECORDS] * ROUNDS,
        NO_LIMIT,
        NO_LIMIT,
        NO_LIMIT,
        NO_LIMIT,
        service_ms=0,
        shape=shape,
        judged=False,
        extra_policy="batch = 100",
    )
    found = []
    async with town(plan) as place:
        for number in range(ROUNDS):
            gate, cpu = await _gate(place, number)
            bare = await _bare(place, shape, number)
            found.append({"shape": shape, "gate": gate, "bare": bare, "ratio": gate / bare, "cpu": cpu})
    return found


async def _gate(place: Town, number: int) -> tuple[float, float]:
    """Send one party's file through the gate; returns records/s from first arrival to last durable outcome, and CPU s per 1,000.

    Both instants are read afterwards, in the registrar's log and in the ledger: whoever asks meanwhile is in the way, and late.
    """
    await place.hold(on=True)
    file = write_members(place.folder, f"{party(number)}-{number}", RECORDS, number)
    jobs = await place.submit({party(number): file})
    await asyncio.sleep(3)
    before = place.cpu_s()
    await place.hold(on=False)
    [done] = await place.until_done(jobs)
    cpu_s = place.cpu_s() - before
    first_at = (await place.report())["parties"][party(number)]["first_at"]
    assert done.finished_at is not None
    took_s = (done.finished_at - first_at) / 1000
    return RECORDS / took_s, cpu_s / (RECORDS / 1000)


async def _bare(place: Town, shape: str, number: int) -> float:
    """Send as many records by bare requests under other accounts; returns records/s."""
    lines = [_line(number, index) for index in range(RECORDS)]
    parts = [lines[each::ACCOUNTS] for each in range(ACCOUNTS)]
    send = _stream if shape == "stream" else _batches
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        tokens = [await _log_in(session, place, each) for each in range(ACCOUNTS)]
        began = time.perf_counter()
        counts = await asyncio.gather(
            *(send(session, place.endpoint, token, part) for token, part in zip(tokens, parts, strict=True))
        )
        took = time.perf_counter() - began
    assert sum(counts) == RECORDS, counts
    return RECORDS / took


async def _log_in(session: aiohttp.ClientSession, place: Town, number: int) -> str:
    account = {"account": f"{party(ROUNDS)}-{number:02d}", "secret": "s"}
    async with session.post(f"{place.endpoint}/v1/sessions", json=account) as answer:
        return str((await answer.json())["session"])


async def _stream(session: aiohttp.ClientSession, endpoint: str, token: str, lines: Sequence[bytes]) -> int:
    async def handfuls() -> AsyncIterator[bytes]:
        for start in range(0, len(lines), BATCH):
            yield b"".join(lines[start : start + BATCH])

    url, headers = f"{endpoint}/v1/registries/{REGISTRY}/records", _headers(token)
    async with session.post(url, data=handfuls(), headers=headers) as answer:
        return sum([chunk.count(b'"accepted"') async for chunk in answer.content.iter_any()])


async def _batches(session: aiohttp.ClientSession, endpoint: str, token: str, lines: Sequence[bytes]) -> int:
    url, headers, count = f"{endpoint}/v1/registries/{REGISTRY}/records", _headers(token), 0
    for start in range(0, len(lines), BATCH):
        async with session.post(url, data=b"".join(lines[start : start + BATCH]), headers=headers) as answer:
            count += (await answer.read()).count(b'"accepted"')
    return count


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}


def _line(number: int, index: int) -> bytes:
    """Return a line as long as a real one (about 600 bytes)."""
    record = {
        "operation": "ADD",
        "national_id": f"0{number}{index:011d}",
        "member_no": f"B{number}{index}",
        "first_name": "สมชาย",
        "last_name": "ใจดี",
        "house_no": "99/1",
        "tambon": "บางรัก",
        "amphoe": "บางรัก",
        "province": "กรุงเทพมหานคร",
        "postcode": "10500",
        "birth_date": "1985-02-00",
        "applied_date": "2025-01-31",
        "approved_date": "2025-02-02",
        "receipt_no": f"R{index}",
        "padding": "x" * 120,
    }
    return msgspec.json.encode({"key": f"bare{number}-{index}", "record": record}) + b"\n"
