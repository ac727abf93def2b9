"""How an answer is spoilt once its records took effect, and how a connection is torn.

It must not decide when: `faults` does.
"""

import asyncio
import socket
import struct

from aiohttp import web

from registrar.answers import NDJSON, Pushback, problem
from registrar.config import Fault

GARBAGE = b"<html><body>\xe0\xb8 502 upstream \x00 not an answer</body></html>\n"


def broken(fault: Fault, detail: str | None = None) -> Pushback:
    """What a scripted error says: the registrar's own 500, or the status of a proxy in front of it."""
    return Pushback("internal", detail=detail, status=None if fault.status == 500 else fault.status)


def tear(request: web.BaseRequest) -> None:
    """Reset the connection: a RST, with nothing more written."""
    transport = request.transport
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


async def spoil_stream(kind: str, request: web.Request, response: web.StreamResponse, answers: bytes) -> None:
    """End an answer that has begun in the way that a fault says."""
    if kind == "garbage":
        await response.write(GARBAGE)
    elif kind == "charset":
        await response.write(answers.decode().encode("utf-16-le"))
    elif kind == "truncate":
        await response.write(answers[: max(1, len(answers) - 12)])
    if kind in ("garbage", "charset"):
        await response.write_eof()
    elif kind == "truncate" and request.transport is not None:
        request.transport.close()
    else:
        tear(request)


async def spoilt_answer(fault: Fault, request: web.Request, answers: bytes) -> web.StreamResponse:
    """A whole answer, spoilt."""
    kind = fault.kind
    if kind == "error-after":
        return problem(broken(fault, "It broke after it was done."))
    if kind == "garbage":
        return web.Response(body=GARBAGE, content_type="text/html")
    if kind == "charset":
        return web.Response(body=answers.decode().encode("utf-16-le"), headers={"Content-Type": NDJSON})
    if kind == "truncate":
        response = web.StreamResponse(headers={"Content-Type": NDJSON})
        await response.prepare(request)
        await spoil_stream(kind, request, response, answers)
        return response
    tear(request)
    return web.Response()
