"""What the parent's end of the pipes promises the child."""

import asyncio
import socket

from intake.frames import Go, Look, Piece, Pipes, pack
from intake.keeper import Keeper

LOOK = Look(1, "UTF-8", "comma", (), 1, ("a",), {}, (), (), (), (), "")


async def test_the_source_waits_until_a_look_is_answered() -> None:
    """However long the ledger takes: the child would have to keep what comes before it may go on."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)

    async def wait() -> int:
        return 0

    keeper = Keeper(writer, reader, lambda: None, wait)
    with theirs:
        child = Pipes(theirs.makefile("rb"), theirs.makefile("wb"))
        await keeper.say(Piece(b"first"))
        assert child.hear() == Piece(b"first")
        theirs.sendall(pack(LOOK))
        assert await keeper.hear() == LOOK
        await asyncio.gather(keeper.say(Piece(b"next")), keeper.say(Go("ADD", False)))
        assert [child.hear(), child.hear()] == [Go("ADD", False), Piece(b"next")]
        await keeper.end()
