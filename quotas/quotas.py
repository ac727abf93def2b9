"""The one door to what may be done now, kept in Redis by Lua: nothing here decides, each verb is one script (quotas/lua).

Every error of Redis becomes GateLost, and no call is repeated by the client itself: who asked decides, since each script is safe to
repeat. It must hold no state of its own but the newest epoch it was told of.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

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
from quotas import replies
from quotas.keys import LEADER, keys_of
from quotas.line import Line
from quotas.scripts import Script, operations, script

#: an answer after more than a second is worth nothing: permits are valid for less, from before they were asked for
_TIMEOUT_S = 1.0
#: connections of one process
_CONNECTIONS = 8
#: permits that were out when the old generation was lost are valid for no longer, and what they sent arrives later still
_PERMIT_MS = 1_000
#: accounts or parties in one call, so that none holds Redis longer than some milliseconds
_AT_ONCE = 250
#: tokens are generation * 2**32 + counter and must stay exact in Lua
_LAST_GENERATION = 2**20

_NO_GENERATION = "No generation has begun in Redis: it was lost, or is fresh."

_T = TypeVar("_T")


def connect(url: str) -> aioredis.Redis:
    """Return a client fit for quotas: short time-outs, and never a repeat of its own (it could spend twice).

    Calls take turns on a few connections: when many sessions begin at once, making one for each would cost more than waiting.
    """
    pool = aioredis.BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=None,  # the whole call has a time-out of its own: the library's would cost a task a call
        socket_connect_timeout=_TIMEOUT_S,
        driver_info=None,  # else each connection reads the library's own version from the disk, and tells it
    )
    return aioredis.Redis.from_pool(pool)


def _machine_time() -> int:
    return 0


class RedisQuotas:
    """`domain.quota.Quotas` on one Redis. `test_clock` (µs) stands for the server's own clock, in tests only.

    What holders owe it: a holder's name is never used again by another process; its tick numbers rise, one tick is under way at a time,
    and an answer that comes after a later tick was asked is thrown away. A lease's totals count from when it was taken.
    """

    def __init__(
        self, url_or_client: str | aioredis.Redis, *, test_clock: Callable[[], int] | None = None
    ) -> None:
        """Keep the client, or make one of the URL; nothing is asked yet. A client that was given is closed by who gave it."""
        self._owns = isinstance(url_or_client, str)
        self._redis = connect(url_or_client) if isinstance(url_or_client, str) else url_or_client
        self._line: Line | aioredis.Redis = Line(self._redis.connection_pool) if self._owns else self._redis
        self._now = test_clock or _machine_time
        self._newest_epoch = 0
        self._confirmed_at = 0
        for name in operations():
            script(
                name
            )  # read now: the first sessions of a morning all begin at once, and each would wait for the disk

    async def close(self) -> None:
        """Close what was made here."""
        if self._owns:
            await self._line.aclose()
            await self._redis.aclose()

    async def begin(self, generation: int, quota: RegistryQuota, *, epoch: int = 0) -> None:
        if not 0 < generation < _LAST_GENERATION:
            raise _lost(
                f"Generation {generation} cannot be: it must be between 1 and {_LAST_GENERATION - 1}."
            )
        # Before the first generation nothing was ever sent, so there is nothing to wait for.
        wait_ms = quota.answer_timeout_ms + _PERMIT_MS if generation > 1 else 0
        limits = replies.limits_in(quota)
        rest = generation, await self._run(), wait_ms, epoch
        if not self._led(await self._call("begin", quota.registry, *limits, *rest)):
            raise _lost(f"A newer generation than {generation} stands in Redis.")

    async def configure(
        self, quota: RegistryQuota, accounts: Mapping[str, AccountQuota], *, epoch: int = 0
    ) -> None:
        limits, stamp = replies.limits_in(quota), 0
        parts = list(_in_parts(list(accounts.items())))
        for number, part in enumerate(parts, 1):
            is_last, packed = int(number == len(parts)), replies.accounts_in(part)
            rest = stamp, is_last, packed, epoch
            stamp = self._led(await self._call("configure", quota.registry, *limits, *rest))

    async def lease(self, registry: str, party: str, account: str, holder: str) -> Lease | LeaseRefused:
        reply = await self._call("lease", registry, party, account, holder)
        if isinstance(reply[0], int):
            return Lease(registry, party, account, holder, token=reply[0], generation=reply[1])
        return LeaseRefused(BoundBy(reply[0].decode()), reply[1])

    async def renew(self, lease: Lease) -> bool:
        return bool(await self._call("renew", lease.registry, lease.account, lease.token))

    async def fenced(self, lease: Lease) -> None:
        await self._call("fence", lease.registry, lease.account, lease.token)

    async def limit_account(self, lease: Lease, quota: AccountQuota) -> None:
        limits = replies.rate_in(quota.rate), replies.burst_in(quota.burst)
        await self._call("limit", lease.registry, lease.account, lease.token, *limits)

    async def tick(
        self, registry: str, holder: str, tick_no: int, lines: Sequence[TickLine]
    ) -> Sequence[Permit]:
        raw = await self._call_in_turn("tick", registry, holder, tick_no, replies.lines_in(lines))
        return replies.permits_out(raw, len(lines))

    async def release(self, line: TickLine, *, logged_out: bool) -> None:
        lease = line.lease
        totals = line.sent, line.settled, int(logged_out)
        await self._call("release", lease.registry, lease.account, lease.token, *totals)

    async def owe(self, registry: str, debts: Sequence[Debt]) -> Sequence[bool]:
        told: list[bool] = []
        for part in _in_parts(debts):
            reply = await self._call("owe", registry, replies.debts_in(part))
            if reply is None:
                raise _lost(_NO_GENERATION)
            told += map(bool, reply)
        return told

    async def quarantine(self, registry: str, party: str, account: str, for_ms: int) -> None:
        _stands(await self._call("quarantine", registry, party, account, for_ms))

    async def set_shares(self, registry: str, epoch: int, shares: Mapping[str, Share], rate: float) -> None:
        # What is opened counts from when this leader was confirmed, or from now where another client asked for that.
        asked = self._now() or self._confirmed_at or await self._server_time()
        for part in _in_parts(list(shares.items())):
            done, newest = await self._call_in_turn(
                "set_shares", registry, epoch, asked, replies.rate_in(rate), replies.shares_in(part)
            )
            self._led(done or -1 - newest)

    async def end_sessions(self, registry: str, accounts: Sequence[str], *, epoch: int = 0) -> None:
        for part in _in_parts(accounts):
            self._led(await self._call("end_sessions", registry, replies.names_in(part), epoch))

    async def push_back(self, registry: str, scope: Scope, who: str, retry_after_ms: int) -> None:
        _stands(await self._call("push_back", registry, scope.value, who, retry_after_ms))

    async def hold(self, registry: str, party: str | None, *, on: bool, epoch: int = 0) -> None:
        self._led(await self._call("hold", registry, party or "", int(on), epoch))

    async def report(self, registry: str, holder: str, signals: Signals) -> None:
        _stands(await self._call("report", registry, holder, replies.signals_in(signals)))

    async def usage(self, registry: str) -> Usage:
        raw = await self._call_in_turn("usage", registry)
        return replies.usage_out(raw) if raw is not None else replies.NEW

    async def lead(self, holder: str, ttl_ms: int) -> int | None:
        args = self._now(), holder, ttl_ms, self._newest_epoch
        epoch, confirmed_at = await self._run_script(self._line, script("lead"), (LEADER,), args)
        self._confirmed_at = int(confirmed_at)
        return int(epoch) or None

    def _led(self, reply: int) -> int:
        """Return a leader's script's answer; raises GateLost when no generation has begun, or a newer leader was here."""
        if reply < -1:
            self._newest_epoch = max(self._newest_epoch, -1 - reply)
            raise _lost("Another scheduler leads: its epoch is newer.")
        return _stands(reply)

    async def _call(self, name: str, registry: str, *args: str | int | bytes) -> Any:
        return await self._run_script(self._redis, script(name), keys_of(registry), (self._now(), *args))

    async def _call_in_turn(self, name: str, registry: str, *args: str | int | bytes) -> Any:
        return await self._run_script(self._line, script(name), keys_of(registry), (self._now(), *args))

    async def _run_script(
        self,
        client: Line | aioredis.Redis,
        what: Script,
        keys: Sequence[str],
        args: Sequence[str | int | bytes],
    ) -> Any:
        return await _answered(f"do {what.name}", _run_script(client, what, keys, args))

    async def _run(self) -> str:
        """Return the run id of the server: another one means that it was started again, or is another server."""
        return str((await _answered("say who it is", self._redis.info("server")))["run_id"])

    async def _server_time(self) -> int:
        """Return the server's clock in µs, read before what follows is asked."""
        seconds, micros = await _answered("tell the time", self._redis.time())
        return int(seconds) * 1_000_000 + int(micros)


