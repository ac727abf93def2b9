"""The front door: routes, and ways to run the registrar in this process or as a command.

It must not decide anything: it wires.
"""

import asyncio
import contextlib
import copy
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from email.utils import formatdate
from pathlib import Path

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from registrar.answers import Pushback, encode, problem
from registrar.central import SWEEP_S, Central
from registrar.clock import Clock
from registrar.config import Config, ConfigError, default_config, load_config
from registrar.control import apply, decode_control
from registrar.record_doors import ask, post_records, put_record
from registrar.report import report
from registrar.session_doors import CENTRAL, load, log_in, log_out

#: A body may be this long before aiohttp itself refuses it, in bytes; the registry's own limit is lower.
MOST_BYTES = 64_000_000


def make_app(config: Config, clock: Clock | None = None) -> web.Application:
    """The registrar as an application."""
    app = web.Application(middlewares=[_problems], client_max_size=MOST_BYTES)
    app[CENTRAL] = Central(config, clock)
    app.router.add_post("/v1/sessions", log_in)
    app.router.add_delete("/v1/sessions/{session}", log_out)
    app.router.add_get("/v1/load", load)
    app.router.add_post("/v1/registries/{registry}/records", post_records)
    app.router.add_put("/v1/registries/{registry}/records/{key}", put_record)
    app.router.add_get("/v1/registries/{registry}/records/{key}", ask)
    app.router.add_get("/report", _report)
    app.router.add_get("/effects", _effects)
    if config.control:
        app.router.add_post("/control", _control)
    app.on_response_prepare.append(_own_date)
    app.cleanup_ctx.append(_sweeping)
    return app


@web.middleware
async def _problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPNotFound:
        return problem(Pushback("not-found"))
    except web.HTTPMethodNotAllowed:
        return problem(Pushback("not-offered"))
    except web.HTTPRequestEntityTooLarge:
        return problem(Pushback("too-large"))


async def _own_date(request: web.Request, response: web.StreamResponse) -> None:
    """The registrar's own clock stands in `Date`, right or wrong."""
    clock = request.app[CENTRAL].clock
    response.headers["Date"] = formatdate(clock.wall_us(clock.mono_ns()) // 1_000_000, usegmt=True)


async def _sweeping(app: web.Application) -> AsyncIterator[None]:
    async def sweep_for_ever() -> None:
        while True:
            app[CENTRAL].sweep()
            await asyncio.sleep(SWEEP_S)

    task = asyncio.create_task(sweep_for_ever())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    app[CENTRAL].log.close()


async def _report(request: web.Request) -> web.StreamResponse:
    """GET /report[?bins=WIDTH_MS]: what was seen; bins=0 leaves the bins out."""
    text = request.query.get("bins", "100")
    if not text.isascii() or not text.isdigit():
        return problem(Pushback("malformed", detail="bins is a width in milliseconds, or 0"))
    # In a thread: a long log must not hold up those who are being served.
    central = request.app[CENTRAL]
    return _json(await asyncio.to_thread(report, central, int(text), copy.copy(central.log)))


async def _effects(request: web.Request) -> web.StreamResponse:
    """GET /effects: for each registry and party, digest of the natural key → number of effects."""
    books = request.app[CENTRAL].books
    return _json(
        {
            name: {
                party: {f"{digest:016x}": count for digest, count in found.items()}
                for party, found in book.effects.items()
            }
            for name, book in books.items()
        }
    )


async def _control(request: web.Request) -> web.StreamResponse:
    """POST /control: see `control.Control`."""
    try:
        apply(request.app[CENTRAL], decode_control(await request.read()))
    except (msgspec.DecodeError, ConfigError, ValueError) as error:
        return problem(Pushback("malformed", detail=str(error)))
    return web.Response(status=204)


def _json(value: object) -> web.Response:
    return web.Response(body=encode(value), content_type="application/json")


@contextlib.asynccontextmanager
async def running(
    config: Config,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Clock | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[str]:
    """Serve in this process; yields the URL. Port 0 takes a free one."""
    runner = web.AppRunner(make_app(config, clock), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024, ssl_context=tls).start()
        scheme = "http" if tls is None else "https"
        yield f"{scheme}://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def serve(port: int, config_path: str | Path | None = None, host: str = "127.0.0.1") -> int:
    """Serve until SIGTERM or SIGINT; prints `ready URL` on standard output. Returns an exit code."""
    try:
        config = default_config() if config_path is None else load_config(Path(config_path))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return asyncio.run(_serve(config, port, host))


async def _serve(config: Config, port: int, host: str) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        async with running(config, host=host, port=port) as url:
            sys.stdout.write(f"ready {url}\n")
            sys.stdout.flush()
            await stop.wait()
    except OSError as error:
        sys.stderr.write(
            f"The registrar can't listen on {host}:{port} ({error.strerror}). Name a free port; 0 takes one.\n"
            f"นายทะเบียนจำลองเปิดพอร์ต {host}:{port} ไม่ได้ โปรดระบุพอร์ตที่ว่าง หรือ 0 เพื่อเลือกให้เอง\n"
        )
        return 1
    return 0
