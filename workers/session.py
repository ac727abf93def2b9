"""One session of one party at one registrar, from the wish to the lease given back.

1. A message is a wish: take a lease on a free active account, or end.
2. Take a seat at the pacer: from now on the lease is renewed.
3. Log in, straight after the lease was taken, or else renewed. A refusal is told to the gate, and, where people must act, to them.
4. Claim slices, one ahead of what is being sent, so that the pace does not dip at a slice's end; open them with their job's key.
5. Whenever permits, room and lines come together, lines leave (`sending.pump`); answers go to the settler as they are read.
6. Go on until there is nothing left, the turn or the window is over, the lease is lost, or the registrar says so.
7. However it ends: wait for answers still due, settle them, give slices back with their unknown lines, log out, give the lease back.

Nothing here knows HTTP, SQL or Redis.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from domain.errors import GateLost
from domain.events import LoopFailed, SessionEnded, SessionStarted
from domain.quota import AccountQuota, BoundBy, Lease
from domain.wire import LoginRefused, OpenSession
from workers.answers import Answers
from workers.ending import WAIT_INSIDE_MS, Push, Reason, after_end, after_refusal
from workers.heeding import heed, pause
from workers.login import log_in, take_lease, told_quota
from workers.seat import Seat
from workers.sending import Sending
from workers.station import Station
from workers.stock import Stock
from workers.supply import Supply

#: a round comes at least this often (s): it looks at turn, window and whatever was put off
ROUND_S = 1.0
#: rounds that nothing asked for come at instants that are so far apart (s) and common to all sessions: one step of the loop serves many
COMMON_S = 0.25
#: before a line that is overdue is looked at again (s)
OVERDUE_S = 0.05
#: before a connection is looked at again that lines wait for (s)
BLOCKED_S = 0.025
#: tries to settle the last answers before the session gives up and leaves them to the rescue
LAST_TRIES = 5


@dataclass(frozen=True, slots=True)
class SessionReport:
    """How a session went: None for `reason` when there was no account to be had."""

    reason: Reason | None
    account: str = ""
    sent: int = 0
    settled: int = 0


async def run_session(station: Station, party: str) -> SessionReport:
    """Serve one wish for a session of `party`."""
    leased_at = station.clock.monotonic()
    try:
        lease = await take_lease(station, party)
    except GateLost:
        return SessionReport(None)
    if lease is None:
        return SessionReport(None)
    session = Session(station, lease, leased_at)
    task = asyncio.get_running_loop().create_task(session.run(), name=f"session-{lease.account}")
    task.add_done_callback(lambda _: station.in_hand.discard(lease.account))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        session.stop()
        await asyncio.wait([task])
        raise


class Session:
    """One lease's session; `run` is its whole life."""

    def __init__(self, station: Station, lease: Lease, leased_at: int) -> None:
        """Hold the lease, asked for at `leased_at` (monotonic ms); nothing has been said to the registrar yet."""
        self._leased_at = leased_at
        self._station = station
        self._lease = lease
        self._stock = Stock()
        self._supply = Supply(station, lease, self._stock)
        self._seat: Seat | None = None
        self._sending: Sending | None = None
        self._stopped = False
        self._telling: set[asyncio.Task[bool]] = set()
        self._rules = station.rules

    def stop(self) -> None:
        """End at once: what is out is waited for no longer than it takes to cut the line."""
        self._stopped = True
        if self._sending is not None:
            self._sending.abort()
            self._sending.changed.set()

    async def run(self) -> SessionReport:
        """Live from log-in to the lease given back, on every path."""
        station, lease = self._station, self._lease
        lease_ms = station.lease_ms - (station.clock.monotonic() - self._leased_at)
        seat = station.pacer.take_seat(lease, self._wants, self._on_permit, lease_ms)
        self._seat = seat
        session: OpenSession | LoginRefused = LoginRefused("unreachable")
        reason = Reason.FAULT
        try:
            session = await log_in(station, lease, self._leased_at)
            reason = await self._serve(session)
        except GateLost:
            reason = Reason.LEASE
        finally:
            await self._leave(seat, session, reason)
        station.emit(SessionEnded(station.registry, lease.party, lease.account, reason.value))
        station.wake(station.registry)
        return SessionReport(reason, lease.account, seat.sent, seat.settled)

    async def _serve(self, session: OpenSession | LoginRefused) -> Reason:
        """Work in an open session; or heed the refusal of one."""
        station, lease = self._station, self._lease
        assert self._seat is not None
        if isinstance(session, LoginRefused):
            if session.code == "lease-lost":
                return Reason.LEASE
            verdict = after_refusal(session, station.registrar_now())
            return await heed(station, lease, verdict, session.code) or Reason.REFUSED
        station.emit(SessionStarted(station.registry, lease.party, lease.account))
        self._set_pace(session, self._seat)
        answers = Answers(station, lease.party, self._stock)
        sending = self._sending = Sending(station, self._seat, session, self._stock, answers)
        sending.on_warning = self._pass_on
        reason = await self._work(sending, session)
        cut = self._stopped or reason is Reason.WINDOW
        await sending.drain(cut=cut)
        last = sending.take_verdict()
        if last is not None and last.is_pushback:  # said while the last answers were waited for
            await heed(station, lease, last, "end")
        return reason

    def _set_pace(self, session: OpenSession, seat: Seat) -> AccountQuota | None:
        """Fit the pace to the rules in force; returns what binds the account below them."""
        self._rules = rules = self._station.rules
        told = told_quota(session, rules)
        granted = AccountQuota(rules.account_rate, rules.account_burst)
        seat.pace(told or granted, AccountQuota(rules.rate, rules.burst))
        return told

    async def _heed_rules(self, session: OpenSession, seat: Seat) -> None:
        """Follow a change of limits: a rest that fits a slower pace would hold up a faster one."""
        if self._rules is self._station.rules:
            return
        told = self._set_pace(session, seat)
        if told is not None:  # it may not have been lower than what policy said at the log-in
            await self._station.quotas.limit_account(self._lease, told)

    async def _work(self, sending: Sending, session: OpenSession) -> Reason:
        """Claim, send and settle in rounds until something ends it."""
        sending.open()
        reopen_at: int | None = None
        while True:
            now = self._station.clock.monotonic()
            sending.closes_at = self._station.closes_at(self._lease.party, self._station.registrar_now())
            verdict = sending.take_verdict()
            if verdict is not None:
                reason = await heed(self._station, self._lease, verdict, verdict.set_aside or "end")
                if reason is not None:
                    return reason
                reopen_at = now + verdict.wait_ms
            if reopen_at is not None and now >= reopen_at:
                reopen_at = None
                sending.open()
            reason = await self._round(sending, session, now)
            if reason is not None:
                return reason
            await self._nap(sending, reopen_at)

    async def _round(self, sending: Sending, session: OpenSession, now: int) -> Reason | None:
        """Look at everything that can end the session; else see to it that there are lines to send."""
        reason = self._over(sending, session, now)
        if reason is None and sending.resolver.end is not None:
            end, sending.resolver.end = sending.resolver.end, None
            verdict = after_end(
                end, progressed=True, hiccups=0, expired=False, registrar_now=self._station.registrar_now()
            )
            reason = await heed(self._station, self._lease, verdict, end.code)
        if reason is not None:
            return reason
        assert self._seat is not None
        await self._heed_rules(session, self._seat)
        self._supply.retry_due(now)
        await self._supply.give_back_stuck(now)
        await self._supply.claim_ahead(self._seat.sent, now)
        await self._supply.mark_ahead()
        sending.pump()
        sending.tell()
        self._station.pacer.nudge(self._seat)
        return Reason.EMPTY if self._supply.is_dry and not self._stock.hands else None

    def _over(self, sending: Sending, session: OpenSession, now: int) -> Reason | None:
        seat = self._seat
        assert seat is not None
        if not seat.alive:
            return Reason.LEASE
        if self._stopped or self._station.stopping.is_set():
            return Reason.STOPPING
        if seat.ending or seat.bound_by is BoundBy.HOLD:
            return Reason.ENDING
        if sending.is_closed() or seat.bound_by is BoundBy.WINDOW:
            return Reason.WINDOW
        if seat.bound_by is BoundBy.PUSHBACK and seat.retry_at - now > WAIT_INSIDE_MS:
            return Reason.PUSHBACK
        if now - sending.last_line_at > session.expires_in_s * 1000 * 0.8:
            return Reason.TURN
        return None

    async def _nap(self, sending: Sending, reopen_at: int | None) -> None:
        """Rest until something changes, and never longer than a round."""
        rest_s = BLOCKED_S if sending.is_blocked() else ROUND_S
        now = self._station.clock.monotonic()
        for due in (reopen_at, self._stock.next_due(), self._supply.claims_at()):
            if due is not None:
                # overdue: the registry's retry budget is spent, and it earns a retry in seconds
                rest_s = min(rest_s, (due - now) / 1000 if due > now else OVERDUE_S)
        closes_in_ms = sending.closes_in_ms()
        if closes_in_ms is not None and closes_in_ms > 0:
            # unsent bytes are cut off before the guard is over, which may be as short as a round
            rest_s = min(rest_s, closes_in_ms / 1000)
        loop = asyncio.get_running_loop()
        until = loop.time() + rest_s
        timer = loop.call_at(
            until // COMMON_S * COMMON_S if rest_s == ROUND_S else until, sending.changed.set
        )
        await sending.changed.wait()
        timer.cancel()
        sending.changed.clear()

    def _pass_on(self, push: Push) -> None:
        """Tell the gate at once: what this session itself does about it follows from the exchange's end."""
        step = self._quietly(pause(self._station, self._lease, push.scope, push.pause_ms))
        telling = asyncio.get_running_loop().create_task(step, name="warning")
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)

    def _wants(self) -> int:
        return self._sending.wants() if self._sending is not None else 0

    def _on_permit(self) -> None:
        if self._sending is not None and self._seat is not None:
            self._sending.pump()
            if self._seat.is_shut():
                self._sending.changed.set()
                if not self._seat.alive:
                    self._station.owed.lose(self._seat, self._rules)

    async def _leave(self, seat: Seat, session: OpenSession | LoginRefused, reason: Reason) -> None:
        """Settle, give back, log out, release: each step whatever became of the one before."""
        if self._sending is not None:
            # also where draining was begun and cut short: what is out without an answer must be known as unknown
            self._sending.abort()
            await self._sending.drain(cut=True)
        if self._telling:
            await asyncio.wait(self._telling)
        await self._settle_last()
        for hand in self._stock.hands:
            if hand.unsettled:
                await self._quietly(self._supply.give_back(hand))
        logged_out = isinstance(session, LoginRefused) and not session.maybe_open
        if isinstance(session, OpenSession):
            logged_out = await self._station.wire.log_out(session)
        self._station.pacer.leave_seat(seat)
        self._station.owed.leave(seat, self._rules)
        if reason is not Reason.LEASE or seat.alive:
            await self._quietly(self._station.quotas.release(seat.last_line(), logged_out=logged_out))

    async def _settle_last(self) -> None:
        for _ in range(LAST_TRIES):
            if await self._quietly(self._station.settler.flush(self._supply.slice_ids)):
                return
            await asyncio.sleep(0.2)

    async def _quietly(self, step: Coroutine[Any, Any, object]) -> bool:
        """Do a last step and say whether it worked; what fails here is made good by the rescue and by the lease's end."""
        try:
            await step
        except Exception as error:  # noqa: BLE001 - the steps after this one must be done whatever it was
            self._station.emit(
                LoopFailed(self._station.registry, self._lease.party, "leave", type(error).__name__)
            )
            return False
        return True
