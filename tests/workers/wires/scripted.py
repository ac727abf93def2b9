"""A small registrar that does what a test's script says, key by key; its own notebook says what arrived."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Script = Callable[[str], dict[str, Any]]


def accept(key: str) -> dict[str, Any]:
    """Accept whatever comes."""
    return {"key": key, "status": "accepted", "receipt": f"R-{key}"}


@dataclass
class Refusal:
    """A whole-request answer."""

    status: int
    problem: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Scripted:
    """The script and the notebook. A script's answer may carry `do`: reset, garbage, truncated, silence, nothing, or late (when let go)."""

    script: Script = accept
    refusal: Refusal | None = None
    login: Refusal | None = None
    login_body: dict[str, Any] | None = None
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    ask: Refusal | None = None
    load: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    arrived: list[str] = field(default_factory=list)
    #: keys asked about, each with how many lines had arrived before
    asked: list[tuple[str, int]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    logouts: list[str] = field(default_factory=list)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


def _refuse(refusal: Refusal) -> web.Response:
    if refusal.problem is None:
        return web.Response(status=refusal.status, body=refusal.body, headers=refusal.headers)
    return web.json_response(
        refusal.problem,
        status=refusal.status,
        headers=refusal.headers,
        content_type="application/problem+json",
    )


def _reset(request: web.Request) -> None:
    transport = request.transport
    assert transport is not None
    handle = transport.get_extra_info("socket")
    handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _app(server: Scripted) -> web.Application:
    async def log_in(request: web.Request) -> web.Response:
        body = await request.json()
        server.logins.append(body["account"])
        if server.login is not None:
            return _refuse(server.login)
        told = server.login_body or {
            "session": f"s-{len(server.logins)}", "account": body["account"], "party": "P1", "expires_in": 900,
        }  # fmt: skip
        return web.json_response(told, status=201, headers=server.headers)

    async def log_out(request: web.Request) -> web.Response:
        server.logouts.append(request.match_info["session"])
        return web.Response(status=204)

    async def post(request: web.Request) -> web.StreamResponse:
        server.requests.append(request.headers["Authorization"])
        if server.refusal is not None:
            async for raw in request.content:
                server.arrived.append(json.loads(raw)["key"])
                if server.refusal.headers.get("X-Early"):
                    break
            return _refuse(server.refusal)
        answer = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await answer.prepare(request)
        async for raw in request.content:
            if not await _answer_line(server, request, answer, json.loads(raw)["key"]):
                return answer
        return answer

    async def put(request: web.Request) -> web.StreamResponse:
        key = request.match_info["key"]
        server.requests.append(request.headers["Authorization"])
        await request.read()
        server.arrived.append(key)
        if server.refusal is not None:
            return _refuse(server.refusal)
        return await _answer_put(server, request, key)

    async def ask(request: web.Request) -> web.Response:
        if server.ask is not None:
            return _refuse(server.ask)
        server.asked.append((request.match_info["key"], len(server.arrived)))
        known = server.known.get(request.match_info["key"])
        return web.json_response(known) if known else web.Response(status=404)

    async def load(request: web.Request) -> web.Response:
        return web.json_response(server.load) if server.load else web.Response(status=404)

    app = web.Application()
    records = "/v1/registries/{registry}/records"
    app.add_routes(
        [
            web.post("/v1/sessions", log_in), web.delete("/v1/sessions/{session}", log_out), web.get("/v1/load", load),
            web.post(records, post), web.put(records + "/{key}", put), web.get(records + "/{key}", ask),
        ]
    )  # fmt: skip
    return app


async def _answer_line(server: Scripted, request: web.Request, answer: web.StreamResponse, key: str) -> bool:
    """Answer one line as the script says; False when the exchange is over."""
    server.arrived.append(key)
    told = server.script(key)
    match told.pop("do", None):
        case "reset" | "applied-500":
            _reset(request)
            return False
        case "garbage":
            await answer.write(b'{"key": \xff\xfe nonsense\n')
            return False
        case "truncated":
            await answer.write(json.dumps(told).encode()[:-5])
            return False
        case "silence":
            await server.let_go.wait()
            return False
        case "nothing":
            return False
        case "late":
            await server.let_go.wait()
    await answer.write(json.dumps(told).encode() + b"\n")
    return bool(told["status"] != "end")


async def _answer_put(server: Scripted, request: web.Request, key: str) -> web.StreamResponse:
    told = server.script(key)
    match told.pop("do", None):
        case "reset":
            _reset(request)
            return web.Response()
        case "applied-500":
            return web.Response(status=500)
        case "garbage":
            return web.Response(status=201, body=b'{"key": \xff\xfe nonsense')
        case "truncated":
            return web.Response(status=201, body=json.dumps(told).encode()[:-5])
        case "silence":
            await server.let_go.wait()
            return web.Response(status=500)
        case "nothing":
            return web.Response(status=201)
    if told["status"] == "end":
        status = {"window-closed": 403, "too-fast": 429, "session-ended": 401}.get(told["code"], 503)
        return web.json_response(told, status=status)
    return web.json_response(
        told, status={"accepted": 201, "duplicate": 200, "rejected": 422, "retry": 503}[told["status"]]
    )


@asynccontextmanager
async def scripted_registrar() -> AsyncIterator[Scripted]:
    """Run one on a free loopback port."""
    server = Scripted()
    runner = web.AppRunner(_app(server), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        server.let_go.set()
        await runner.cleanup()