async def _run_script(
    client: Line | aioredis.Redis, what: Script, keys: Sequence[str], args: Sequence[str | int | bytes]
) -> Any:
    """Run one script; a server that does not know it yet is told, and nothing has happened before that."""
    try:
        return await client.evalsha(what.sha, len(keys), *keys, *args)
    except NoScriptError:
        return await client.eval(what.text, len(keys), *keys, *args)


async def _answered(what: str, answer: Awaitable[Any]) -> Any:
    """Have the server answer in time; raises GateLost with what it did not do."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await answer
    except (RedisError, OSError, TimeoutError, KeyError) as error:
        raise _lost(f"Redis did not {what}: {type(error).__name__} {str(error)[:200]}.") from error


def _in_parts(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Yield `items` in parts; once, empty, when there are none."""
    for first in range(0, max(1, len(items)), _AT_ONCE):
        yield items[first : first + _AT_ONCE]


def _stands(reply: int) -> int:
    """Return a script's answer; raises GateLost when no generation has begun."""
    if reply < 0:
        raise _lost(_NO_GENERATION)
    return reply


def _lost(what: str) -> GateLost:
    return GateLost(
        what,
        message_th="ติดต่อ Redis ของระบบไม่ได้ หรือระบบกำลังเริ่มต้นใหม่",
        remedy_en="Nothing is sent until it is back; see that Redis and the scheduler run.",
        remedy_th="ระบบจะยังไม่ส่งรายการใดจนกว่าจะกลับมา โปรดตรวจสอบว่า Redis และตัวจัดคิวกำลังทำงาน",
    )
