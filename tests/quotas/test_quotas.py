"""The gate against a real server on its own clock: fifty at once, a server that is lost, stops, or stands still."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis.asyncio as aioredis

from domain.errors import GateLost
from domain.quota import AccountQuota, BoundBy, Lease, LeaseRefused, RegistryQuota, Share
from pratunam.embedded import EmbeddedServer
from quotas.quotas import RedisQuotas, connect
from tests.quotas.rig import REGISTRY, Session, registry

ACCOUNTS = {f"a{i}": AccountQuota(200, 20) for i in range(12)}
QUOTA = registry(500, 50, sessions=8)
SHARE = Share(300, 30, 5000)


@pytest.fixture
async def server(home: Path) -> AsyncIterator[EmbeddedServer]:
    """A server of this test's own, to be stopped and started."""
    own = EmbeddedServer(home)
    await own.start()
    yield own
    if own.pid is not None:
        os.kill(own.pid, signal.SIGCONT)
    await own.stop()


async def start(quotas: RedisQuotas, generation: int, quota: RegistryQuota = QUOTA) -> None:
    """Begin, configure, open."""
    await quotas.begin(generation, quota)
    await quotas.configure(quota, ACCOUNTS)
    await quotas.set_shares(REGISTRY, 1, {"P0": SHARE, "P1": SHARE}, quota.rate)


async def test_fifty_clients_never_share_an_account_nor_draw_more_than_the_buckets_hold(
    redis_url: str,
) -> None:
    """Fifty clients lease, draw, settle and give back at once: one holder an account, caps kept, burst + rate × t never passed."""
    loop = asyncio.get_running_loop()
    quotas = RedisQuotas(redis_url)
    began = loop.time()
    await start(quotas, 1)
    holding: dict[str, str] = {}
    drawn: dict[str, int] = dict.fromkeys(ACCOUNTS, 0)
    most_at_once = 0

    async def client(number: int) -> None:
        nonlocal most_at_once
        own, dice, holder = RedisQuotas(redis_url), random.Random(number), f"w{number}"
        tick_no = 0
        for _ in range(15):
            account = dice.choice(list(ACCOUNTS))
            lease = await own.lease(REGISTRY, f"P{int(account[1:]) % 2}", account, holder)
            if isinstance(lease, LeaseRefused):
                continue
            assert account not in holding, (account, holding[account], holder)
            holding[account] = holder
            most_at_once = max(most_at_once, len(holding))
            session = Session(lease)
            for _ in range(dice.randrange(1, 4)):
                tick_no += 1
                (permit,) = await own.tick(
                    REGISTRY, holder, tick_no, [session.line(want=dice.randrange(1, 12))]
                )
                drawn[account] += session.learn(permit)
                session.send_all()
                session.settle_all()
            del holding[account]
            await own.release(session.line(), logged_out=True)
        await own.close()

    await asyncio.gather(*(client(number) for number in range(50)))
    usage = await quotas.usage(REGISTRY)
    seconds = loop.time() - began
    await quotas.close()
    assert 2 <= most_at_once <= QUOTA.sessions
    assert sum(drawn.values()) == usage.sent > 0
    assert sum(drawn.values()) <= QUOTA.burst + QUOTA.rate * seconds
    assert all(drawn[a] <= 20 + 200 * seconds for a in ACCOUNTS)
    for odd in (0, 1):
        assert sum(n for a, n in drawn.items() if int(a[1:]) % 2 == odd) <= SHARE.burst + SHARE.rate * seconds
    assert (usage.outstanding, usage.sessions) == (0, ())


async def test_fifty_askers_of_one_account_get_one_lease(redis_url: str) -> None:
    """Of fifty that ask for the same account at once, one gets it."""
    clients = [RedisQuotas(redis_url) for _ in range(50)]
    await start(clients[0], 1)
    answers = await asyncio.gather(*(c.lease(REGISTRY, "P0", "a0", f"w{i}") for i, c in enumerate(clients)))
    assert sum(isinstance(answer, Lease) for answer in answers) == 1
    await asyncio.gather(*(c.close() for c in clients))


