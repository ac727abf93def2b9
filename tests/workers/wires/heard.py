"""What an upload says, as a test reads it: one handful after the other, and last the End."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from domain.wire import Answer, End, Upload


def heard(upload: Upload) -> AsyncIterator[Sequence[Answer] | End]:
    """Listen from now on; yields what is said as it comes."""
    said: asyncio.Queue[Sequence[Answer] | End] = asyncio.Queue()
    upload.listen(said.put_nowait)
    return _until_the_end(said)


async def _until_the_end(
    said: asyncio.Queue[Sequence[Answer] | End],
) -> AsyncIterator[Sequence[Answer] | End]:
    while True:
        handful = await said.get()
        yield handful
        if isinstance(handful, End):
            return
