"""Answers that are due later: one queue, one task, in order."""

import asyncio

from registrar.outbox import Outbox
from tests.registrar.wire import ManualClock

MS = 1_000_000


async def test_what_is_due_goes_out_at_once_when_nothing_waits() -> None:
    """Without a service time there is no queue."""
    written: list[bytes] = []

    async def write(data: bytes) -> None:
        written.append(data)

    await Outbox(write, ManualClock().mono_ns).put(b"a", 1, 0)
    assert written == [b"a"]


async def test_order_is_kept_and_what_is_due_together_is_written_together() -> None:
    """An answer that is due earlier than the one before it waits for it; nothing is lost."""
    clock, written = ManualClock(), []

    async def write(data: bytes) -> None:
        written.append(data)

    outbox = Outbox(write, clock.mono_ns)
    await outbox.put(b"a", 1, 20 * MS)
    await outbox.put(b"b", 2, 10 * MS)
    await outbox.put(b"c", 1, 0)
    assert (written, outbox.waiting) == ([], 4)
    clock.move(20)
    task = asyncio.create_task(outbox.run())
    await outbox.emptied()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (written, outbox.waiting) == ([b"abc"], 0)
