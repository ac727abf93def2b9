"""The child that reads files as a thread of the test: the same words over a real socket pair, without the start of a process.

That the real process says the same, keeps its limits and leaves nothing is shown in `test_child.py`, `test_hostile_files.py`,
`test_privacy.py`, and from end to end.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

from intake.frames import Limits, Pipes
from intake.keeper import READ_AHEAD, Keeper
from intake.serve import serve_over


@contextlib.asynccontextmanager
async def thread_child(limits: Limits) -> AsyncIterator[Keeper]:
    """A child that is a thread: the same words over a real socket pair, without the second that a process takes to start."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours, limit=READ_AHEAD)
    pipes = Pipes(theirs.makefile("rb"), theirs.makefile("wb"))
    thread = asyncio.create_task(asyncio.to_thread(_serve, pipes, theirs))

    async def wait() -> int:
        await thread
        return 0

    keeper = Keeper(writer, reader, lambda: None, wait)
    try:
        yield keeper
    finally:
        await keeper.end()


def _serve(pipes: Pipes, sock: socket.socket) -> None:
    try:
        serve_over(pipes)
    finally:
        with contextlib.suppress(OSError):
            # what the parent still sends is read away: a socket that is closed over unread bytes would lose our last words
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(1 << 20):
                continue
        sock.close()
