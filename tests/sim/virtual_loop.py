"""An event loop on a virtual clock: nothing waits, time jumps to the next timer, and what is due runs in an order drawn from the seed.

Every callback belongs to a `Place`, a simulated process. What belongs to a dead place never runs again, which is what a `kill -9` looks
like from inside; what belongs to a frozen one runs once it thaws, as after SIGSTOP and SIGCONT. It must do no real input or output.
"""

import asyncio
import heapq
import random
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from typing import Any, TypeVarTuple, Unpack

_Given = TypeVarTuple("_Given")


class Place:
    """One simulated process: dead for good, or frozen until a virtual instant (s)."""

    def __init__(self, name: str) -> None:
        """Alive and well."""
        self.name = name
        self.is_dead = False
        self.frozen_until = 0.0

    def __repr__(self) -> str:
        """Return the name."""
        return self.name


PLACE: ContextVar[Place | None] = ContextVar("place", default=None)


class NumberedTask(asyncio.Task[Any]):
    """A task whose hash is its number: sets of tasks are then walked in the same order in every run."""

    def __init__(self, number: int, coroutine: Coroutine[Any, Any, Any], **rest: Any) -> None:
        """Take the number."""
        self._number = number
        super().__init__(coroutine, **rest)

    def __hash__(self) -> int:
        """Return the number."""
        return self._number

    def __eq__(self, other: object) -> bool:
        """Be equal to itself only."""
        return self is other


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs until told to stop; `time()` is virtual seconds."""

    def __init__(self, rng: random.Random) -> None:
        """Begin at a thousand seconds: nothing takes 0 for never."""
        super().__init__()
        self._virtual_s = 1_000.0
        self._ready = _Queue()  # in place of the base class's own, which keeps an order
        self._rng = rng
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._frozen: list[tuple[float, int, asyncio.Handle]] = []
        self._count = 0
        self._timed = 0
        self.steps = 0
        self.tasks: list[NumberedTask] = []
        self.troubles: list[str] = []
        #: called after every step that a place has made
        self.after_step: Callable[[Place], None] | None = None
        self.set_task_factory(self._make_task)
        self.set_exception_handler(lambda _, told: self.troubles.append(repr(told.get("exception"))))

    def time(self) -> float:
        """Return virtual seconds."""
        return self._virtual_s

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[_Given]], object],
        *args: *_Given,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call at a virtual instant; kept as tuples, which compare faster than handles."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._timed += 1
        heapq.heappush(self._timers, (when, self._timed, handle))
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[_Given]], object],
        *args: *_Given,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call after so many virtual seconds."""
        return self.call_at(self._virtual_s + delay, callback, *args, context=context)

    def call_outside(self, delay_s: float, callback: Callable[..., object], *arguments: Any) -> None:
        """Call later as the world itself, whatever becomes of the place that asks."""
        self.call_later(delay_s, callback, *arguments, context=Context())

    def begin_in(self, place: Place, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Begin a task in a place, unless it is dead."""
        context = Context()
        context.run(PLACE.set, place)
        self.call_soon(lambda: self.create_task(work()), context=context)

    def bury(self) -> None:
        """Close what the dead left behind, so that nothing of it is heard of later."""
        # whoever gathers on its way out would make a loop of its own, which nobody closes
        asyncio._set_running_loop(self)
        try:
            for task in self.tasks:
                if task.done():
                    continue
                # the attribute silences asyncio's word about tasks that are dropped while pending: here that is the point
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own attribute, without a stub
                _close(task.get_coro())
        finally:
            asyncio._set_running_loop(None)
        self.tasks.clear()

    def _make_task(
        self, loop: asyncio.AbstractEventLoop, coroutine: Any, context: Context | None = None
    ) -> NumberedTask:
        self._count += 1
        task = NumberedTask(self._count, coroutine, loop=loop, context=context)
        self.tasks.append(task)
        if self._count % 2_000 == 0:
            self.tasks = [one for one in self.tasks if not one.done()]
        return task

    def _run_once(self) -> None:
        """Run one callback that is due; where none is, let time jump to the next."""
        ready = self._ready
        self._collect(ready)
        if not ready:
            return
        handle = ready.pick(self._rng)
        if handle._cancelled:
            return
        place = handle._context.get(PLACE)
        if place is not None:
            if place.is_dead:
                return
            if place.frozen_until > self._virtual_s:
                self.steps += 1
                heapq.heappush(self._frozen, (place.frozen_until, self.steps, handle))
                return
        self.steps += 1
        handle._run()
        if place is not None and self.after_step is not None:
            self.after_step(place)

    def _collect(self, ready: "_Queue") -> None:
        timers, frozen = self._timers, self._frozen
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)
        if not ready:
            due = timers[0][0] if timers else frozen[0][0] if frozen else None
            if due is None:
                raise RuntimeError("the simulated world stands still: nothing is due, ever")
            if frozen and frozen[0][0] < due:
                due = frozen[0][0]
            self._virtual_s = max(self._virtual_s, due)
        now = self._virtual_s
        while timers and timers[0][0] <= now:
            handle = heapq.heappop(timers)[2]
            if not handle._cancelled:
                ready.append(handle)
        while frozen and frozen[0][0] <= now:
            ready.append(heapq.heappop(frozen)[2])

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Nothing: cancelled timers are passed over when they come up."""

    def _write_to_self(self) -> None:
        """Nobody sleeps, so nobody is woken."""

    def _process_events(self, event_list: list[Any]) -> None:
        """There are no sockets."""


class _Queue(list[Any]):
    """What is due, in no order."""

    def pick(self, rng: random.Random) -> Any:
        """Take one by chance."""
        last = self.pop()
        if not self:
            return last
        at = rng.getrandbits(16) % (len(self) + 1)
        if at == len(self):
            return last
        taken, self[at] = self[at], last
        return taken


def _close(coroutine: Any) -> None:
    for _ in range(50):
        try:
            coroutine.close()
        except RuntimeError:  # it awaited once more on its way out
            continue
        except BaseException:  # noqa: BLE001 - whatever a dead process's last words are, nobody hears them
            return
        return
