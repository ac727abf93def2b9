"""Writes that wait together are committed together: one transaction, and one sync of the disk, for all that came while the last one ran.

Each verb stands behind a savepoint of its own: an answer of the ledger that is an error (`PratunamError`) takes back that verb alone.
Anything else that a verb raises takes the whole transaction back, and each is run again by itself, so that none suffers from its
neighbour. What fails in the transaction's own steps (its lock, its commit, what follows it) is told to all, and nothing is run again.
Whoever was cancelled before its turn changes nothing.
It must not know what the verbs do; they are plain functions over a connection, and have changed nothing when they are rolled back.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar, cast

from sqlalchemy import Connection

from domain.errors import PratunamError

T = TypeVar("T")
Verb = Callable[[Connection], Any]
#: runs a function over a connection in one transaction, committed when it returns
Transact = Callable[[Verb], Any]

#: verbs of one transaction, at most, and how long it may have been at work when it begins another (s): others of this machine wait
MOST = 16
LONG_S = 0.010


@dataclass(slots=True)
class Wish:
    """A verb that waits, and who waits for it."""

    verb: Verb
    told: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


@dataclass(frozen=True, slots=True)
class Refused:
    """What the ledger answered instead of a result."""

    error: BaseException


class Spoiled(Exception):
    """One verb of several failed in a way that its savepoint may not mend; nothing was committed."""


class GroupedWrites:
    """One thread that commits what waits, in the order in which it came."""

    def __init__(self, transact: Transact) -> None:
        """Start nothing until the first write."""
        self._transact = transact
        self._waiting: deque[Wish] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger-write")

    async def write(self, verb: Callable[[Connection], T]) -> T:
        """Run a verb; its transaction is committed when this returns."""
        loop = asyncio.get_running_loop()
        wish = Wish(verb, loop.create_future(), loop)
        self._waiting.append(wish)
        # not at once: the sessions that one tick of the pacer woke ask in the same step of the loop, and are committed together
        loop.call_soon(self._ask, wish)
        return cast("T", await wish.told)

    async def run(self, work: Callable[[], T]) -> T:
        """Run something between two transactions."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """End the thread, once it has done what was asked."""
        self._thread.shutdown()

    def _ask(self, wish: Wish) -> None:
        try:
            self._thread.submit(self._serve)
        except (
            RuntimeError
        ) as error:  # closed: what was asked before may still be under way, and must not take this along
            with suppress(ValueError):
                self._waiting.remove(wish)
                _tell(wish.told, Refused(error))

    def _serve(self) -> None:
        taken = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
        wishes = [
            wish for wish in taken if not wish.told.cancelled()
        ]  # nobody waits: nothing may be claimed for them
        if not wishes:  # or an earlier turn has served them
            return
        answers = self._answers(wishes)
        # Those that were not reached come first in the next turn, which each of them has asked for.
        self._waiting.extendleft(reversed(wishes[len(answers) :]))
        for wish, answer in zip(wishes, answers, strict=False):
            with suppress(RuntimeError):  # its loop is closed: nobody waits any more
                wish.loop.call_soon_threadsafe(_tell, wish.told, answer)

    def _answers(self, wishes: Sequence[Wish]) -> Sequence[Any]:
        if len(wishes) == 1:
            return [self._alone(wishes[0])]
        try:
            return cast("Sequence[Any]", self._transact(lambda connection: _together(connection, wishes)))
        except Spoiled:
            return [self._alone(wish) for wish in wishes]
        except BaseException as error:  # noqa: BLE001 - it is raised where the verbs are awaited
            return [Refused(error)] * len(wishes)

    def _alone(self, wish: Wish) -> Any:
        try:
            return self._transact(wish.verb)
        except BaseException as error:  # noqa: BLE001 - it is raised where the verb is awaited
            return Refused(error)


def _together(connection: Connection, wishes: Sequence[Wish]) -> Sequence[Any]:
    cursor = connection.connection.cursor()
    answers: list[Any] = []
    until = monotonic() + LONG_S
    for wish in wishes:
        if answers and monotonic() >= until:
            break
        cursor.execute("SAVEPOINT wish")
        try:
            answers.append(wish.verb(connection))
        except PratunamError as error:
            cursor.execute("ROLLBACK TO wish")
            answers.append(Refused(error))
        except Exception as error:
            raise Spoiled from error
        cursor.execute("RELEASE wish")
    return answers


def _tell(told: asyncio.Future[Any], answer: Any) -> None:
    if told.cancelled():
        return
    if isinstance(answer, Refused):
        told.set_exception(answer.error)
    else:
        told.set_result(answer)
