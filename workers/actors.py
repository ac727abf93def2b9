"""The actors: what a message makes this process do. An actor takes ids, does its work once at most, and never raises.

A small file never waits behind a large one: they have queues and places of their own. Nor does a party's file wait behind the many of
another party: parties take turns.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import dramatiq

from domain.events import Emit, LoopFailed
from workers.broker import CHECKS_LARGE, CHECKS_SMALL, NOTICES, SESSIONS
from workers.slots import Slots

_T = TypeVar("_T")
#: files of each size that one process checks at once; each is a child process of its own
SMALL_AT_ONCE = 2
LARGE_AT_ONCE = 1
#: places for checks and notices beside the sessions
BESIDE_SESSIONS = SMALL_AT_ONCE + LARGE_AT_ONCE + 2


class Work(Protocol):
    """What the actors call."""

    async def look(self, job: str) -> tuple[str, bool]:
        """Return whose a job is, and whether its file is so large that small ones must not wait behind it."""
        ...

    async def check(self, job: str) -> None:
        """Check a job's file."""
        ...

    async def serve(self, registry: str, party: str) -> None:
        """Run a session of a party."""
        ...

    async def deliver(self, notice: str) -> None:
        """Deliver a notice by every channel that is due."""
        ...


class Actors:
    """Declares the actors on a broker; `ring_large` passes a large file on to its own queue."""

    def __init__(self, work: Work, sessions: int, ring_large: Callable[[str], None], emit: Emit) -> None:
        """Serve `sessions` sessions at once."""
        self._work = work
        self._emit = emit
        self._ring_large = ring_large
        self._small = Slots(SMALL_AT_ONCE)
        self._large = Slots(LARGE_AT_ONCE)
        self._free_sessions = sessions

    def declare(self, broker: dramatiq.Broker) -> None:
        """Make the actors known to the broker; sessions come first when threads are short."""
        for queue in (SESSIONS, NOTICES, CHECKS_SMALL, CHECKS_LARGE):
            broker.declare_queue(queue)
        actor = dramatiq.actor
        actor(actor_name="run_session", queue_name=SESSIONS, priority=0, broker=broker)(self.run_session)
        actor(actor_name="send_notice", queue_name=NOTICES, priority=1, broker=broker)(self.send_notice)
        actor(actor_name="check_job", queue_name=CHECKS_SMALL, priority=2, broker=broker)(self.check_job)
        actor(actor_name="check_large_job", queue_name=CHECKS_LARGE, priority=3, broker=broker)(
            self.check_large_job
        )

    async def check_job(self, job: str) -> None:
        """Check a file, or pass it on when it is large."""
        if self._small.knows(job) or self._large.knows(job):  # rung again while it waits
            return
        found = await self._safely("check_job", self._work.look(job))
        party, is_large = found or ("", False)
        if is_large:
            self._ring_large(job)
            return
        await self._in_turn(self._small, job, party)

    async def check_large_job(self, job: str) -> None:
        """Check a large file."""
        if self._large.knows(job):
            return
        found = await self._safely("check_job", self._work.look(job))
        await self._in_turn(self._large, job, found[0] if found else "")

    async def run_session(self, registry: str, party: str) -> None:
        """Run one session; a wish that comes while all places are taken is dropped: the scheduler wishes again."""
        if self._free_sessions <= 0:
            return
        self._free_sessions -= 1
        try:
            await self._safely("run_session", self._work.serve(registry, party))
        finally:
            self._free_sessions += 1

    async def send_notice(self, notice: str) -> None:
        """Deliver a notice."""
        await self._safely("send_notice", self._work.deliver(notice))

    async def _in_turn(self, slots: Slots, job: str, party: str) -> None:
        """Check a file when there is a place, and after it those that came meanwhile."""
        if not slots.enter(job, party):
            return
        following: str | None = job
        while following is not None:
            present = following
            try:
                await self._safely("check_job", self._work.check(present))
            finally:
                following = slots.leave(present)

    async def _safely(self, actor: str, work: Awaitable[_T]) -> _T | None:
        try:
            return await work
        except Exception as error:  # noqa: BLE001 - an actor that raises would put a traceback with its arguments into the broker
            self._emit(LoopFailed(loop=actor, error=type(error).__name__))
            return None
