"""Answers of one connection that are due later: one queue and one task, no timer a record.

It must not reorder or drop what it was given.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from registrar.clock import NS_PER_S

Write = Callable[[bytes], Awaitable[None]]


class Outbox:
    """Writes each item when it is due; items that are due together go out joined."""

    def __init__(self, write: Write, now_ns: Callable[[], int]) -> None:
        self._write = write
        self._now_ns = now_ns
        self._queue: deque[tuple[int, bytes, int]] = deque()
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._last_due_ns = 0
        self.waiting = 0  # records whose answers are in the queue

    async def put(self, answers: bytes, records: int, due_ns: int) -> None:
        """Write now if it is due and nothing waits before it, else queue it."""
        if not self._queue and due_ns <= self._now_ns():
            await self._write(answers)
            return
        self._last_due_ns = max(self._last_due_ns, due_ns)
        self._queue.append((self._last_due_ns, answers, records))
        self.waiting += records
        self._empty.clear()
        self._filled.set()

    async def run(self) -> None:
        """Write for ever; ends when cancelled or when the connection is gone."""
        while True:
            await self._filled.wait()
            wait_ns = self._queue[0][0] - self._now_ns()
            if wait_ns > 0:
                await asyncio.sleep(wait_ns / NS_PER_S)
            await self._write_due()

    async def _write_due(self) -> None:
        now_ns = self._now_ns()
        due: list[bytes] = []
        while self._queue and self._queue[0][0] <= now_ns:
            _, answers, records = self._queue.popleft()
            due.append(answers)
            self.waiting -= records
        if due:
            await self._write(b"".join(due))
        if not self._queue:
            self._filled.clear()
            self._empty.set()

    async def emptied(self) -> None:
        """Wait until everything has been written."""
        await self._empty.wait()
