"""The gate and its slow model, asked the same things: one that answers otherwise than the other is wrong."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from domain.errors import GateLost
from domain.quota import AccountQuota, Debt, Lease, LeaseRefused, RegistryQuota, Share
from domain.wire import Scope
from quotas.quotas import RedisQuotas
from tests.quotas.model import Model
from tests.quotas.rig import REGISTRY, ManualMicros, Session

PARTY_OF = {"a1": "P1", "a2": "P1", "a3": "P1", "b1": "P2", "b2": "P2"}
ACCOUNTS = sorted(PARTY_OF)
PARTIES = ["P1", "P2"]
HOLDERS = ["w1", "w2"]


@dataclass
class Pair:
    """The gate and its model, asked the same things."""

    quotas: RedisQuotas
    model: Model
    clock: ManualMicros
    quota: RegistryQuota
    sessions: list[Session] = field(default_factory=list)
    tick_no: int = 0
    epoch: int = 1

    def session(self, pick: int) -> Session | None:
        """One of the leases so far, the newest first; dead ones are asked about too."""
        return self.sessions[-1 - pick % len(self.sessions)] if self.sessions else None

    async def play(self, operation: tuple[Any, ...]) -> None:
        """Do one thing with both, and compare."""
        name, *args = operation
        if name == "pass":
            self.clock.advance(args[0])
            return
        self.model.call(self.clock())
        doings: dict[str, Callable[..., Awaitable[None]]] = {
            "round": self._round, "silence": self._silence, "lease": self._lease, "tick": self._tick, "work": self._work,
            "renew": self._renew, "fenced": self._fenced, "limit": self._limit, "release": self._release, "share": self._share,
            "open": self._open, "quarantine": self._quarantine, "push_back": self._push_back, "hold": self._hold,
            "end": self._end, "configure": self._configure, "owe": self._owe, "leads": self._leads, "deposed": self._deposed,
        }  # fmt: skip
        await doings[name](*args)
        self.model.close()

    async def _round(self, ms: int, holder: int, want: int, pick: int) -> None:
        """A pacer's round: time passes, permits are drawn and used, answers come in."""
        self.clock.advance(ms)
        self.model.call(self.clock())
        await self._tick(holder, want, "heard")
        for i in range(3):
            await self._work(pick + i, want, want - i, i % 2, pick * 10 * i)

    async def _silence(self, steps: int) -> None:
        """Nobody but the scheduler is heard of for a while."""
        for _ in range(steps):
            self.clock.advance(290)
            await self.compare()

    async def compare(self) -> None:
        """Both must show the same use."""
        usage = await self.quotas.usage(REGISTRY)
        self.model.call(self.clock())
        sessions, parties = self.model.uses()
        assert sorted(usage.sessions, key=lambda s: s.account) == sessions
        assert usage.parties == parties
        assert usage.gate_at == self.model.at // 1000
        assert (usage.outstanding, usage.sent) == (self.model.bucket.out, self.model.sent)
        assert usage.level == self.model.bucket.level_at(self.model.at) / 10**10
        assert usage.standing == self.model.bucket.standing(self.model.at) / 10**10

    async def _lease(self, pick: int, holder: int) -> None:
        account, who = ACCOUNTS[pick % len(ACCOUNTS)], HOLDERS[holder % 2]
        real = await self.quotas.lease(REGISTRY, PARTY_OF[account], account, who)
        told = self.model.lease(PARTY_OF[account], account, who)
        if isinstance(real, LeaseRefused):
            assert (real.bound_by, real.retry_after_ms) == told
        else:
            assert real.token == told
            self.sessions.append(Session(real))

    async def _tick(self, holder: int, want: int, how: str) -> None:
        who = HOLDERS[holder % 2]
        mine = [s for s in self.sessions if s.lease.holder == who][-4:]
        number = self.tick_no if how == "late" else self.tick_no + 1
        self.tick_no = max(self.tick_no, number)
        lines = [s.line(want + i if want else 0) for i, s in enumerate(mine)]
        real = await self.quotas.tick(REGISTRY, who, number, lines)
        assert list(real) == self.model.tick(who, number, lines)
        if how == "heard":
            for session, permit in zip(mine, real, strict=True):
                session.learn(permit)

    async def _work(self, pick: int, send: int, settle: int, lapse: int, ago: int) -> None:
        session = self.session(pick)
        if session:
            session.sent += min(send, session.granted - session.lapsed - session.sent)
            session.lapsed += min(lapse, session.granted - session.lapsed - session.sent)
            session.settled += min(settle, session.sent - session.settled)
            session.ago = ago

    async def _renew(self, pick: int) -> None:
        session = self.session(pick)
        if session:
            real = await self.quotas.renew(session.lease)
            assert real == self.model.renew(session.lease.account, session.lease.token)

    async def _fenced(self, pick: int) -> None:
        session = self.session(pick)
        if session:
            await self.quotas.fenced(session.lease)
            self.model.fenced(session.lease.account, session.lease.token)

    async def _limit(self, pick: int, rate: float, burst: int) -> None:
        session = self.session(pick)
        if session:
            await self.quotas.limit_account(session.lease, AccountQuota(rate, burst))
            found = self.model.held_by(session.lease.account, session.lease.token)
            if found:
                found[0].told = AccountQuota(rate, burst)
                found[0].limit(self.model.at)

    async def _release(self, pick: int, logged_out: bool) -> None:
        session = self.session(pick)
        if session:
            await self.quotas.release(session.line(), logged_out=logged_out)
            self.model.release(session.line(), logged_out=logged_out)

    async def _share(self, pick: int, rate: float, burst: int, span: int, cap: int, braked: float) -> None:
        shares = {PARTIES[pick % 2]: Share(rate, burst, span, cap)}
        await self.quotas.set_shares(REGISTRY, self.epoch, shares, braked)
        self.model.set_shares(shares, braked)

    async def _open(self) -> None:
        shares = {party: Share(30, 40, 5000) for party in PARTIES}
        await self.quotas.set_shares(REGISTRY, self.epoch, shares, 100)
        self.model.set_shares(shares, 100)

    async def _quarantine(self, pick: int, span: int) -> None:
        account = ACCOUNTS[pick % len(ACCOUNTS)]
        await self.quotas.quarantine(REGISTRY, PARTY_OF[account], account, span)
        if account in self.model.accounts:
            barred = self.model.accounts[account]
            barred.party = barred.party or PARTY_OF[account]
            barred.barred = max(barred.barred, self.model.at + span * 1000)

    async def _push_back(self, scope: Scope, pick: int, span: int) -> None:
        who = {Scope.ACCOUNT: ACCOUNTS[pick % 5], Scope.PARTY: PARTIES[pick % 2], Scope.REGISTRY: ""}[scope]
        await self.quotas.push_back(REGISTRY, scope, who, span)
        until = self.model.at + span * 1000
        if scope is Scope.REGISTRY:
            self.model.blocked = max(self.model.blocked, until)
        elif scope is Scope.PARTY:
            self.model.party(who).blocked = max(self.model.party(who).blocked, until)
        elif who in self.model.accounts:
            self.model.accounts[who].blocked = max(self.model.accounts[who].blocked, until)

    async def _hold(self, party: str | None, on: bool) -> None:
        await self.quotas.hold(REGISTRY, party, on=on, epoch=self.epoch)
        if party is None:
            if self.model.held and not on:
                self.model.blocked = 0
            self.model.held = on
        else:
            held = self.model.party(party)
            if held.held and not on:
                held.blocked = 0
            held.held = on

    async def _end(self, pick: int) -> None:
        names = [ACCOUNTS[pick % len(ACCOUNTS)], "nobody"]
        await self.quotas.end_sessions(REGISTRY, names, epoch=self.epoch)
        self.model.tell_to_end(names)

    async def _owe(self, pick: int, sent: int, settled: int, span: int) -> None:
        """What leases of generation 0, and of an account that was never configured, may still bring; and one that the gate knows itself."""
        account = [*ACCOUNTS, "gone"][pick % 6]
        party = PARTY_OF.get(account, "P2")
        debts = [
            Debt(Lease(REGISTRY, party, account, "w1", 1 + sent % 2, 0), sent, settled, span),
            *(Debt(s.lease, s.sent, s.settled, span) for s in self.sessions[-2:]),
        ]
        real = await self.quotas.owe(REGISTRY, debts)
        assert real == [self.model.owe(debt) for debt in debts]

    async def _configure(self, chosen: int, rate: float, burst: int) -> None:
        accounts = {n: AccountQuota(rate, burst) for i, n in enumerate(ACCOUNTS) if chosen & (1 << i)}
        await self.quotas.configure(self.quota, accounts, epoch=self.epoch)
        self.model.configure(accounts)

    async def _leads(self) -> None:
        """Another scheduler leads from now on, and has written."""
        self.epoch += 1
        await self.quotas.end_sessions(REGISTRY, [], epoch=self.epoch)

    async def _deposed(self, pick: int) -> None:
        """The one before wakes and writes: the model knows nothing of it."""
        await self._leads()
        older, everybody = self.epoch - 1, list(ACCOUNTS)
        shares = {party: Share(1, 1, 0) for party in PARTIES}
        doings: list[Awaitable[None]] = [
            self.quotas.hold(REGISTRY, None, on=not self.model.held, epoch=older),
            self.quotas.hold(REGISTRY, PARTIES[pick % 2], on=True, epoch=older),
            self.quotas.end_sessions(REGISTRY, everybody, epoch=older),
            self.quotas.configure(self.quota, {}, epoch=older),
            self.quotas.set_shares(REGISTRY, older, shares, 0),
            self.quotas.begin(2, self.quota, epoch=older),
        ]
        for doing in doings:
            with pytest.raises(GateLost):
                await doing
