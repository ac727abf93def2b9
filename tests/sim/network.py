"""The network between a worker host and the registrar, as `domain.wire.Wire` (shape: stream).

Bytes of one connection keep their order. A link may be slow, stall and then deliver all at once, lose bytes (the connection then stands
silent), be reset before or after what is under way was delivered, or repeat a line (a proxy's second try). What was written before a
connection was cut may still arrive: late, but never later than `longest_s`.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import TypeVar

from domain.clock import Clock
from domain.errors import WireFault
from domain.wire import Answer, ClockSample, End, Line, Load, LoginRefused, OpenSession, Scope
from tests.sim.link import Link
from tests.sim.registrar import Registrar
from tests.sim.virtual_loop import VirtualLoop

T = TypeVar("T")
Hear = Callable[[Sequence[Answer] | End], None]


class SimWire:
    """One host's way to the registrar."""

    def __init__(
        self, loop: VirtualLoop, link: Link, registrar: Registrar, clock: Clock, answer_timeout_s: float
    ) -> None:
        """Connect nothing yet."""
        self.loop = loop
        self.link = link
        self.registrar = registrar
        self.clock = clock
        self.answer_timeout_s = answer_timeout_s
        self.uploads: list[SimUpload] = []
        self._listeners: list[Callable[[ClockSample], None]] = []

    async def log_in(self, account: str, secret: str) -> OpenSession | LoginRefused:
        return await self._exchange(lambda: self.registrar.log_in(account))

    async def log_out(self, session: OpenSession) -> bool:
        def close() -> bool:
            self.registrar.end(self.registrar.sessions[session.session], "logged out")
            return True

        try:
            return await self._exchange(close)
        except WireFault:
            return False

    def open(self, session: OpenSession) -> "SimUpload":
        self.uploads = [one for one in self.uploads if not one.ended]
        upload = SimUpload(self, session)
        self.uploads.append(upload)
        return upload

    async def ask(self, session: OpenSession, key: str) -> Answer | End:
        left_at = self.loop.time()
        return await self._exchange(lambda: self.registrar.ask(session.session, key, left_at))

    async def load(self) -> Load | None:
        return await self._exchange(lambda: Load(self.registrar.trouble.load))

    def on_clock(self, listener: Callable[[ClockSample], None]) -> None:
        self._listeners.append(listener)

    async def close(self) -> None:
        """Nothing is kept open."""

    def cut_all(self, *, kept: bool | None = None) -> None:
        """Reset every connection; `kept`: what is under way is delivered all the same (by chance, unless it is said)."""
        for upload in self.uploads:
            upload.reset(kept=kept)

    async def _exchange(self, work: Callable[[], T]) -> T:
        """Make one short request; a lost one is waited for as long as an answer may take."""
        loop, link, sent_at = self.loop, self.link, self.clock.now()
        if loop.time() < link.cut_until:
            await asyncio.sleep(link.base_s)
            raise WireFault("The registrar cannot be reached.", maybe_delivered=False)
        answer: asyncio.Future[tuple[T, int]] = loop.create_future()

        def arrive() -> None:
            if answer.done():  # who asked has given up and cut the connection
                return
            result = work()
            if not link.loses(loop.time()):
                second = int(self.registrar.wall()) * 1_000
                loop.call_outside(link.delay(loop.time()), _tell, answer, (result, second))

        if not link.loses(loop.time()):
            loop.call_outside(link.delay(loop.time()), arrive)
        try:
            async with asyncio.timeout(self.answer_timeout_s):
                result, second = await answer
        except TimeoutError:
            link.seen.add("lost exchange")
            raise WireFault("The registrar did not answer in time.") from None
        for listener in self._listeners:
            listener(ClockSample(second, sent_at, self.clock.now()))
        return result


def _tell(answer: "asyncio.Future[T]", result: T) -> None:
    if not answer.done():
        answer.set_result(result)


