"""Sending: what is written when, and how the exchanges with the registrar follow one another within one session.

`pump` is the only place that writes records. It is one synchronous step: the permits are looked at, the transport is empty, the window
is open, the lines leave. It is called whenever one of these may have changed. It must not claim, settle or give back.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from domain.clock import Clock
from domain.errors import WireFault
from domain.events import LoopFailed, Pushback, RecordsSent
from domain.wire import Answer, End, OpenSession, Upload
from workers.answers import Answers
from workers.ending import Push, Verdict, after_end
from workers.resolve import Resolver
from workers.seat import Seat
from workers.station import Station
from workers.stock import Stock


class Sending:
    """The exchanges of one session."""

    def __init__(
        self, station: Station, seat: Seat, session: OpenSession, stock: Stock, answers: Answers
    ) -> None:
        """Nothing is opened until `open`."""
        self._station = station
        self._clock: Clock = station.clock
        self._seat = seat
        self._session = session
        self._stock = stock
        self._answers = answers
        self.resolver = Resolver(station, seat, session, stock, answers)
        self.changed = asyncio.Event()
        self.resolver.on_answer = self._look_again
        answers.on_stopped = self.changed.set
        self._verdict: Verdict | None = None
        #: called when the registrar says to slow down while the exchange goes on
        self.on_warning: Callable[[Push], None] = _nobody
        #: the last such word of this exchange, until it is counted
        self._warning: Pushback | None = None
        self.closes_at: int | None = None
        self.leaving = False
        self.last_line_at = self._clock.monotonic()
        self._upload: Upload | None = None
        self._over = asyncio.Event()
        self._answered = 0
        self._hiccups = 0
        #: records sent since that was last told
        self._untold = 0

    def is_open(self) -> bool:
        """Say whether an exchange stands."""
        return self._upload is not None

    def open(self) -> None:
        """Begin an exchange."""
        self._verdict = None
        self._answered = 0
        self._over.clear()
        self._upload = upload = self._station.wire.open(self._session)
        upload.listen(partial(self._hear, upload))

    def wants(self) -> int:
        """Return how many records could be sent, and questions asked, now."""
        if self.leaving or self._upload is None or self._station.settler.is_behind() or self.is_closed():
            return 0
        return min(self._upload.room(), self._stock.sendable()) + self.resolver.wants()

    def pump(self) -> None:
        """Write what may be written now."""
        upload = self._upload
        if upload is None or self.leaving or not self._seat.usable() or self.is_closed():
            return
        self.resolver.ask()
        count = min(upload.room(), self._stock.sendable(), self._seat.usable())
        if count <= 0:
            return
        now = self._clock.monotonic()
        lines = self._stock.take(count, now)
        if not lines:
            return
        until = self._seat.spend(len(lines))
        try:
            upload.write(lines, until)
        except WireFault:  # the transport closed under us: nothing left, the reader will tell why
            self._seat.unspend(len(lines))
            self._stock.put_back([line.key for line in lines])
            return
        except Exception as error:  # noqa: BLE001 - how much of it left is not known; who called us must not suffer from it
            self._break_off(upload, "write", error)
            return
        self.last_line_at = now
        if self._is_low():  # else more would be claimed, or marked, when the first answer comes
            self.changed.set()
        self._untold += len(lines)

    def tell(self) -> None:
        """Tell how many records were sent, and how long answers took: once a round, not with every handful."""
        self._answers.tell()
        if self._untold:
            lease = self._seat.lease
            self._station.emit(RecordsSent(self._station.registry, lease.party, lease.account, self._untold))
            self._untold = 0

    def take_verdict(self) -> Verdict | None:
        """Return what the end of the exchange means, once; None while it goes on."""
        verdict, self._verdict = self._verdict, None
        return verdict

    def is_closed(self) -> bool:
        """Say whether the window has come to its guard by the registrar's clock."""
        left_ms = self.closes_in_ms()
        return left_ms is not None and left_ms <= 0

    def is_blocked(self) -> bool:
        """Say whether lines wait for the connection alone: no wire tells when it stands, or has let go of its last byte."""
        upload = self._upload
        return upload is not None and not upload.is_clear() and self._stock.sendable() > 0

    def closes_in_ms(self) -> int | None:
        """Return how long the window is still open, its guard not counted (ms); None where its end is far off."""
        if self.closes_at is None:
            return None
        return self.closes_at - int(self._station.rules.guard_s * 1000) - self._station.registrar_now()

    async def drain(self, *, cut: bool) -> None:
        """End the exchange: unanswered lines are waited for, or cut off when unsent bytes must not leave any more."""
        self.leaving = True
        upload = self._upload
        if upload is not None:
            if cut and not upload.is_clear():
                upload.abort()
            else:
                await upload.finish()
            if not await self._is_over(self._station.rules.answer_timeout_s + 1):
                upload.abort()
                await self._is_over(1)
            self._end(End("broken", clean=False))
        await self.resolver.stop()
        self._stock.lose_all()
        self.tell()

    def abort(self) -> None:
        """Cut the exchange at once."""
        self.leaving = True
        if self._upload is not None:
            self._upload.abort()

    async def _is_over(self, within_s: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._over.wait()
        return self._over.is_set()

    def _hear(self, upload: Upload, handful: Sequence[Answer] | End) -> None:
        """Take what the registrar says, in the step in which it is read."""
        if upload is not self._upload:
            return
        if isinstance(handful, End):
            self._end(handful) if handful.is_last else self._warn(handful)
            return
        try:
            count = self._answers.take(handful, self._clock.monotonic())
        except Exception as error:  # noqa: BLE001 - what of it was taken is not known: the rest of this exchange is unknown
            self._break_off(upload, "answers", error)
            return
        self._answered += count
        self._seat.settle(count)
        self.pump()
        self._station.pacer.nudge(self._seat)
        if self._is_low() or self._stock.asking() > 0 or self._stock.next_due() is not None:
            self.changed.set()

    def _warn(self, end: End) -> None:
        """Hand on a pause that must not wait until the exchange's other requests have ended."""
        verdict = after_end(
            end, progressed=True, hiccups=0, expired=False, registrar_now=self._station.registrar_now()
        )
        if verdict.is_pushback and verdict.push is not None:
            push, lease = verdict.push, self._seat.lease
            self._warning = Pushback(
                self._station.registry, lease.party, push.scope.value, "end", push.pause_ms
            )
            self.on_warning(push)

    def _count_warning(self, verdict: Verdict) -> None:
        """Count, for brake and boards, a pause that was told ahead, where the exchange's own end is another's: else that one counts."""
        warning, self._warning = self._warning, None
        if warning is not None and not verdict.is_pushback:
            self._station.signals.pushbacks += 1
            self._station.emit(warning)

    def _break_off(self, upload: Upload, what: str, error: Exception) -> None:
        """Give this exchange up: what is out of it is unknown."""
        self._station.emit(
            LoopFailed(self._station.registry, self._seat.lease.party, what, type(error).__name__)
        )
        # first, since cutting may tell an end at once, and a clean one: the wire knows only that all was answered
        self._end(End("broken", clean=False))
        upload.abort()

    def _look_again(self) -> None:
        """A question was answered: what follows must not wait for the next round or tick."""
        self.pump()
        self._station.pacer.nudge(self._seat)
        self.changed.set()

    def _is_low(self) -> bool:
        """Say whether lines, or marked ones, run low."""
        stock, unsent = self._stock, self._stock.unsent()
        return unsent < stock.low_water or stock.sendable() < min(stock.mark_water, unsent)

    def _end(self, end: End) -> None:
        """Sort out what was out: not recorded where the end is clean, unknown where it is not. A second end changes nothing."""
        if self._upload is None:
            return
        self._upload = None
        self._over.set()
        progressed = self._answered > 0
        self._hiccups = 0 if progressed else self._hiccups + 1
        if end.clean:
            self._seat.settle(self._stock.put_back(list(self._stock.out)))
        else:
            self._stock.lose_all()
            self._station.signals.errors += 1
        idle_ms = self._clock.monotonic() - self.last_line_at
        self._verdict = verdict = after_end(
            end,
            progressed=progressed,
            hiccups=self._hiccups,
            expired=idle_ms >= self._session.expires_in_s * 1000 * 0.9,
            registrar_now=self._station.registrar_now(),
        )
        self._count_warning(verdict)
        self.changed.set()


def _nobody(push: Push) -> None:
    """Hear nothing."""
