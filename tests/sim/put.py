"""One `PUT` a record in the simulator: what the product's own shape `single` asks of aiohttp, and no more than that."""

import asyncio
from contextvars import copy_context
from typing import Any

import aiohttp
import msgspec

from domain.wire import Answer, End, Verdict
from tests.sim.link import Way

_STATUS = {Verdict.ACCEPTED: 201, Verdict.REJECTED: 422, Verdict.RETRY: 503}
_REFUSED = {"session-ended": 401, "window-closed": 403, "overloaded": 503}


class Document:
    """A short answer as it is read: at once, and then no more."""

    def __init__(self, body: bytes) -> None:
        """Hold it."""
        self._body = body

    async def read(self, _: int) -> bytes:
        """Return what is left."""
        body, self._body = self._body, b""
        return body


class Reply:
    """`aiohttp.ClientResponse`, as far as it is looked at."""

    def __init__(self, status: int, body: bytes) -> None:
        """Say it."""
        self.status = status
        self.headers: dict[str, str] = {}
        self.content = Document(body)


class SimHttp:
    """`aiohttp.ClientSession`, as far as `put` goes."""

    def __init__(self, way: Way) -> None:
        """Connect nothing yet."""
        self._way = way

    def put(self, url: str, *, data: Any, headers: dict[str, str], timeout: Any, **_: Any) -> "SimPut":
        """Begin one request."""
        return SimPut(self._way, url.rpartition("/")[2], headers["Authorization"][7:], data, timeout.total)


class SimPut:
    """One request with one record."""

    def __init__(self, way: Way, key: str, session: str, body: Any, timeout_s: float) -> None:
        """Nothing has left."""
        self._way, self._loop, self._link = way, way.loop, way.link
        self._key, self.session_name, self._body, self._timeout_s = key, session, body, timeout_s
        self._place = copy_context()
        self._data = b""
        self._closed_there = self._is_cut = self.ended = False
        self._reply: asyncio.Future[Reply] = way.loop.create_future()
        way.note(self)

    async def __aenter__(self) -> Reply:
        try:
            async with asyncio.timeout(self._timeout_s):
                if not self._way.take_kept():
                    await asyncio.sleep(2 * self._link.delay(self._loop.time()))
                    if self._loop.time() < self._link.cut_until:
                        raise aiohttp.ConnectionTimeoutError
                if self._is_cut:
                    raise aiohttp.ClientConnectionError
                await self._body.write_with_length(self, None)
                self._send()
                return await self._reply
        except BaseException:
            self._give_up()
            raise

    async def __aexit__(self, *_: object) -> None:
        self.ended = True
        if not self._is_cut:
            self._way.keep()

    async def write(self, data: bytes) -> None:
        """Take the body in the step in which it leaves."""
        self._data += data

    def reset(self, *, kept: bool | None = None) -> None:
        """Break the connection, before or after what is under way was delivered."""
        if self.ended or self._is_cut:
            return
        if kept is None:
            kept = self._link.rng.random() < 0.5
        self._is_cut, self._closed_there = True, not kept
        self._link.seen.add("reset after delivery" if kept else "reset before delivery")
        self._loop.call_soon(self._fail, context=self._place)

    def close_there(self) -> None:
        """The registrar ended the session: it says so when the request comes."""

    def _give_up(self) -> None:
        self.ended = self._is_cut = True
        self._closed_there = self._closed_there or self._link.rng.random() < 0.5

    def _send(self) -> None:
        now, link = self._loop.time(), self._link
        repeats = now < link.repeating_until and link.rng.random() < 0.3
        if link.loses(now):
            link.seen.add("bytes lost")
            return
        self._loop.call_outside(link.delay(now), self._arrive, now, 1 + repeats)

    def _arrive(self, left_at: float, times: int) -> None:
        way, now = self._way, self._loop.time()
        held_s = self._link.holds(now)
        if held_s > 0:
            self._loop.call_outside(held_s, self._arrive, left_at, times)
            return
        if self._closed_there:
            return
        if self._is_cut:
            self._link.seen.add("late delivery")
        heard = [way.registrar.take(self.session_name, self._key, self._data, left_at) for _ in range(times)]
        reply = _reply(self._key, heard[-1])
        if now < way.registrar.trouble.garbled and self._link.rng.random() < 0.05:
            reply = Reply(200, b"<html>")
        if not self._link.loses(now):
            self._loop.call_outside(way.registrar.think_s() + self._link.delay(now), self._read, reply)

    def _read(self, reply: Reply) -> None:
        self._loop.call_soon(self._take, reply, context=self._place)

    def _take(self, reply: Reply) -> None:
        if not self._reply.done() and not self._is_cut:
            self._reply.set_result(reply)

    def _fail(self) -> None:
        if not self._reply.done():
            self._reply.set_exception(aiohttp.ServerDisconnectedError())
            self._reply.exception()  # whoever asked may be dead: then nobody hears of it, and the loop need not say so


def _reply(key: str, said: Answer | End | None) -> Reply:
    if said is None:
        return Reply(500, b"")
    pause_s = None if said.retry_after_ms is None else said.retry_after_ms / 1000
    if isinstance(said, End):
        told = {"code": said.code, "scope": said.scope.value, "retry_after": pause_s}
        return Reply(_REFUSED[said.code], msgspec.json.encode(told))
    line = {"key": key, "status": said.verdict.value, "receipt": said.receipt, "code": said.code}
    return Reply(_STATUS[said.verdict], msgspec.json.encode(line | {"retry_after": pause_s}))
