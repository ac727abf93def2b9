"""One request for records in the simulator, in place of `workers.wires.exchange.OpenRequest` below the product's `stream` and `batch`.

Bytes keep their order. What was written before a connection was cut may still arrive: late, but never later than the link's longest.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextvars import copy_context
from dataclasses import replace
from typing import Protocol

from domain.errors import WireFault
from domain.wire import Answer, End, Line, OpenSession, Scope
from tests.sim.link import Way


class Owner(Protocol):
    """The upload that a request belongs to."""

    def on_answers(self, request: "SimRequest", answers: Sequence[Answer]) -> None:
        """Take answers."""

    def on_end(self, request: "SimRequest", end: End) -> None:
        """Take the end."""


class SimRequest:
    """One request whose lines are written while its answers come."""

    def __init__(self, way: Way, session: OpenSession, owner: Owner, *, eager_headers: bool) -> None:
        """Take a kept connection, or begin to connect."""
        self._way, self._owner = way, owner
        self._loop, self._link = way.loop, way.link
        self._place = copy_context()
        self.session_name = session.session
        self.awaiting: dict[str, float] = {}
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
        way.note(self)
        if not eager_headers and way.take_kept():
            self._is_up = True
        else:
            self._loop.call_later(2 * self._link.delay(self._loop.time()), self._connected)

    def is_clear(self) -> bool:
        """Say whether lines may be written: a stalled link holds them back."""
        return self._is_up and not self._is_shut() and self._loop.time() >= self._link.stalled_until

    def write(self, lines: Sequence[Line], *, last: bool = False) -> None:
        """Write all lines; each may be lost, and with it all that follow."""
        if self._is_shut() or not self._is_up:
            raise WireFault("The connection is closed.", maybe_delivered=False)
        now, link = self._loop.time(), self._link
        is_lost = link.loses(now)
        if is_lost:
            link.seen.add("bytes lost")
        for line in lines:
            self.awaiting[line.key] = now
            repeats = now < link.repeating_until and link.rng.random() < 0.3
            self._there.append((line, now, repeats))
        self._is_finished = last
        if is_lost:
            self._closed_there = True  # nothing gets through on this connection any more
        self._there_at = max(self._there_at, now + link.delay(now))
        self._loop.call_outside(self._there_at - now, self._arrive, len(lines))
        if self._watchdog is None:
            self._watchdog = self._loop.call_later(self._way.answer_timeout_s, self._look)

    def finish(self) -> None:
        """Say that no more lines come."""
        self._is_finished = True
        if self._is_up and not self.awaiting:
            self._loop.call_soon(self._end, End("finished"))

    def abort(self, end: End | None = None) -> None:
        """Cut the connection."""
        if not self.ended and not self._is_cut:
            self._is_cut = True
            self._loop.call_soon(self._end, end or End("aborted", clean=False))
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
        if not self.ended and not self._closed_there and self._is_up:
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
        if self.ended or not self.awaiting:
            return
        wait_s = next(iter(self.awaiting.values())) + self._way.answer_timeout_s - self._loop.time()
        if wait_s > 1e-6:
            self._watchdog = self._loop.call_later(wait_s, self._look)
            return
        self._link.seen.add("silence")
        self._is_cut = True
        self._end(End("silence", clean=False))

    def _arrive(self, count: int) -> None:
        """The registrar reads so many lines, one after the other; a request that is too large as a whole it does not read."""
        held_s = self._link.holds(self._loop.time())
        if held_s > 0:
            self._loop.call_outside(held_s, self._arrive, count)
            return
        registrar = self._way.registrar
        arrived = [self._there.popleft() for _ in range(count)]
        if registrar.most_lines is not None and count > registrar.most_lines and not self._closed_there:
            registrar.seen["413 too large"] += 1
            self._closed_there = True
            self._answer(End("too-large"))
        for line, left_at, repeats in arrived:
            for _ in range(1 + repeats):
                if self._closed_there:
                    break
                if self._is_cut:
                    self._link.seen.add("late delivery")
                said = registrar.take(self.session_name, line.key, line.body, left_at)
                if said is None:
                    self._closed_there = True
                    said = End("status-500", clean=False)
                elif isinstance(said, End):
                    self._closed_there = True
                self._answer(said)

    def _answer(self, said: Answer | End) -> None:
        now, trouble = self._loop.time(), self._way.registrar.trouble
        self._is_mute = self._is_mute or self._link.loses(now)
        if self._is_mute:  # what is lost holds back all that would follow on this connection
            return
        self._back_at = max(self._back_at, now + self._way.registrar.think_s() + self._link.delay(now))
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
            self._way.registrar.heard(said)
            self._end(said)
            return
        known = [answer for answer in said if self.awaiting.pop(answer.key, None) is not None]
        if known:
            self._owner.on_answers(self, known)
        if self._is_finished and not self.awaiting:
            self._end(End("finished"))

    def _end(self, end: End) -> None:
        if self.ended:
            return
        self.ended = True
        if self._watchdog is not None:
            self._watchdog.cancel()
        if end.code == "finished":
            self._way.keep()
        if not end.clean and not self.awaiting:
            end = replace(end, clean=True)
        self._owner.on_end(self, end)
