"""Waiting for what happens elsewhere (in another task, at the other end of a socket), with an end to the patience."""

import asyncio
from collections.abc import Awaitable, Callable

#: how long anything may take on a busy machine (s)
WAIT_S = 20


async def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds; raises TimeoutError."""
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110 - the other side is a real server or loop that signals nothing
            await asyncio.sleep(0.002)


async def until_told(question: Callable[[], Awaitable[object]]) -> None:
    """Wait until the other side answers a question with something true; raises TimeoutError."""
    async with asyncio.timeout(2 * WAIT_S):
        while not await question():  # noqa: ASYNC110 - the other side is a real server that signals nothing
            await asyncio.sleep(0.05)
