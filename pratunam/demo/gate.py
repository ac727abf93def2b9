"""Runs the two programs of the demo as a stranger would: the registrar and the gate, each a process of its own."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from domain.errors import PratunamError

_READY_WITHIN_S = 60.0
_STOP_WITHIN_S = 30.0


@asynccontextmanager
async def program(
    arguments: Sequence[str], log: Path, more: Mapping[str, str] | None = None
) -> AsyncIterator[str]:
    """Run `pratunam ARGUMENTS` until the block ends; yields the address of its line `ready URL`."""
    with log.open("ab") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "pratunam.cli",
            *arguments,
            env=os.environ | (more or {}),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
        )
    try:
        yield await _ready_url(process, arguments[0], log)
    finally:
        await _end(process)


async def _ready_url(process: asyncio.subprocess.Process, name: str, log: Path) -> str:
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _READY_WITHIN_S)
    except TimeoutError:
        line = b""
    word, _, url = line.decode().strip().partition(" ")
    if word != "ready":
        raise PratunamError(
            f"`pratunam {name}` did not start.",
            message_th=f"`pratunam {name}` ไม่เริ่มทำงาน",
            remedy_en=f"Its words are in {log}.",
            remedy_th=f"ดูข้อความใน {log}",
        )
    return url


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), _STOP_WITHIN_S)
    except TimeoutError:
        process.kill()
        await process.wait()
