"""What Redis may lose, repeat or refuse: everything, the last minutes, room, scripts, and the messages of the doorbell."""

import asyncio
import os

import redis.asyncio as aioredis

from tests.gauntlet.deaths import note
from tests.gauntlet.kinds import Broken, Kind, NotInjected, Scene
from workers.broker import DATABASE

FLUSH = "flush redis"


async def flush(scene: Scene) -> None:
    """Take everything away while it runs."""
    note(scene, FLUSH)
    async with scene.ground.valkey.client() as client:
        await client.flushall()
    await asyncio.sleep(1)


async def old_copy(scene: Scene) -> None:
    """Copy what Redis holds, let it work on, then kill it and start it from the copy."""
    valkey = scene.ground.valkey
    await valkey.copy()
    await asyncio.sleep(scene.span_s(8.0, short=3.0))
    note(scene, "redis from an old copy")
    await valkey.kill()
    await valkey.start()
    valkey.forget_copy()


async def slow(scene: Scene) -> None:
    """Have Redis do nothing else for two seconds, three times."""
    for _ in range(3):
        async with scene.ground.valkey.client() as client:
            await _told(client, "DEBUG", "SLEEP", "2")
        await asyncio.sleep(1)


async def no_room(scene: Scene) -> None:
    """Leave Redis no memory: it refuses every write."""
    async with scene.ground.valkey.client() as client:
        await client.config_set("maxmemory", "1mb")
        try:
            await asyncio.sleep(scene.span_s(8.0))
        finally:
            await client.config_set("maxmemory", "256mb")


async def drop_clients(scene: Scene) -> None:
    """Throw every client out, and forget every script."""
    async with scene.ground.valkey.client() as client:
        await client.script_flush()
        await _told(client, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await _told(client, "CLIENT", "KILL", "TYPE", "pubsub")


async def wrong_policy(scene: Scene) -> None:
    """Let Redis evict, and kill a worker: it does not start on such a server; it does once that is mended."""
    kept = scene.host().worker
    async with scene.ground.valkey.client() as client:
        await client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            kept.kill()
            await asyncio.sleep(scene.span_s(5.0, short=4.0))
            started = kept.is_ready
        finally:
            await client.config_set("maxmemory-policy", "noeviction")
    await kept.ready()
    if started:
        raise Broken("a worker started on a Redis that throws keys away")


async def messages_lost(scene: Scene) -> None:
    """Empty the doorbell's database alone: every message is gone, the buckets are not."""
    async with scene.ground.valkey.client(DATABASE) as client:
        await client.flushdb()


async def messages_doubled(scene: Scene) -> None:
    """Put every waiting message into its queue three times more, shuffled, and the sessions' of all parties anew."""
    async with scene.ground.valkey.client(DATABASE) as client:
        put = 0
        for _ in range(2_000):
            for key in [name async for name in client.scan_iter() if await client.type(name) == b"list"]:
                waiting = list(await client.lrange(key, 0, -1))
                for each in scene.dice.sample(waiting * 3, 3 * len(waiting)):
                    await client.rpush(key, each)
                    put += 1
            if put:
                return
            await asyncio.sleep(0.005)
    raise NotInjected("no message waited at this moment")


async def poison(scene: Scene) -> None:
    """Put messages into each queue that nobody can read."""
    async with scene.ground.valkey.client(DATABASE) as client:
        async for key in client.scan_iter(match=b"*.msgs"):
            queue = key.removesuffix(b".msgs")
            for number, body in enumerate((b"", b"\xff\xfe", b"{}", b'{"queue_name": "x"}', os.urandom(64))):
                await client.hset(key, f"poison-{number}", body)
                await client.rpush(queue, f"poison-{number}")
            await client.rpush(queue, "there-is-no-such-message")


async def _told(client: aioredis.Redis, *words: str) -> None:
    await client.execute_command(*words)  # type: ignore[no-untyped-call]  # the library's function has no types


_NOTHING_LOST = "nothing lost; limits across the gap"
LOSSES = (
    Kind(FLUSH, "FLUSHALL under load", _NOTHING_LOST, flush, "9, D10"),
    Kind("redis from an old copy", "killed, started from a copy some seconds old", _NOTHING_LOST, old_copy, "10, 15", is_alone=True),
    Kind("slow redis", "DEBUG SLEEP 2, three times", "no double grant", slow, "12, D12"),
    Kind("redis out of memory", "maxmemory 1mb, noeviction", "nothing without a permit; none lost", no_room, "13"),
    Kind("redis throws clients out", "CLIENT KILL, SCRIPT FLUSH", _NOTHING_LOST, drop_clients, "8, D4"),
    Kind("eviction policy wrong", "allkeys-lru, a worker killed", "refuses to start", wrong_policy, "14", is_alone=True),
    Kind("messages lost", "FLUSHDB of the broker's database", "rung again from the ledger", messages_lost, "D4, D9"),
    Kind("messages doubled", "each waiting one three times more, shuffled", "one effect; sessions", messages_doubled, "45, D1, D2, D6, D7"),
    Kind("poisoned messages", "messages that nobody can read, in every queue", "workers go on", poison, "D13"),
)  # fmt: skip
