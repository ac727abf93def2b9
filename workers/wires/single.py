"""Shape `single`: one PUT a record, several at a time.

A connection may have to be made first, so the bytes cannot leave in the step of the write: each request looks once more, in the very
step in which its bytes go to the transport, whether its permit still stands, and sends nothing if not.
"""

import asyncio
from collections.abc import Sequence

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import BytesPayload

from domain.clock import Clock
from domain.errors import WireFault
from domain.wire import Answer, End, Line, OpenSession, Verdict
from workers.wires.handfuls import Handfuls, Hear, covers, outweighs
from workers.wires.http import HttpWire
from workers.wires.reading import Unreadable, read_line, read_problem, whole_request_end
from workers.wires.short import SHORT_ANSWER

#: requests that may be under way at once where the registrar names no lower limit
IN_FLIGHT = 32


class _Lapsed(Exception):
    """The permit ran out before the bytes could leave: nothing was sent."""


class PermittedBody(BytesPayload):
    """A record's body that leaves only while its permit stands."""

    _consumed = True  # never sent a second time by the library

    def __init__(self, body: bytes, until: int | None, clock: Clock) -> None:
        """Hold the body; `until` is monotonic ms."""
        super().__init__(body, content_type="application/json")
        self._until = until
        self._clock = clock
        self.left = False

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Check and write in one step: head and body go to the transport together."""
        if self._until is not None and self._clock.monotonic() >= self._until:
            raise _Lapsed
        self.left = True
        await super().write_with_length(writer, content_length)


class SingleUpload:
    """`domain.wire.Upload` as one request a record."""

    def __init__(self, wire: HttpWire, session: OpenSession) -> None:
        """Take lines at once; connections are made as they are needed."""
        self._wire = wire
        self._session = session
        self._in_flight = min(session.limits.max_in_flight or IN_FLIGHT, IN_FLIGHT)
        self._handfuls = Handfuls()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending: End | None = None

    def is_clear(self) -> bool:
        """Say whether lines are taken."""
        return self._ending is None

    def room(self) -> int:
        """Return how many more requests may be under way."""
        return max(0, self._in_flight - len(self._tasks)) if self.is_clear() else 0

    def write(self, lines: Sequence[Line], until: int | None = None) -> None:
        """Start one request a line; raises WireFault(maybe_delivered=False) when the exchange is over."""
        if self._ending is not None:
            raise WireFault("The exchange is over.", maybe_delivered=False)
        for line in lines:
            task = asyncio.get_running_loop().create_task(self._put(line, until), name="wire-put")
            self._tasks.add(task)
            task.add_done_callback(self._done)

    def listen(self, hear: Hear) -> None:
        """Have answers told in handfuls, and last an End."""
        self._handfuls.listen(hear)

    async def finish(self) -> None:
        """Say that no more lines come."""
        self._stop(End("finished"))

    def abort(self) -> None:
        """Drop all requests now."""
        clean = not self._tasks
        self._stop(End("aborted", clean=clean))
        for task in list(self._tasks):
            task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._ending is not None and not self._tasks:
            self._handfuls.end(self._ending)

    def _stop(self, end: End) -> None:
        self._ending = end if self._ending is None or outweighs(end, self._ending) else self._ending
        if len(self._tasks) > 1 or not covers(self._ending, end):  # beside the one that met this
            self._handfuls.warn(end)
        if not self._tasks and self._ending is not None:
            self._handfuls.end(self._ending)

    async def _put(self, line: Line, until: int | None) -> None:
        body = PermittedBody(line.body, until, self._wire.clock)
        try:
            await self._exchange(line.key, body)
        except asyncio.CancelledError:
            self._stop(End("aborted", clean=not body.left))
        except (TimeoutError, aiohttp.ClientError, OSError, Unreadable, ValueError) as error:
            if not body.left and not _never_connected(error):
                self._handfuls.put([Answer(line.key, Verdict.RETRY, code="not-sent", retry_after_ms=0)])
                return
            code = (
                "unreachable"
                if _never_connected(error)
                else "silence"
                if isinstance(error, TimeoutError)
                else "broken"
            )
            self._stop(End("unreadable" if isinstance(error, Unreadable) else code, clean=not body.left))

    async def _exchange(self, key: str, body: PermittedBody) -> None:
        url = self._wire.url(self._wire.records_path(key))
        headers = {"Authorization": f"Bearer {self._session.session}"}
        timeout = aiohttp.ClientTimeout(total=self._wire.rules.answer_timeout_s)
        async with self._wire.http.put(
            url, data=body, headers=headers, timeout=timeout, allow_redirects=False
        ) as answer:
            content = await _read_short(answer)
            if answer.status in (200, 201, 422, 503) and self._told(key, content, answer.status):
                return
            end = whole_request_end(answer.status, read_problem(content), self._wire.pause_of(answer.headers))
            if answer.status in (400, 413) and (read_problem(content).code or answer.status == 413):
                self._handfuls.put([Answer(key, Verdict.REJECTED, code=end.code)])
            else:
                self._stop(end)

    def _told(self, key: str, content: bytes, status: int) -> bool:
        """Take the record's own line; False when the body is none (a problem, or nothing that can be read)."""
        try:
            answer = read_line(content.strip())
        except Unreadable:
            if status in (200, 201, 422):
                raise
            return False
        if isinstance(answer, End):
            self._stop(answer)
        elif answer.key != key or answer.verdict not in _VERDICTS[status]:
            raise Unreadable
        else:
            self._handfuls.put([answer])
        return True


#: what a status may say: a line that contradicts its status is not believed
_VERDICTS = {
    200: {Verdict.ACCEPTED},
    201: {Verdict.ACCEPTED},
    422: {Verdict.REJECTED},
    503: {Verdict.RETRY},
}


async def _read_short(answer: aiohttp.ClientResponse) -> bytes:
    """Read a short document, and no more than that."""
    content = b""
    while len(content) < SHORT_ANSWER:
        chunk = await answer.content.read(SHORT_ANSWER - len(content))
        if not chunk:
            break
        content += chunk
    return content


def _never_connected(error: BaseException) -> bool:
    """Say whether the connection was never made, so that no byte can have left."""
    return isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError))
