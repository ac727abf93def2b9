"""The gate as one process of the simulator asks it: what each script of `quotas/lua` does, done to a model at the server."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from domain.errors import GateLost
from domain.quota import (
    AccountQuota,
    BoundBy,
    Debt,
    Lease,
    LeaseRefused,
    Permit,
    RegistryQuota,
    Share,
    Signals,
    TickLine,
    Usage,
)
from domain.wire import Scope
from tests.quotas.model_parts import UNIT
from tests.sim.gate_model import GatedModel
from tests.sim.gate_server import GateServer

T = TypeVar("T")
PERMIT_MS = 1_000


class GateClient:
    """`domain.quota.Quotas` of one process."""

    def __init__(self, server: GateServer) -> None:
        """Talk to this server."""
        self._server = server
        self._newest_epoch = 0
        self._confirmed_at = 0

    async def begin(self, generation: int, quota: RegistryQuota, *, epoch: int = 0) -> None:
        def work() -> None:
            wait_ms = quota.answer_timeout_ms + PERMIT_MS if generation > 1 else 0
            found = self._server.models.get(quota.registry)
            if found is not None:
                found.call(self._server.clock_us())
                if found.generation > generation:
                    raise GateLost
                self._led(found, epoch)
            if found is None:
                found = GatedModel(quota, self._server.clock_us(), generation, wait_ms)
            elif found.generation < generation:
                found = found.begin(generation, quota, wait_ms)
            found.epoch = max(found.epoch, epoch)
            found.limit(quota)
            self._server.models[quota.registry] = found

        await self._server.ask(work)

    async def configure(
        self, quota: RegistryQuota, accounts: Mapping[str, AccountQuota], *, epoch: int = 0
    ) -> None:
        def work(model: GatedModel) -> None:
            self._led(model, epoch)
            model.limit(quota)
            model.configure(accounts)

        await self._change(quota.registry, work)

    async def lease(self, registry: str, party: str, account: str, holder: str) -> Lease | LeaseRefused:
        def work(model: GatedModel | None) -> Lease | LeaseRefused:
            if model is None:
                return LeaseRefused(BoundBy.STARTING, 1000)
            token = model.lease(party, account, holder)
            if isinstance(token, int):
                return Lease(registry, party, account, holder, token, model.generation)
            return LeaseRefused(*token)

        return await self._look(registry, work)

    async def renew(self, lease: Lease) -> bool:
        return await self._look(
            lease.registry, lambda model: model is not None and model.renew(lease.account, lease.token)
        )

    async def fenced(self, lease: Lease) -> None:
        def work(model: GatedModel | None) -> None:
            if model is not None:
                model.fenced(lease.account, lease.token)

        await self._look(lease.registry, work)

    async def limit_account(self, lease: Lease, quota: AccountQuota) -> None:
        def work(model: GatedModel | None) -> None:
            found = model.held_by(lease.account, lease.token) if model is not None else None
            if model is not None and found is not None:
                found[0].told = quota
                found[0].limit(model.at)

        await self._look(lease.registry, work)

    async def tick(
        self, registry: str, holder: str, tick_no: int, lines: Sequence[TickLine]
    ) -> Sequence[Permit]:
        def work(model: GatedModel | None) -> Sequence[Permit]:
            if model is None:
                return [Permit(False, 0, 0, 0, BoundBy.STARTING, 1000)] * len(lines)
            return model.tick(holder, tick_no, list(lines))

        return await self._look(registry, work)

    async def release(self, line: TickLine, *, logged_out: bool) -> None:
        def work(model: GatedModel | None) -> None:
            if model is not None:
                model.release(line, logged_out=logged_out)

        await self._look(line.lease.registry, work)

    async def owe(self, registry: str, debts: Sequence[Debt]) -> Sequence[bool]:
        return await self._change(registry, lambda model: [model.owe(debt) for debt in debts])

    async def quarantine(self, registry: str, party: str, account: str, for_ms: int) -> None:
        def work(model: GatedModel) -> None:
            found = model.accounts.get(account)
            if found is not None:
                found.party = found.party or party
                found.barred = max(found.barred, model.at + for_ms * 1000)

        await self._change(registry, work)

    async def set_shares(self, registry: str, epoch: int, shares: Mapping[str, Share], rate: float) -> None:
        def work(model: GatedModel) -> None:
            if epoch < model.epoch:
                self._led(model, epoch)
            model.epoch, model.braked = epoch, rate
            model.set_shares(shares, rate)
            late = min(0, self._confirmed_at - model.seen)
            for name in shares:
                model.parties[name].wall_at += late

        await self._change(registry, work)

    async def end_sessions(self, registry: str, accounts: Sequence[str], *, epoch: int = 0) -> None:
        def work(model: GatedModel) -> None:
            self._led(model, epoch)
            model.tell_to_end(accounts)

        await self._change(registry, work)

    async def push_back(self, registry: str, scope: Scope, who: str, retry_after_ms: int) -> None:
        def work(model: GatedModel) -> None:
            until = model.at + retry_after_ms * 1000
            if scope is Scope.REGISTRY:
                model.blocked = max(model.blocked, until)
                return
            whom = model.party(who) if scope is Scope.PARTY else model.accounts.get(who)
            if whom is not None:
                whom.blocked = max(whom.blocked, until)

        await self._change(registry, work)

    async def hold(self, registry: str, party: str | None, *, on: bool, epoch: int = 0) -> None:
        def work(model: GatedModel) -> None:
            self._led(model, epoch)
            whom = model if party is None else model.party(party)
            if whom.held and not on:
                whom.blocked = 0
            whom.held = on

        await self._change(registry, work)

    async def report(self, registry: str, holder: str, signals: Signals) -> None:
        await self._change(registry, lambda model: model.report(holder, signals))

    async def usage(self, registry: str) -> Usage:
        def work(model: GatedModel | None) -> Usage:
            if model is None:
                return Usage(0, 0, 0.0, 0, 0, is_new=True)
            sessions, parties = model.uses()
            level = model.bucket.level_at(model.at) / UNIT
            signals = replace(model.signals, closed_ms=model.ms(model.blocked))
            return Usage(
                model.generation, model.at // 1000, level, model.bucket.out, model.sent, sessions, parties, signals,
                model.held, rate=round(model.bucket.rate / 9999, 3), standing=model.bucket.standing(model.at) / UNIT,
            )  # fmt: skip

        return await self._look(registry, work)

    async def lead(self, holder: str, ttl_ms: int) -> int | None:
        epoch, at = await self._server.ask(
            lambda: (self._server.lead(holder, ttl_ms, self._newest_epoch), self._server.clock_us())
        )
        self._confirmed_at = at
        return epoch or None

    def _led(self, model: GatedModel, epoch: int) -> None:
        if 0 < epoch < model.epoch:
            self._newest_epoch = max(self._newest_epoch, model.epoch)
            raise GateLost
        model.epoch = max(model.epoch, epoch)

    async def _look(self, registry: str, work: Callable[[GatedModel | None], T]) -> T:
        def run() -> T:
            model = self._server.models.get(registry)
            if model is not None:
                model.call(self._server.clock_us())
            result = work(model)
            if model is not None:
                model.close()
            return result

        return await self._server.ask(run)

    async def _change(self, registry: str, work: Callable[[GatedModel], T]) -> T:
        def run(model: GatedModel | None) -> T:
            if model is None:
                raise GateLost
            return work(model)

        return await self._look(registry, run)
