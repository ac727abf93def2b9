"""The simulator's gate against the real one: whatever is asked of both, generations and leaders too, both answer the same.

`tests/quotas/test_model.py` does so for draws and leases alone, on far longer histories.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import GateLost
from domain.quota import AccountQuota, Debt, Lease, Permit, Quotas, Share, Signals, TickLine, Usage
from domain.wire import Scope
from pratunam.embedded import EmbeddedServer
from quotas.quotas import RedisQuotas
from tests.quotas.rig import REGISTRY, ManualMicros, registry
from tests.servers import client_of
from tests.sim.gate import GateClient
from tests.sim.gate_server import GateServer
from tests.sim.virtual_loop import VirtualLoop

T = TypeVar("T")
QUOTA = registry(50, 20, 3, answer_timeout_ms=400, settle_ms=300, lease_ms=1500)
ACCOUNTS = {"a1": "P1", "a2": "P1", "b1": "P2"}
picks = st.integers(0, 5)
operations = st.one_of(
    st.tuples(st.just("pass"), st.sampled_from([1, 40, 250, 300, 1_000, 3_000, -2_000])),
    st.tuples(st.just("begin"), st.integers(-1, 1), st.integers(-1, 1)),
    st.tuples(st.just("lose")),
    st.tuples(st.just("lead"), picks, st.sampled_from([100, 2_000])),
    st.tuples(st.just("configure"), st.integers(0, 7), st.integers(-1, 1)),
    st.tuples(st.just("share"), st.integers(0, 40), st.sampled_from([0, 500, 9_000]), st.integers(-1, 1)),
    st.tuples(st.just("report"), picks, st.integers(0, 9), st.sampled_from(["", "busy"]), st.booleans()),
    st.tuples(st.just("lease"), picks),
    st.tuples(st.just("tick"), picks, st.integers(0, 9)),
    st.tuples(st.just("told"), picks, st.sampled_from(["renew", "fence", "limit", "release", "end"])),
    st.tuples(st.just("push_back"), st.sampled_from(list(Scope)), st.sampled_from([50, 900])),
    st.tuples(st.just("hold"), st.sampled_from(["P1", None]), st.booleans(), st.integers(-1, 1)),
    st.tuples(st.just("quarantine"), picks),
    st.tuples(st.just("owe"), picks, st.sampled_from([200, 2_000])),
)


class AtOnce(GateServer):
    """The simulated gate without its network."""

    async def ask(self, work: Callable[[], T]) -> T:
        """Do it in this step."""
        return work()


class Both:
    """The real gate and the simulated one, asked the same things."""

    def __init__(self, client: Any) -> None:
        """Both know nothing."""
        self._client, self.clock = client, ManualMicros()
        loop = cast("VirtualLoop", SimpleNamespace(time=lambda: 0.0))
        self._server = AtOnce(loop, self.clock, random.Random(1))
        self._real = RedisQuotas(client, test_clock=self.clock)
        self._simulated = GateClient(self._server)
        self._generation, self._epoch, self._tick_no = 1, 1, 0
        self._leases: list[TickLine] = []

    async def same(self, what: Callable[[Quotas], Awaitable[Any]]) -> Any:
        """Ask both; both answers, or both refusals, must be alike."""
        self._simulated._confirmed_at = (
            self.clock()
        )  # the real one counts from now where a test moves its clock
        real, simulated = await _said(what(self._real)), await _said(what(self._simulated))
        assert real == simulated
        return real

    async def play(self, name: str, *args: Any) -> None:
        """Do one thing with both, and compare what they show."""
        doings: dict[str, Callable[..., Awaitable[None]]] = {
            "pass": self._pass, "lose": self._lose, "begin": self._begin, "lead": self._lead, "configure": self._configure,
            "share": self._share, "report": self._report, "lease": self._lease, "tick": self._tick, "told": self._told,
            "push_back": self._push_back, "hold": self._hold, "quarantine": self._quarantine,
            "owe": self._owe,
        }  # fmt: skip
        await doings[name](*args)
        await self.same(_usage)

    async def _pass(self, ms: int) -> None:
        self.clock.advance(ms)

    async def _lose(self) -> None:
        await self._client.flushall()
        self._server.flush()

    async def _begin(self, more: int, later: int) -> None:
        self._generation = max(1, self._generation + more)
        epoch = self._led(later)
        await self.same(lambda q: q.begin(self._generation, QUOTA, epoch=epoch))
        await self._configure(7, 0)

    async def _lead(self, pick: int, ttl_ms: int) -> None:
        await self.same(lambda q: q.lead(f"s{pick % 2}", ttl_ms))

    async def _configure(self, chosen: int, later: int) -> None:
        named = {n: AccountQuota(20, 8) for i, n in enumerate(ACCOUNTS) if chosen & (1 << i)}
        epoch = self._led(later)
        await self.same(lambda q: q.configure(QUOTA, named, epoch=epoch))

    async def _share(self, rate: int, open_ms: int, later: int) -> None:
        shares = {"P1": Share(rate, 9, open_ms), "P2": Share(30, 9, 5_000, 1)}
        epoch = self._led(later)
        await self.same(lambda q: q.set_shares(REGISTRY, epoch, shares, 40))

    async def _report(self, pick: int, more: int, load: str, has_clock: bool) -> None:
        told = Signals(more, more // 2, more // 3, 10 * more, load)
        told = replace(told, clock_offset_ms=5, clock_error_ms=2) if has_clock else told
        await self.same(lambda q: q.report(REGISTRY, f"w{pick % 2}", told))

    async def _lease(self, pick: int) -> None:
        account = sorted(ACCOUNTS)[pick % 3]
        lease = await self.same(lambda q: q.lease(REGISTRY, ACCOUNTS[account], account, "w0"))
        if isinstance(lease, Lease):
            self._leases = [*self._leases[-2:], TickLine(lease, 0, 0, 0, 0, 0)]

    async def _tick(self, pick: int, want: int) -> None:
        self._tick_no += 1
        lines = [line._replace(want=want) for line in self._leases]
        permits = await self.same(lambda q: q.tick(REGISTRY, "w0", self._tick_no, lines))
        if isinstance(permits, list):
            self._leases = [
                _used(line, permit, pick) for line, permit in zip(self._leases, permits, strict=True)
            ]

    async def _told(self, pick: int, what: str) -> None:
        if not self._leases:
            return
        line = self._leases[pick % len(self._leases)]
        doings: dict[str, Callable[[Quotas], Awaitable[Any]]] = {
            "renew": lambda q: q.renew(line.lease),
            "fence": lambda q: q.fenced(line.lease),
            "limit": lambda q: q.limit_account(line.lease, AccountQuota(5, 3)),
            "release": lambda q: q.release(line, logged_out=pick % 2 == 0),
            "end": lambda q: q.end_sessions(REGISTRY, [line.lease.account], epoch=self._epoch),
        }
        await self.same(doings[what])

    async def _push_back(self, scope: Scope, for_ms: int) -> None:
        who = {Scope.ACCOUNT: "a1", Scope.PARTY: "P1", Scope.REGISTRY: ""}[scope]
        await self.same(lambda q: q.push_back(REGISTRY, scope, who, for_ms))

    async def _hold(self, party: str | None, on: bool, later: int) -> None:
        epoch = self._led(later)
        await self.same(lambda q: q.hold(REGISTRY, party, on=on, epoch=epoch))

    async def _quarantine(self, pick: int) -> None:
        account = sorted(ACCOUNTS)[pick % 3]
        await self.same(lambda q: q.quarantine(REGISTRY, ACCOUNTS[account], account, 700))

    async def _owe(self, pick: int, for_ms: int) -> None:
        """What the leases so far have out, whatever generation they are of: the answers to some have come by now."""
        debts = [
            Debt(line.lease, line.sent, max(line.settled, line.sent - pick), for_ms) for line in self._leases
        ]
        await self.same(lambda q: q.owe(REGISTRY, debts))

    def _led(self, later: int) -> int:
        """Return the epoch of a leader of before, of this one, or of the next."""
        self._epoch += max(0, later)
        return max(1, self._epoch + min(0, later))


async def _said(answer: Awaitable[Any]) -> Any:
    try:
        said = await answer
    except GateLost:
        return GateLost
    return list(said) if isinstance(said, (list, tuple)) else said


async def _usage(quotas: Quotas) -> Usage:
    usage = await quotas.usage(REGISTRY)
    return replace(usage, sessions=sorted(usage.sessions, key=lambda one: one.account))


def _used(line: TickLine, permit: Permit, pick: int) -> TickLine:
    """Send what was granted, and have some of it answered."""
    granted = line.granted + permit.granted
    settled = max(line.settled, granted - pick)
    return line._replace(granted=granted, sent=granted, settled=settled, answered_ms_ago=40 * pick)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(operations, min_size=10, max_size=40))
def test_the_simulated_gate_answers_as_the_real_one(
    valkey_server: EmbeddedServer, history: list[tuple[Any, ...]]
) -> None:
    """Every answer, every refusal and every figure of usage is the same, whatever was begun, lost, led or reported before."""

    async def run() -> None:
        client = client_of(valkey_server.url)
        try:
            await client.flushall()
            both = Both(client)
            for operation in [
                ("begin", 0, 0),
                ("share", 30, 9_000, 0),
                ("pass", 300),
                ("lease", 0),
                *history,
            ]:
                await both.play(*operation)
        finally:
            await client.aclose()

    asyncio.run(run())
