"""One request whose body is written line by line while its answer is read: what `stream` and `batch` are made of.

A write is one synchronous step: it goes to the transport before control returns, and only when the transport holds no earlier byte;
an answer is told in the step in which it is read. It must not decide what an unanswered line means for a job.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Protocol

from domain.errors import WireFault
from domain.wire import Answer, End, Line, OpenSession, Verdict
from workers.wires.connecting import Door
from workers.wires.connection import Connection
from workers.wires.http import HttpWire
from workers.wires.reading import LONGEST_LINE, Unreadable, read_line, read_problem, whole_request_end
from workers.wires.short import SHORT_ANSWER

NDJSON = "application/x-ndjson"
#: ends the body of a request
LAST_CHUNK = b"0\r\n\r\n"


class Owner(Protocol):
    """The upload that a request belongs to."""

    def on_answers(self, request: "OpenRequest", answers: Sequence[Answer]) -> None:
        """Take a handful of answers."""
        ...

    def on_end(self, request: "OpenRequest", end: End) -> None:
        """Take the end of a request."""
        ...


class OpenRequest:
    """One POST of records; a `connection.Listener`."""

    def __init__(self, wire: HttpWire, session: OpenSession, owner: Owner, *, eager_headers: bool) -> None:
        """Take a kept connection, or connect at once; with `eager_headers` the head goes out before the first line."""
        self._wire = wire
        self._owner = owner
        self._eager_headers = eager_headers
        self._connection: Connection | None = None
        self._making: asyncio.Task[None] | None = None
        self._is_begun = False
        self._is_finished = False
        self._sent_at = 0
        self._last_at = 0
        self._order: list[str] = []
        self._stopped: End | None = None
        self._status = 0
        self._pause_ms: int | None = None
        self._rest = b""
        #: key → monotonic ms at which it was written, oldest first
        self.awaiting: dict[str, int] = {}
        self.ended = False
        loop = asyncio.get_running_loop()
        try:
            self._head = _head(wire.connections.door, wire.records_path(), session.session)
        except ValueError:  # a session's name that would not stay within its line
            loop.call_soon(self._end, End("broken"))
            return
        kept = wire.connections.kept()
        if kept is not None:
            self._stand(kept)
        else:
            self._making = loop.create_task(self._connect(), name="wire-connect")

    # --- writing ------------------------------------------------------------------------------------

    def is_clear(self) -> bool:
        """Say whether a line written now would be the next byte to leave."""
        return self._takes_lines() and self._connection is not None and self._connection.is_clear()

    def write(self, lines: Sequence[Line], *, last: bool = False) -> None:
        """Write all lines in this step; raises WireFault(maybe_delivered=False) when nothing of them can leave.

        A connection on which something was read before anything was asked is closed, or about to be: nothing is written on it.
        """
        connection = self._connection
        if connection is None or not self.is_clear() or not (self._is_begun or not connection.has_news()):
            raise WireFault("The connection is closed.", maybe_delivered=False)
        data = b"".join([b'{"key":"%b","record":%b}\n' % (line.key.encode(), line.body) for line in lines])
        self._last_at = now = self._wire.clock.monotonic()
        for line in lines:
            self.awaiting[line.key] = now
        if not self._status:
            self._order += [line.key for line in lines]
        self._is_finished = last
        connection.write(self._begin() + b"%x\r\n%b\r\n%b" % (len(data), data, LAST_CHUNK if last else b""))
        self._wire.silence.watch(self)

    def finish(self) -> None:
        """Say that no more lines come."""
        if not self._takes_lines():
            return
        self._is_finished = True
        self._last_at = self._wire.clock.monotonic()
        if self._connection is not None and self._connection.is_open():
            self._connection.write(self._begin() + LAST_CHUNK)
            self._wire.silence.watch(self)

    def abort(self, end: End | None = None) -> None:
        """Cut the connection: unsent bytes never leave. The end is told in a step of its own."""
        if self.ended or self._stopped is not None:
            return
        self._stopped = end or End("aborted", clean=False)
        if self._making is not None:
            self._making.cancel()
        if self._connection is not None:
            self._connection.cut()
        asyncio.get_running_loop().call_soon(self._end, self._stopped)

    def _takes_lines(self) -> bool:
        return not (self.ended or self._is_finished or self._stopped is not None)

    def _begin(self) -> bytes:
        """Return the head, where it has not gone out yet."""
        if self._is_begun:
            return b""
        self._is_begun = True
        self._sent_at = self._wire.clock.now()
        return self._head

    # --- connecting ---------------------------------------------------------------------------------

    async def _connect(self) -> None:
        try:
            connection = await self._wire.connections.make()
        except Exception:  # noqa: BLE001 - whatever it was (address, name, certificate, time-out): no byte has left
            self._end(End("unreachable"))
            return
        finally:
            self._making = None
        if self.ended or self._stopped is not None:
            connection.close()
        else:
            self._stand(connection)

    def _stand(self, connection: Connection) -> None:
        self._connection = connection
        connection.serve(self)
        if self._eager_headers or self._is_finished:
            connection.write(self._begin() + (LAST_CHUNK if self._is_finished else b""))
            self._wire.silence.watch(self)

    # --- reading ------------------------------------------------------------------------------------

    def on_head(self, status: int, headers: dict[str, str]) -> None:
        """Take the status; an answer to a request that was not said is none."""
        if not self._is_begun:
            self._end(End("broken"))
            return
        self._status = status
        self._wire.heed_clock(headers, self._sent_at)
        if status == 200:
            self._order.clear()
        else:
            self._pause_ms = self._wire.pause_of(headers)

    def on_body(self, data: bytes) -> None:
        """Tell whole lines at once; of a refusal keep a short document, and no more than that."""
        if self._status != 200:
            self._rest += data
            if len(self._rest) >= SHORT_ANSWER:
                self._refused(may_stay=False)
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        if self._take(lines) and len(self._rest) > LONGEST_LINE:
            self._end(End("unreadable", clean=False))

    def on_complete(self, *, may_stay: bool) -> None:
        """Take the end of the answer; the connection stays where the request was whole too."""
        if self._status != 200:
            self._refused(may_stay=may_stay)
        elif not self._rest or self._take([self._rest]):
            self._end(End("finished", clean=not self.awaiting), may_stay=may_stay)

    def on_broken(self, code: str) -> None:
        """Take that no more can be read."""
        self._end(End(code, clean=False))

    def _take(self, lines: Sequence[bytes]) -> bool:
        """Hand on what a read held; what stands before an unreadable line still counts. False when the request is over."""
        answers: list[Answer] = []
        end: End | None = None
        try:
            for raw in lines:
                if not raw or raw.isspace():
                    continue
                answer = read_line(raw)
                if isinstance(answer, End):
                    end = answer
                    break
                if self.awaiting.pop(answer.key, None) is not None:
                    answers.append(answer)
        except Unreadable:
            end = End("unreadable", clean=False)
        if answers:
            if self._is_finished and not self.awaiting:
                self._last_at = self._wire.clock.monotonic()
            self._owner.on_answers(self, answers)
        if end is not None:
            self._end(end)
        return not self.ended and self._stopped is None

    def _refused(self, *, may_stay: bool) -> None:
        problem = read_problem(self._rest[:SHORT_ANSWER])
        end = whole_request_end(self._status, problem, self._pause_ms)
        if self._status == 400 and problem.line is not None and 1 <= problem.line <= len(self._order):
            self._sort_out_malformed(problem.line - 1)
        self._end(end, may_stay=may_stay)

    def _sort_out_malformed(self, at: int) -> None:
        """The line that cannot be read is refused for good, those after it were not recorded; those before it stay open."""
        bad, after = self._order[at], self._order[at + 1 :]
        answers = [Answer(bad, Verdict.REJECTED, code="malformed")]
        answers += [Answer(key, Verdict.RETRY, code="not-recorded", retry_after_ms=0) for key in after]
        known = [answer for answer in answers if self.awaiting.pop(answer.key, None) is not None]
        if known:
            self._owner.on_answers(self, known)

    def _end(self, end: End, *, may_stay: bool = False) -> None:
        """Let go of the connection and tell the owner, exactly once, how it ended."""
        if self.ended:
            return
        self.ended = True
        end = self._stopped or end
        self._wire.silence.leave(self)
        connection, self._connection = self._connection, None
        if connection is not None and may_stay and self._is_finished and connection.is_clear():
            self._wire.connections.keep(connection)
        elif connection is not None:
            connection.close()
        if not end.clean and not self.awaiting:
            end = replace(end, clean=True)
        self._owner.on_end(self, end)

    # --- silence ------------------------------------------------------------------------------------

    def silent_at(self) -> int | None:
        """Return when the oldest unanswered line, or the end of a finished request, was awaited too long (monotonic ms)."""
        if self.ended or self._stopped is not None:
            return None
        if self.awaiting:
            return next(iter(self.awaiting.values())) + self._wire.answer_timeout_ms
        return self._last_at + self._wire.answer_timeout_ms if self._is_finished else None

    def give_up(self) -> None:
        """Cut a connection on which nothing was answered in time."""
        self.abort(End("silence", clean=False))


@lru_cache(maxsize=1_000)
def _head(door: Door, path: str, session: str) -> bytes:
    """Return a request's head, the same for all of one session; raises ValueError."""
    return door.head("POST", path, {**_HEADERS, "Authorization": f"Bearer {session}"})


_HEADERS = {
    "User-Agent": "pratunam",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Content-Type": NDJSON,
    "Transfer-Encoding": "chunked",
}
