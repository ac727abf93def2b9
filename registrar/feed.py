"""One `stream` request: lines in as they come, answers out as they are decided.

It must answer nothing out of the registrar's mind: every line passes through `taking`.
"""

import asyncio
from typing import Any

from aiohttp import web

from registrar.answers import Pushback, end_line
from registrar.arrivals import Decision
from registrar.central import Central
from registrar.clock import NS_PER_S
from registrar.config import Fault
from registrar.outbox import Outbox
from registrar.records import Line
from registrar.sessions import RESTART, Session
from registrar.spoiling import spoil_stream, tear
from registrar.taking import Taken, log_unread, pushback_of, read_lines, take

#: What reading a body raises when the client is gone.
GONE = (ConnectionError, web.RequestPayloadError)
#: How long lines are still read (and logged) after an `end` or a refusal, in seconds.
LINGER_S = 2.0


class Feed:
    """Reads, takes and answers until the client ends, an `end` is due, a fault strikes or the client is gone."""

    def __init__(
        self, central: Central, request: web.Request, response: web.StreamResponse, session: Session
    ) -> None:
        self._central = central
        self._request = request
        self._response = response
        self._session = session
        self._buffer = b""
        self._line_number = 0
        self._outbox = Outbox(response.write, central.clock.mono_ns)
        self._stopped: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._spoilt = b""

    def stop(self, code: str) -> None:
        """End this answer: the session has ended or the window has closed."""
        if not self._stopped.done():
            self._stopped.set_result(code)

    async def run(self) -> None:
        """Serve the request to its end."""
        self._session.watchers.add(self.stop)
        reader = asyncio.create_task(self._read())
        writer = asyncio.create_task(self._outbox.run())
        try:
            waited: set[asyncio.Future[Any]] = {reader, writer, self._stopped}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if writer.done():
                return  # the client is gone
            await self._finish(await self._why(reader), writer)
        except GONE:
            return
        finally:
            self._session.watchers.discard(self.stop)
            for task in (reader, writer):
                task.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)

    async def _why(self, reader: "asyncio.Task[Pushback | Fault | None]") -> Pushback | Fault | None:
        if reader.done():
            return reader.result()
        reader.cancel()
        await asyncio.wait({reader})
        code = self._stopped.result()
        if code == RESTART:
            return Fault(kind="reset")
        return pushback_of(self._central, self._session, self._central.clock.mono_ns()) or Pushback(code)

    async def _finish(self, why: Pushback | Fault | None, writer: "asyncio.Task[None]") -> None:
        if isinstance(why, Fault) and why.kind in ("reset", "late-effect"):
            tear(self._request)
            return
        if not await self._written(writer):
            return
        if isinstance(why, Fault):
            await spoil_stream(why.kind, self._request, self._response, self._spoilt)
            return
        if why is not None:
            self._central.log.pushbacks[self._session.account.index, f"end {why.code}"] += 1
            await self._response.write(end_line(why))
        await self._response.write_eof()
        if why is not None:
            await read_on(self._central, self._request, self._session, Decision.AFTER_END, self._buffer)

    async def _written(self, writer: "asyncio.Task[None]") -> bool:
        """Wait until every answer is out; false when the client went away first."""
        emptied = asyncio.create_task(self._outbox.emptied())
        await asyncio.wait({emptied, writer}, return_when=asyncio.FIRST_COMPLETED)
        emptied.cancel()
        return not writer.done()

    async def _read(self) -> Pushback | Fault | None:
        content = self._request.content
        max_line = self._session.account.party.registry.rules.max_line_bytes
        while not content.at_eof():
            chunk = await content.readany()
            self._buffer += chunk
            cut = len(self._buffer) if content.at_eof() else self._buffer.rfind(b"\n") + 1
            if cut:
                whole, self._buffer = self._buffer[:cut], self._buffer[cut:]
                why = await self._handle(whole, max_line)
                if why is not None:
                    return why
            if len(self._buffer) > max_line:
                return Pushback("too-large", line=self._line_number + 1)
        return None

    async def _handle(self, whole: bytes, max_line: int) -> Pushback | Fault | None:
        now_ns = self._central.clock.mono_ns()
        lines, bad, code = read_lines(whole, max_line)
        taken = take(self._central, self._session, lines, now_ns) if lines else Taken([])
        await self._answer(taken, now_ns)
        end = taken.end or taken.fault
        if end is None and bad is not None:
            end = Pushback(code, line=self._line_number + bad)
        self._line_number += whole.count(b"\n")
        if isinstance(end, Fault) and end.kind == "late-effect":
            self._decide_later(lines[len(taken.answers) :], end)
        return end

    async def _answer(self, taken: Taken, now_ns: int) -> None:
        answers = taken.answers
        if taken.fault is not None and taken.fault.kind not in ("reset", "late-effect"):
            self._spoilt = answers[-1]
            answers = answers[:-1]
        if not answers:
            return
        due_ns = now_ns + delay_ns(self._central, self._session, now_ns)
        await self._outbox.put(b"".join(answers), len(answers), due_ns)
        self._session.most_in_flight = max(self._session.most_in_flight, self._outbox.waiting)

    def _decide_later(self, lines: list[Line], fault: Fault) -> None:
        """The first of these takes effect when nobody waits for it any more."""
        party = self._session.account.party
        book = self._central.books[party.registry.name]
        if lines:
            first = lines[0]
            asyncio.get_running_loop().call_later(
                fault.delay_s, book.decide, party.id, first.key, first.record
            )


def delay_ns(central: Central, session: Session, now_ns: int) -> int:
    """How long the answer to a handful takes now, faults counted in."""
    factor, stalled_ns = 1.0, 0
    if central.faults.armed:
        slow = central.faults.draw(("latency",), "records", session.account, now_ns)
        factor = 1.0 if slow is None else slow.factor
        stall = central.faults.draw(("stall",), "records", session.account, now_ns)
        stalled_ns = 0 if stall is None else round(stall.delay_s * NS_PER_S)
    return central.pace[session.account.party.registry.name].delay_ns(factor) + stalled_ns


async def read_on(
    central: Central, request: web.Request, session: Session | None, decision: Decision, begun: bytes = b""
) -> None:
    """Read and log what still comes in a request whose answer is out, for a short while."""
    try:
        async with asyncio.timeout(LINGER_S):
            while not request.content.at_eof():
                begun += await request.content.readany()
                cut = begun.rfind(b"\n") + 1
                note_unread(central, session, begun[:cut], decision)
                begun = begun[cut:]
    except (TimeoutError, *GONE):
        return


def note_unread(central: Central, session: Session | None, body: bytes, decision: Decision) -> None:
    """Log the lines of a body that is not taken; a stranger's are only counted."""
    lines, _, _ = read_lines(body, len(body))
    if session is None:
        central.strangers += len(lines)
    else:
        log_unread(central, session, lines, decision, central.clock.mono_ns())