class SimUpload:
    """`domain.wire.Upload`: one long request, answers as they come."""

    def __init__(self, wire: SimWire, session: OpenSession) -> None:
        """Begin to connect."""
        self._wire = wire
        self._loop, self._link = wire.loop, wire.link
        self._place = copy_context()
        self.session = session
        self._awaiting: dict[str, float] = {}
        self._hear: Hear | None = None
        self._early: list[Sequence[Answer] | End] = []
        self._is_up = False
        self._is_finished = False
        self._is_cut = False
        self._there: deque[tuple[Line, float, bool]] = deque()
        self._back: deque[Sequence[Answer] | End] = deque()
        self._there_at = self._back_at = 0.0
        self.ended = False
        self._closed_there = False
        self._is_mute = False
        self._watchdog: asyncio.TimerHandle | None = None
        self._loop.call_later(2 * self._link.delay(self._loop.time()), self._connected)

    def is_clear(self) -> bool:
        """Say whether lines may be written: a stalled link holds them back."""
        return self._is_up and not self._is_shut() and self._loop.time() >= self._link.stalled_until

    def room(self) -> int:
        return max(0, 64 - len(self._awaiting)) if self.is_clear() else 0

    def write(self, lines: Sequence[Line], until: int | None = None) -> None:
        if self._is_shut() or not self._is_up:
            raise WireFault("The connection is closed.", maybe_delivered=False)
        now, link = self._loop.time(), self._link
        is_lost = link.loses(now)
        if is_lost:
            link.seen.add("bytes lost")
        for line in lines:
            self._awaiting[line.key] = now
            repeats = now < link.repeating_until and link.rng.random() < 0.3
            self._there.append((line, now, repeats))
        if is_lost:
            self._closed_there = True  # nothing gets through on this connection any more
        self._there_at = max(self._there_at, now + link.delay(now))
        self._loop.call_outside(self._there_at - now, self._arrive, len(lines))
        if self._watchdog is None:
            self._watchdog = self._loop.call_later(self._wire.answer_timeout_s, self._look)

    def listen(self, hear: Hear) -> None:
        self._hear = hear
        for told in self._early:
            hear(told)
        self._early.clear()

    async def finish(self) -> None:
        self._is_finished = True
        if self._is_up and not self._awaiting:
            self._loop.call_soon(self._end, End("finished"))

    def abort(self) -> None:
        if not self.ended and not self._is_cut:
            self._is_cut = True
            self._loop.call_soon(self._end, End("aborted", clean=False))
            if self._link.rng.random() < 0.5:
                self._closed_there = True

    def reset(self, *, kept: bool | None = None) -> None:
        """Break the connection, before or after what is under way was delivered."""
        if self.ended:
            return
        if kept is None:
            kept = self._link.rng.random() < 0.5
        self._link.seen.add("reset after delivery" if kept else "reset before delivery")
        self._closed_there = self._closed_there or not kept
        self._is_cut = True
        self._loop.call_soon(self._end, End("broken", clean=False), context=self._place)

    def close_there(self) -> None:
        """The registrar ended the session: it says so and reads no more."""
        if not self.ended and not self._closed_there:
            self._closed_there = True
            self._answer(End("session-ended", Scope.ACCOUNT))

    def _is_shut(self) -> bool:
        return self.ended or self._is_finished or self._is_cut

    def _connected(self) -> None:
        if self.ended or self._is_cut:
            return
        if self._loop.time() < self._link.cut_until:
            self._end(End("unreachable"))
            return
        self._is_up = True
        if self._is_finished:
            self._end(End("finished"))

    def _look(self) -> None:
        self._watchdog = None
        if self.ended or not self._awaiting:
            return
        wait_s = next(iter(self._awaiting.values())) + self._wire.answer_timeout_s - self._loop.time()
        if wait_s > 1e-6:
            self._watchdog = self._loop.call_later(wait_s, self._look)
            return
        self._link.seen.add("silence")
        self._is_cut = True
        self._end(End("silence", clean=False))

    def _arrive(self, count: int) -> None:
        """The registrar reads so many lines, one after the other."""
        registrar = self._wire.registrar
        for _ in range(count):
            line, left_at, repeats = self._there.popleft()
            for _ in range(1 + repeats):
                if self._closed_there:
                    break
                if self._is_cut:
                    self._link.seen.add("late delivery")
                said = registrar.take(self.session.session, line.key, line.body, left_at)
                if said is None:
                    self._closed_there = True
                    said = End("status-500", clean=False)
                elif isinstance(said, End):
                    self._closed_there = True
                self._answer(said)

    def _answer(self, said: Answer | End) -> None:
        now, trouble = self._loop.time(), self._wire.registrar.trouble
        self._is_mute = self._is_mute or self._link.loses(now)
        if self._is_mute:  # what is lost holds back all that would follow on this connection
            return
        think_s = self._wire.registrar.rng.uniform(0.001, 0.01) * (60 if now < trouble.slow else 1)
        self._back_at = max(self._back_at, now + think_s + self._link.delay(now))
        self._back.append([said] if isinstance(said, Answer) else said)
        if now < trouble.garbled and self._link.rng.random() < 0.05:
            self._back[-1] = End("unreadable", clean=False)
            self._closed_there = True
        # told in the world's own name, and heard in the host's: a dead host hears nothing
        self._loop.call_outside(self._back_at - now, self._read)

    def _read(self) -> None:
        self._loop.call_soon(self._take, context=self._place)

    def _take(self) -> None:
        said = self._back.popleft()
        if self.ended or self._is_cut:
            return
        if isinstance(said, End):
            self._end(said)
            return
        known = [answer for answer in said if self._awaiting.pop(answer.key, None) is not None]
        if known:
            self._tell(known)
        if self._is_finished and not self._awaiting:
            self._end(End("finished"))

    def _end(self, end: End) -> None:
        if self.ended:
            return
        self.ended = True
        if self._watchdog is not None:
            self._watchdog.cancel()
        if not end.clean and not self._awaiting:
            end = End(end.code, end.scope, end.retry_after_ms, end.opens_at, clean=True)
        self._tell(end)

    def _tell(self, said: Sequence[Answer] | End) -> None:
        if self._hear is None:
            self._early.append(said)
        else:
            self._hear(said)
