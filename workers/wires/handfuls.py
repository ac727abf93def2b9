"""The reading end that all shapes share: handfuls of answers in a queue, and one End after which nothing comes."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from domain.wire import Answer, End


class Handfuls:
    """A queue of answers that ends once."""

    def __init__(self) -> None:
        """Begin empty."""
        self._queue: asyncio.Queue[Sequence[Answer] | End] = asyncio.Queue()
        self.ended = False

    def put(self, answers: Sequence[Answer]) -> None:
        """Add a handful."""
        if not self.ended:
            self._queue.put_nowait(answers)

    def end(self, end: End) -> None:
        """End, unless that has happened."""
        if not self.ended:
            self.ended = True
            self._queue.put_nowait(end)

    async def __call__(self) -> AsyncIterator[Sequence[Answer] | End]:
        """Yield handfuls as they come, and last the End."""
        while True:
            handful = await self._queue.get()
            yield handful
            if isinstance(handful, End):
                return
