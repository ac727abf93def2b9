"""`pratunam up`: the whole gate on one machine, in one terminal: an embedded Redis, the scheduler, the workers.

Story: 1. one lock a home; 2. the home is made or opened, a first policy applied; 3. the server starts; 4. children start and are
kept alive; 5. `ready URL` is printed once all are ready; 6. SIGTERM or Ctrl-C stops children first, the server last.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress

import structlog

from domain.clock import SystemClock
from domain.errors import Conflict, PratunamError
from domain.jobs import By
from metrics.gather import serve_gathered
from metrics.logs import configure_logs
from pratunam.child import forget_ready, ready_children, stop_on_signals
from pratunam.embedded import EmbeddedServer
from pratunam.given_server import check_server_at
from pratunam.parts import make_home_folder, open_parts
from pratunam.policy.apply import ApplyRequest, apply_policy
from pratunam.running import Running, forget_running, note_running
from pratunam.settings import Settings
from pratunam.standstill import alone
from pratunam.supervise import ChildPlan, Supervisor

_log = structlog.get_logger("up")
_LOOK_EVERY_S = 0.1


async def run_up(settings: Settings, first_policy: str | None, ready: Callable[[str], None]) -> None:
    """Run everything until told to stop; `ready` is called with the address of metrics and /healthz."""
    configure_logs(settings.log_level, settings.log_format, "up")
    with _one_at_a_time(settings):
        forget_running(settings)
        forget_ready(settings)
        await _open_home(settings, first_policy)
        stopping = stop_on_signals()
        async with AsyncExitStack() as stack:
            redis_url = await stack.enter_async_context(_server(settings, stopping))
            url = await stack.enter_async_context(
                serve_gathered(
                    lambda: ready_children(settings),
                    names_of_children(settings),
                    settings.host,
                    settings.port,
                )
            )
            note_running(settings, Running(os.getpid(), redis_url, url, SystemClock().now()))
            stack.callback(forget_running, settings)
            await _supervise(settings, redis_url, stopping, lambda: ready(url))


async def _supervise(
    settings: Settings, redis_url: str, stopping: asyncio.Event, ready: Callable[[], None]
) -> None:
    supervisor = Supervisor(
        _plans(settings, redis_url), lambda name, what: _log.info("child", child=name, what=what)
    )
    children = asyncio.create_task(supervisor.run())
    watch = asyncio.create_task(_tell_when_ready(settings, ready))
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait({stopped, children}, return_when=asyncio.FIRST_COMPLETED)
    _log.info("stopping")
    watch.cancel()
    stopped.cancel()
    supervisor.stop()
    await children


async def _tell_when_ready(settings: Settings, ready: Callable[[], None]) -> None:
    wanted = set(names_of_children(settings))
    while not wanted <= set(ready_children(settings)):  # noqa: ASYNC110 -- other processes' files ring no bell
        await asyncio.sleep(_LOOK_EVERY_S)
    ready()


def names_of_children(settings: Settings) -> list[str]:
    """Return the names of the processes that `up` keeps alive."""
    return ["scheduler", *(f"worker-{number}" for number in range(1, settings.worker_processes + 1))]


def _plans(settings: Settings, redis_url: str) -> list[ChildPlan]:
    environment = os.environ | {
        "PRATUNAM_HOME": str(settings.home),
        "PRATUNAM_MASTER_KEY_FILE": str(settings.master_key_path),
        "PRATUNAM_REDIS_URL": redis_url,
        "PRATUNAM_PORT": "0",  # one page for all is served here; each child's own takes a free port
    }
    python = [sys.executable, "-m", "pratunam.cli"]
    return [
        ChildPlan(name, [*python, name.partition("-")[0], "--name", name], environment)
        for name in names_of_children(settings)
    ]


async def _open_home(settings: Settings, first_policy: str | None) -> None:
    """Make or open the home; a home with a policy keeps its own and says so."""
    fresh_key = not settings.master_key_path.exists()
    async with open_parts(settings) as parts:
        if fresh_key:
            _log.info(
                "made the master key; keep a copy of it in a safe place", file=str(settings.master_key_path)
            )
        if first_policy is None:
            return
        if await parts.ledger.policy_history():
            _log.info("this home has a policy and keeps it; change it with `pratunam policy apply`")
            return
        request = ApplyRequest(first_policy, "the first policy of this home", "up")
        applied = await apply_policy(parts.ledger, request, By("up", "cli"), parts.clock.now())
        _log.info("applied the policy", version=applied.version.version)
        for each in applied.warnings:
            _log.warning("the policy", line=each.line, name=each.name, what=each.message_en)


@asynccontextmanager
async def _server(settings: Settings, stopping: asyncio.Event) -> AsyncIterator[str]:
    """Start the embedded server and keep it alive, or use the one that was set."""
    if settings.redis_url:
        await check_server_at(settings.redis_url)
        yield settings.redis_url
        return
    server = EmbeddedServer(settings.run_folder)
    url = await server.start()
    keeper = asyncio.create_task(_keep_alive(server, url, stopping))
    try:
        yield url
    finally:
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper
        await server.stop()


async def _keep_alive(server: EmbeddedServer, url: str, stopping: asyncio.Event) -> None:
    while True:
        code = await server.ended()
        if stopping.is_set():
            return
        _log.warning("the embedded server ended by itself; starting it again, empty", code=code)
        try:
            new_url = await server.start()
        except PratunamError as error:
            _log.error("the embedded server does not start", why=str(error))
            stopping.set()
            return
        if new_url != url:  # only on a loopback port that somebody else has taken meanwhile
            _log.error("the embedded server came back at another address; stopping")
            stopping.set()
            return


@contextmanager
def _one_at_a_time(settings: Settings) -> Iterator[None]:
    make_home_folder(settings)
    refusal = Conflict(
        f"`pratunam up` already runs on {settings.home}.",
        message_th="ระบบทำงานอยู่แล้ว",
        remedy_en="Stop that one first, or choose another --home.",
        remedy_th="โปรดหยุดระบบเดิมก่อน หรือเลือก --home อื่น",
    )
    with alone(settings, refusal):
        yield