async def test_a_server_that_is_away_means_the_gate_is_lost(server: EmbeddedServer) -> None:
    """Every verb raises GateLost while the server is away; when it is back, it is new, and the next generation works."""
    quotas = RedisQuotas(server.url)
    await start(quotas, 1)
    lease = await quotas.lease(REGISTRY, "P0", "a0", "w1")
    assert isinstance(lease, Lease)
    await server.stop()
    session = Session(lease)
    for call in (
        quotas.usage(REGISTRY),
        quotas.renew(lease),
        quotas.tick(REGISTRY, "w1", 1, [session.line(1)]),
        quotas.lease(REGISTRY, "P0", "a2", "w1"),
        quotas.lead("s1", 2000),
        quotas.set_shares(REGISTRY, 1, {}, 1),
        quotas.begin(2, QUOTA),
    ):
        with pytest.raises(GateLost):
            await call
    await server.start()
    assert (await quotas.usage(REGISTRY)).is_new
    (permit,) = await quotas.tick(REGISTRY, "w1", 2, [session.line(1)])
    assert (permit.alive, permit.bound_by) == (False, BoundBy.STARTING)
    await start(quotas, 2)
    assert not (await quotas.usage(REGISTRY)).is_new
    answer = await quotas.lease(REGISTRY, "P0", "a0", "w1")
    assert isinstance(answer, LeaseRefused)
    assert answer.bound_by is BoundBy.STARTING
    assert 0 < answer.retry_after_ms <= QUOTA.answer_timeout_ms + 1000
    await quotas.close()


async def test_scripts_that_the_server_forgot_are_told_again(valkey: aioredis.Redis, redis_url: str) -> None:
    """SCRIPT FLUSH costs one more round trip, nothing else."""
    quotas = RedisQuotas(valkey)
    await start(quotas, 1)
    lease = await quotas.lease(REGISTRY, "P0", "a0", "w1")
    assert isinstance(lease, Lease)
    await valkey.script_flush()
    session = Session(lease)
    (permit,) = await quotas.tick(REGISTRY, "w1", 1, [session.line()])
    assert permit.alive
    await quotas.close()
    assert await valkey.ping()


async def test_commands_that_a_paused_server_executes_late_do_no_harm(server: EmbeddedServer) -> None:
    """A server that stands still for longer than the time-out executes old calls when it wakes: what they took is given back."""
    quotas = RedisQuotas(server.url)
    await start(quotas, 1)
    lease = await quotas.lease(REGISTRY, "P0", "a0", "w1")
    assert isinstance(lease, Lease)
    session, number = Session(lease), 1
    await quotas.tick(REGISTRY, "w1", number, [session.line()])
    assert server.pid is not None
    before = await quotas.usage(REGISTRY)
    os.kill(server.pid, signal.SIGSTOP)
    late = await asyncio.gather(
        quotas.tick(REGISTRY, "w1", number + 1, [session.line(want=9)]),
        quotas.lease(REGISTRY, "P0", "a2", "w1"),
        quotas.set_shares(REGISTRY, 1, {"P0": SHARE}, 500),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in late] == [GateLost, GateLost, GateLost]
    os.kill(server.pid, signal.SIGCONT)
    number += 2
    (permit,) = await quotas.tick(REGISTRY, "w1", number, [session.line(want=3)])
    assert permit.alive
    session.learn(permit)
    session.send_all()
    session.settle_all()
    await quotas.tick(REGISTRY, "w1", number + 1, [session.line()])
    usage = await quotas.usage(REGISTRY)
    assert (usage.outstanding, usage.sent) == (0, session.sent)
    # The pause was worth 300 ms to the gate's clock, not the second that it took.
    assert usage.gate_at - before.gate_at < 900
    await quotas.close()


async def test_a_client_of_ours_never_repeats_a_call_by_itself(redis_url: str) -> None:
    """The client for quotas has no retries: a repeat of its own could spend twice."""
    client = connect(redis_url)
    told = client.connection_pool.connection_kwargs
    assert told["retry"].get_retries() == 0
    assert told["socket_connect_timeout"] <= 1
    await client.aclose()


async def test_a_server_that_takes_calls_and_never_answers_is_a_gate_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call ends, by a time-out of its own, on the shared connections as on the one for rounds; the next call connects anew."""
    monkeypatch.setattr("quotas.quotas._TIMEOUT_S", 0.05)
    came: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_unix_server(lambda _, writer: came.append(writer), tmp_path / "r.sock")
    quotas = RedisQuotas(f"unix://{tmp_path / 'r.sock'}?protocol=2")
    async with silent:
        for connections in (1, 2):
            with pytest.raises(GateLost):
                await quotas.usage(REGISTRY)
            with pytest.raises(GateLost):
                await quotas.hold(REGISTRY, None, on=True)
            assert len(came) == 2 * connections
        await quotas.close()
        for writer in came:
            writer.close()
