"""How many files one machine takes in at once: each is a child process of its own, and two hundred of them would need all its memory.

Places are locks on files, so that they hold between processes and end with them. No party has more than half of the places, however
many files it hands in at once. Whoever finds none waits a while, and is then told when to come back. It must not look into files.
"""

import asyncio
import hashlib
import os
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from domain.errors import Busy
from ledger.turnstile import taken_at_once

#: between two looks whether a place is free (s), before jitter
LOOK_S = 0.1


@asynccontextmanager
async def a_place(folder: Path, party: str, places: int, wait_s: float) -> AsyncIterator[None]:
    """Hold one of the machine's places for as long as the block runs; raises Busy when none was free for `wait_s`."""
    await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    own, most = hashlib.sha256(party.encode()).hexdigest()[:16], (places + 1) // 2
    until = asyncio.get_running_loop().time() + wait_s
    async with (
        _one_of([folder / f"{own}.{number}" for number in range(most)], until, _party_full(party, most)),
        _one_of([folder / f"any.{number}" for number in range(places)], until, _gate_full(places)),
    ):
        yield


@asynccontextmanager
async def _one_of(files: list[Path], until: float, refusal: Busy) -> AsyncIterator[None]:
    with _opened(files) as handles:
        while not any(map(taken_at_once, handles)):
            if asyncio.get_running_loop().time() >= until:
                raise refusal
            await asyncio.sleep(LOOK_S * random.uniform(0.5, 1.5))  # noqa: S311 - spreads looks, guards nothing
        yield


@contextmanager
def _opened(files: list[Path]) -> Iterator[list[int]]:
    """Open the files and close them at the end: a lock ends with its handle."""
    handles: list[int] = []
    try:
        for file in files:
            handles.append(os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        yield handles
    finally:
        for handle in handles:
            os.close(handle)


def _party_full(party: str, most: int) -> Busy:
    return _crowded(
        f"{party} has as many files being taken in as it may have at once ({most}).",
        f"ขณะนี้ระบบกำลังรับแฟ้มของ {party} ครบจำนวนที่รับพร้อมกันได้แล้ว ({most})",
    )


def _gate_full(places: int) -> Busy:
    return _crowded(
        f"The gate is taking in as many files as it can at once ({places}).",
        f"ขณะนี้ระบบกำลังรับแฟ้มครบจำนวนที่รับพร้อมกันได้แล้ว ({places})",
    )


def _crowded(en: str, th: str) -> Busy:
    again_ms = random.randint(30_000, 90_000)  # noqa: S311 - not all come back at once
    seconds = round(again_ms / 1000)
    return Busy(
        f"{en} Nothing was taken in.",
        retry_after_ms=again_ms,
        message_th=f"{th} ระบบยังไม่ได้รับแฟ้มนี้",
        remedy_en=f"Submit it again in {seconds} s.",
        remedy_th=f"โปรดส่งใหม่ในอีก {seconds} วินาที",
    )
