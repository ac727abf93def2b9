"""Starts the limited child, speaks with it, and sees it to its end; what it prints is never read."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec

from domain.errors import BadFile, PratunamError
from intake.frames import (
    HEAD_BYTES,
    MOST_BYTES,
    AnyMessage,
    Crash,
    Go,
    Limits,
    Look,
    Message,
    Piece,
    Refusal,
    pack,
    unpack,
)

#: bytes read ahead from the child while the parent seals and commits
READ_AHEAD = 16 << 20
_ROOT = Path(__file__).resolve().parents[1]


class ChildDied(PratunamError):
    """The process that reads files ended without a result."""

    code = "child-died"

    def __init__(self, kind: str, where: tuple[str, ...] = ()) -> None:
        """Keep the class of the failure and the lines of code, never a text from inside."""
        super().__init__(f"The process that reads files ended without a result ({kind}).")
        self.kind = kind
        self.where = where

    @property
    def reason(self) -> str:
        """Return the class of the failure and the line of code that it came from, where that is known."""
        return f"{self.kind} at {self.where[-1]}" if self.where else self.kind


class Keeper:
    """One child and its two pipes; `kill` ends it, `wait` returns its exit status."""

    def __init__(
        self,
        to: asyncio.StreamWriter,
        from_: asyncio.StreamReader,
        kill: Callable[[], None],
        wait: Callable[[], Awaitable[int]],
        pid: int = 0,
    ) -> None:
        """Take a started child."""
        self.pid = pid
        self._to = to
        self._from = from_
        self._kill = kill
        self._wait = wait
        # the source waits while a look is: the child would have to keep what comes before it may go on
        self._may_go_on = asyncio.Event()
        self._may_go_on.set()

    async def say(self, message: Message) -> None:
        """Send one frame, a piece of the source not before the child's look is answered; raises ChildDied."""
        if isinstance(message, Piece):
            await self._may_go_on.wait()
        elif isinstance(message, Go):
            self._may_go_on.set()
        try:
            self._to.write(pack(message))
            await self._to.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise ChildDied("pipe") from None

    async def hear(self) -> AnyMessage:
        """Return the child's next message; raises BadFile for a refusal, ChildDied for an end without one."""
        try:
            size = int.from_bytes(await self._from.readexactly(HEAD_BYTES), "big")
            if size > MOST_BYTES:
                raise ChildDied("frame")
            message = unpack(await self._from.readexactly(size))
        except asyncio.IncompleteReadError:
            raise ChildDied(f"exit {await self._wait()}") from None
        except (msgspec.DecodeError, ConnectionResetError):
            raise ChildDied("frame") from None
        if isinstance(message, Refusal):
            raise BadFile(
                message.message_en,
                message_th=message.message_th,
                remedy_en=message.remedy_en,
                remedy_th=message.remedy_th,
            )
        if isinstance(message, Crash):
            raise ChildDied(message.kind, message.where)
        if isinstance(message, Look):
            self._may_go_on.clear()
        return message

    async def end(self) -> None:
        """Kill the child if it still runs, and wait for it."""
        self._to.close()
        self._kill()
        await self._wait()


@contextlib.asynccontextmanager
async def keep_child(limits: Limits, *, stderr: int = asyncio.subprocess.DEVNULL) -> AsyncIterator[Keeper]:
    """Start a limited child with a bare environment (accounts' secrets stand in ours), and end it on the way out."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-m", "intake.child", str(limits.memory), str(limits.cpu_s), str(os.getpid())),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
        env={
            "PYTHONPATH": str(_ROOT),
            "POLARS_MAX_THREADS": "2",
            "LANG": "C.UTF-8",
            "MALLOC_ARENA_MAX": "2",
            "_RJEM_MALLOC_CONF": "dirty_decay_ms:-1,muzzy_decay_ms:-1,narenas:1",
            "MALLOC_TRIM_THRESHOLD_": "268435456",
            "MALLOC_MMAP_THRESHOLD_": "268435456",
        },
        limit=READ_AHEAD,
    )
    assert process.stdin is not None and process.stdout is not None  # noqa: PT018 - both were asked for

    def kill() -> None:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    keeper = Keeper(process.stdin, process.stdout, kill, process.wait, process.pid)
    try:
        yield keeper
    finally:
        await asyncio.shield(keeper.end())


StartChild = Callable[[Limits], contextlib.AbstractAsyncContextManager[Keeper]]
