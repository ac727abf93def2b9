"""The one wrapper round every loop: run a round, sleep as long as it says, wake early when rung, survive a failing round."""

import asyncio
from collections.abc import Awaitable, Callable

from domain.events import Emit, LoopFailed


class Loop:
    """Runs `run_once` until stopped, in a task of its own. `run_once` returns the seconds to sleep; `wake` cuts a sleep short."""

    #: seconds to sleep after a round that raised
    AFTER_FAILURE_S = 1.0

    def __init__(
        self, name: str, run_once: Callable[[], Awaitable[float]], emit: Emit, soonest_s: float = 0.0
    ) -> None:
        """Name the loop for its events and its task; nothing runs yet. However often it is woken, rounds begin `soonest_s` apart."""
        self._name = name
        self._soonest_s = soonest_s
        self._run_once = run_once
        self._emit = emit
        self._rung = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Have the next round begin now."""
        self._rung.set()

    def start(self) -> None:
        """Run rounds beside whoever calls; a second call changes nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self.run(), name=self._name)

    async def stop(self) -> None:
        """Begin no other round, and wait until the present one has ended."""
        self._stopping = True
        self._rung.set()
        if self._task is not None:
            await self._task

    async def run(self) -> None:
        """Run rounds until `stop`, in the task of whoever calls."""
        clock = asyncio.get_running_loop().time
        while not self._stopping:
            begun_at = clock()
            sleep_s = await self._round()
            if not self._stopping:
                await self._rest(sleep_s)
            too_soon_s = begun_at + self._soonest_s - clock()
            if too_soon_s > 0 and not self._stopping:
                await asyncio.sleep(too_soon_s)

    async def _round(self) -> float:
        self._rung.clear()
        try:
            return await self._run_once()
        except Exception as error:  # noqa: BLE001 -- one failing round must not end a loop that others hang on
            self._emit(LoopFailed(loop=self._name, error=type(error).__name__))
            return self.AFTER_FAILURE_S

    async def _rest(self, sleep_s: float) -> None:
        # a timer that rings: `wait_for` makes a task each time, and some loops turn fifty times a second
        timer = asyncio.get_running_loop().call_later(max(0.0, sleep_s), self._rung.set)
        try:
            await self._rung.wait()
        finally:
            timer.cancel()
