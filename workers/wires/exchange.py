"""One request whose body is written line by line while its answer is read: what `stream` and `batch` are made of.

The body's writer is taken out of aiohttp's hands, so that a write is one synchronous step: it goes to the transport before control
returns, and only when the transport holds no earlier byte. It must not decide what an unanswered line means for a job.
"""

import asyncio
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from domain.errors import WireFault
from domain.wire import Answer, End, Line, OpenSession, Verdict
from workers.wires.faults import never_connected
from workers.wires.http import HttpWire, read_short
from workers.wires.reading import LONGEST_LINE, Unreadable, read_line, read_problem, whole_request_end

NDJSON = "application/x-ndjson"


class Owner(Protocol):
    """The upload that a request belongs to."""

    def on_answers(self, request: "OpenRequest", answers: Sequence[Answer]) -> None:
        """Take a handful of answers."""
        ...

    def on_end(self, request: "OpenRequest", end: End) -> None:
        """Take the end of a request."""
        ...


class OpenBody(Payload):
    """A request body that stays open until it is finished; hands its writer to whoever writes."""

    _autoclose = True
    _consumed = True  # never sent a second time by the library

    def __init__(self, on_open: Callable[[AbstractStreamWriter], None]) -> None:
        """Call `on_open` when the connection stands and nothing has been written yet."""
        super().__init__(None, content_type=NDJSON)
        self._on_open = on_open
        self.finished = asyncio.Event()

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002 - the library's signature
        """Refuse: the body cannot be read back."""
        raise TypeError("an open body has no text")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Hand out the writer and wait for the last line."""
        self._on_open(writer)
        await self.finished.wait()


class OpenRequest:
    """One POST of records."""

    def __init__(self, wire: HttpWire, session: OpenSession, owner: Owner, *, eager_headers: bool) -> None:
        """Connect at once; with `eager_headers` the request's head goes out before its first line."""
        self._wire = wire
        self._owner = owner
        self._eager_headers = eager_headers
        self._bearer = session.session
        self._body = OpenBody(self._opened)
        self._writer: Any = None
        self._order: list[str] = []
        self._stopped: End | None = None
        #: key → monotonic ms at which it was written, oldest first
        self.awaiting: dict[str, int] = {}
        self.written = 0
        self.ended = False
        loop = asyncio.get_running_loop()
        self._watchdog: asyncio.TimerHandle | None = None
        self._task = loop.create_task(self._run(), name="wire-request")
        self._task.add_done_callback(self._cancelled_unstarted)

    def is_clear(self) -> bool:
        """Say whether a line written now would be the next byte to leave."""
        transport = self._transport()
        return transport is not None and not transport.is_closing() and unsent_bytes(transport) == 0

    def write(self, lines: Sequence[Line]) -> None:
        """Write all lines in this step; raises WireFault(maybe_delivered=False) when nothing of them can leave."""
        transport = self._transport()
        if transport is None or transport.is_closing():
            raise WireFault("The connection is closed.", maybe_delivered=False)
        data = b"".join([b'{"key":"%b","record":%b}\n' % (line.key.encode(), line.body) for line in lines])
        now = self._wire.clock.monotonic()
        for line in lines:
            self.awaiting[line.key] = now
            self._order.append(line.key)
        self.written += len(lines)
        self._writer.send_headers()
        transport.write(b"%x\r\n%b\r\n" % (len(data), data))
        self._watch()

    def finish(self) -> None:
        """Say that no more lines come."""
        self._body.finished.set()

    def abort(self, end: End | None = None) -> None:
        """Cut the connection: unsent bytes never leave."""
        if self.ended:
            return
        self._stopped = end or End("aborted", clean=False)
        transport = self._writer.transport if self._writer is not None else None
        if transport is not None:
            cut(transport)
        self._task.cancel()

    def _transport(self) -> asyncio.Transport | None:
        if self.ended or self._stopped is not None or self._writer is None or self._body.finished.is_set():
            return None
        transport: asyncio.Transport | None = self._writer.transport
        return transport

    def _opened(self, writer: AbstractStreamWriter) -> None:
        self._writer = writer
        if self._eager_headers:
            writer.send_headers()

    async def _run(self) -> None:
        """Send, read to the end, and tell the owner exactly once how it ended."""
        try:
            end = await self._exchange()
        except asyncio.CancelledError:
            end = self._stopped or End("aborted", clean=False)
        except (TimeoutError, aiohttp.ClientError, OSError, Unreadable, ValueError) as error:
            code = (
                "unreachable"
                if never_connected(error)
                else "unreadable"
                if isinstance(error, Unreadable)
                else "broken"
            )
            end = self._stopped or End(code, clean=False)
        if self._watchdog is not None:
            self._watchdog.cancel()
        if not end.clean and not self.awaiting:
            end = End(end.code, end.scope, end.retry_after_ms, end.opens_at, clean=True)
        self.ended = True
        self._owner.on_end(self, end)

    def _cancelled_unstarted(self, task: asyncio.Task[None]) -> None:  # noqa: ARG002 - the signature of a callback
        """A task that was cancelled before its first step never tells its end: nothing was written."""
        if not self.ended:
            self.ended = True
            self._owner.on_end(self, End("aborted"))

    async def _exchange(self) -> End:
        headers = {"Authorization": f"Bearer {self._bearer}", "Content-Type": NDJSON}
        sent_at = self._wire.clock.now()
        url = self._wire.url(self._wire.records_path())
        async with self._wire.http.post(
            url, data=self._body, headers=headers, allow_redirects=False
        ) as answer:
            self._wire.heed_clock(answer, sent_at)
            if answer.status == 200:
                return await self._read(answer)
            return await self._refused(answer)

    async def _read(self, answer: aiohttp.ClientResponse) -> End:
        rest = b""
        while chunk := await answer.content.readany():
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST_LINE:
                raise Unreadable
            end = self._take(lines)
            if end is not None:
                return end
        if rest.strip():
            end = self._take([rest])
            if end is not None:
                return end
        return End("finished", clean=not self.awaiting)

    def _take(self, lines: Sequence[bytes]) -> End | None:
        """Hand on what a chunk holds; what stands before an unreadable line still counts."""
        answers: list[Answer] = []
        try:
            for raw in lines:
                if not raw or raw.isspace():
                    continue
                answer = read_line(raw)
                if isinstance(answer, End):
                    return answer
                if self.awaiting.pop(answer.key, None) is not None:
                    answers.append(answer)
        finally:
            if answers:
                self._owner.on_answers(self, answers)
        return None

    async def _refused(self, answer: aiohttp.ClientResponse) -> End:
        problem = read_problem(await read_short(answer))
        end = whole_request_end(answer.status, problem, self._wire.pause_of(answer))
        if answer.status == 400 and problem.line is not None and 1 <= problem.line <= len(self._order):
            self._sort_out_malformed(problem.line - 1)
        return end

    def _sort_out_malformed(self, at: int) -> None:
        """The line that cannot be read is refused for good, those after it were not recorded; those before it stay open."""
        bad, after = self._order[at], self._order[at + 1 :]
        answers = [Answer(bad, Verdict.REJECTED, code="malformed")]
        answers += [Answer(key, Verdict.RETRY, code="not-recorded", retry_after_ms=0) for key in after]
        known = [answer for answer in answers if self.awaiting.pop(answer.key, None) is not None]
        if known:
            self._owner.on_answers(self, known)

    def _watch(self) -> None:
        """Keep a watch on the oldest unanswered line: a stalled upload raises nothing by itself."""
        if self._watchdog is None and self.awaiting and not self.ended:
            oldest = next(iter(self.awaiting.values()))
            due_ms = oldest + self._wire.answer_timeout_ms - self._wire.clock.monotonic()
            self._watchdog = asyncio.get_running_loop().call_later(max(due_ms, 1) / 1000, self._look)

    def _look(self) -> None:
        self._watchdog = None
        if not self.awaiting or self.ended:
            return
        oldest = next(iter(self.awaiting.values()))
        if self._wire.clock.monotonic() - oldest >= self._wire.answer_timeout_ms:
            self.abort(End("silence", clean=False))
        else:
            self._watch()


def unsent_bytes(transport: asyncio.Transport) -> int:
    """Return how many bytes a transport still holds; for TLS also what waits below it."""
    size = transport.get_write_buffer_size()
    below = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
    return size + (below.get_write_buffer_size() if below is not None else 0)


def cut(transport: asyncio.Transport) -> None:
    """Drop the connection with a reset, so that what the kernel still holds is thrown away too."""
    handle = transport.get_extra_info("socket")
    if handle is not None and handle.fileno() >= 0:
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
