"""Keeps child processes alive: starts them, starts a dead one again (slower each time it dies young), stops them politely.

A child dies with its supervisor (parent-death signal, set by the child itself through `die_with_parent`), so that a
`kill -9` of the supervisor leaves nothing running behind its back.
"""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

#: a child that lived so long (s) is started again at once when it dies; a younger one waits, twice as long each time
_SETTLED_S = 10.0
_FIRST_WAIT_S = 0.2
_LONGEST_WAIT_S = 5.0
_PR_SET_PDEATHSIG = 1
#: the variable by which a child knows its supervisor's process
PARENT = "SUPERVISED_BY"
#: a child's stray words go there: standard output carries the line `ready URL` alone
_STANDARD_ERROR = 2


@dataclass(frozen=True, slots=True)
class ChildPlan:
    """What to run: a name for the logs, the command, its environment, and how long (s) it may take to stop."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    grace_s: float = 20.0


class Supervisor:
    """Runs children until stopped; `tell(name, what)` is called for each start and each death."""

    def __init__(self, plans: Sequence[ChildPlan], tell: Callable[[str, str], None]) -> None:
        """Keep the plans; nothing runs yet."""
        self._plans = plans
        self._tell = tell
        self._stopping = asyncio.Event()
        self._children: dict[str, asyncio.subprocess.Process] = {}

    async def run(self) -> None:
        """Run all children until `stop`; returns when every one has ended."""
        async with asyncio.TaskGroup() as group:
            for plan in self._plans:
                group.create_task(self._keep_alive(plan), name=plan.name)

    def stop(self) -> None:
        """Ask every child to end; those still there after their grace are killed."""
        self._stopping.set()

    def pids(self) -> dict[str, int]:
        """Return the children that run now, by name."""
        return {name: child.pid for name, child in self._children.items() if child.returncode is None}

    async def _keep_alive(self, plan: ChildPlan) -> None:
        wait_s = _FIRST_WAIT_S
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            began = loop.time()
            try:
                end = f"ended by itself ({_told(await self._run_once(plan))})"
            except OSError as error:  # nothing to be had for it now: the others are kept all the same
                end = f"could not be started ({error.strerror})"
            if self._stopping.is_set():
                return
            lived_s = loop.time() - began
            wait_s = _FIRST_WAIT_S if lived_s > _SETTLED_S else min(_LONGEST_WAIT_S, wait_s * 2)
            self._tell(plan.name, f"{end}; starting again in {wait_s:.1f} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait_s)

    async def _run_once(self, plan: ChildPlan) -> int:
        child = await asyncio.create_subprocess_exec(
            *plan.command,
            env=dict(plan.environment) | {PARENT: str(os.getpid())},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=_STANDARD_ERROR,
            start_new_session=True,
        )
        self._children[plan.name] = child
        self._tell(plan.name, f"started as process {child.pid}")
        ended = asyncio.create_task(child.wait())
        stopped = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not ended.done():
            await _end(child, plan.grace_s)
        return await ended


async def _end(child: asyncio.subprocess.Process, grace_s: float) -> None:
    with suppress(ProcessLookupError):
        child.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(child.wait(), grace_s)
    except TimeoutError:
        with suppress(ProcessLookupError):
            child.kill()


def _told(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def die_with_parent() -> None:
    """Have the kernel end this process when its parent dies (Linux; elsewhere nothing happens).

    A parent named by `PARENT` in the environment that died before the kernel was asked is noticed: this process ends at once.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        parent = os.environ.get(PARENT)
        if parent is not None and parent != str(os.getppid()):
            raise SystemExit(f"process {parent}, which started this one, is gone")
