"""What an upload says, as a test reads it: one handful after the other, and last the End."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from domain.wire import Answer, End, Upload


def heard(upload: Upload, warnings: list[End] | None = None) -> AsyncIterator[Sequence[Answer] | End]:
    """Listen from now on; yields what is said as it comes. What is told ahead of the end goes to `warnings`."""
    said: asyncio.Queue[Sequence[Answer] | End] = asyncio.Queue()

    def hear(handful: Sequence[Answer] | End) -> None:
        if isinstance(handful, End) and not handful.is_last:
            (warnings if warnings is not None else []).append(handful)
        else:
            said.put_nowait(handful)

    upload.listen(hear)
    return _until_the_end(said)


async def _until_the_end(
    said: asyncio.Queue[Sequence[Answer] | End],
) -> AsyncIterator[Sequence[Answer] | End]:
    while True:
        handful = await said.get()
        yield handful
        if isinstance(handful, End):
            return
