"""The broker: an acknowledgement that finds no Redis is left."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import dramatiq
import redis.asyncio as aioredis
from redis.asyncio.client import PubSub

from domain.clock import ManualClock
from domain.events import Event, MessageTaken
from tests.workers.waiting import until_told
from workers.broker import (
    CHECKS_SMALL,
    RING_CHANNEL,
    SESSIONS,
    RedisDoorbell,
    TakenTold,
    listen_for_wakes,
    make_broker,
)


def message() -> dramatiq.MessageProxy:
    """Return a message as a consumer hands it out."""
    options = {"redis_message_id": "1"}
    return dramatiq.MessageProxy(dramatiq.Message(SESSIONS, "run_session", (), {}, options))


def test_what_cannot_be_acknowledged_is_left(tmp_path: Path) -> None:
    """Else a worker whose Redis is gone never ends: its threads would try for ever."""
    broker = make_broker(f"unix://{tmp_path}/no.sock", [])
    broker.declare_queue(SESSIONS)
    consumer = broker.consume(SESSIONS)
    consumer.ack(message())
    consumer.nack(message())
    consumer.requeue([message()])
    broker.client.close()


async def test_how_long_a_message_waited_is_told_on_the_loop(tmp_path: Path) -> None:
    """By its own stamp; one from a clock that is ahead has waited for nothing."""
    clock, events = ManualClock(), list[Event]()
    told = asyncio.Event()

    def hear(event: Event) -> None:
        events.append(event)
        told.set()

    teller = TakenTold(asyncio.get_running_loop(), clock, hear)
    broker = make_broker(f"unix://{tmp_path}/no.sock", [])
    for ahead in (-40, 70):
        taken = message()
        taken._message = taken._message.copy(message_timestamp=clock.now() + ahead)
        told.clear()
        await asyncio.to_thread(teller.before_process_message, broker, taken)
        await told.wait()
    assert events == [MessageTaken(actor="run_session", waited_ms=waited) for waited in (40, 0)]
    broker.client.close()


async def test_a_ring_wakes_the_consumer_of_its_queue(redis_url: str, valkey: aioredis.Redis) -> None:
    """An idle consumer sleeps for a minute here; the ring has it fetch at once."""
    broker = make_broker(redis_url, [])
    broker.declare_queue(SESSIONS)
    consumer = broker.consume(SESSIONS, timeout=60_000)
    assert next(consumer) is None
    bell = RedisDoorbell(redis_url)
    listening = asyncio.create_task(
        listen_for_wakes(redis_url, broker.heed_ring, channel=RING_CHANNEL, again_s=0.01)
    )

    async def somebody_listens() -> bool:
        return bool(await valkey.publish(RING_CHANNEL, "another-queue"))

    fetched = asyncio.create_task(asyncio.to_thread(next, consumer))
    async with asyncio.timeout(20):
        await until_told(somebody_listens)
        bell.run_sessions("party-members", ["P1"])
        found = await fetched
    assert found is not None
    assert found.args == ("party-members", "P1")
    listening.cancel()
    bell.close()
    broker.client.close()


async def test_many_sessions_are_rung_for_once_and_come_in_their_order(
    redis_url: str, valkey: aioredis.Redis
) -> None:
    """Each has a message, in the order given; who listens is woken once."""
    broker, bell = make_broker(redis_url, []), RedisDoorbell(redis_url)
    broker.declare_queue(SESSIONS)
    async with valkey.pubsub() as heard:
        await heard.subscribe(RING_CHANNEL)
        bell.run_sessions("party-members", ["P2", "P1", "P2"])
        bell.check_job("job-1")
        queues = [message["data"] async for message in _first(heard, 2)]
    assert queues == [SESSIONS.encode(), CHECKS_SMALL.encode()]
    consumer = broker.consume(SESSIONS, prefetch=3, timeout=1)
    came = [next(consumer) for _ in range(3)]
    assert [message.args[1] for message in came if message is not None] == ["P2", "P1", "P2"]
    bell.close()
    broker.client.close()


async def _first(heard: PubSub, count: int) -> AsyncIterator[dict[str, Any]]:
    async for message in heard.listen():
        if message["type"] == "message":
            yield message
            count -= 1
        if not count:
            return


async def test_a_bell_that_failed_is_not_tried_again_at_once() -> None:
    """A server that hangs costs one time-out, not one a ring: the loop that rings has sessions to renew."""
    calls: list[asyncio.StreamWriter] = []
    stuck = await asyncio.start_server(lambda _, writer: calls.append(writer), "127.0.0.1", 0)
    bell = RedisDoorbell(f"redis://127.0.0.1:{stuck.sockets[0].getsockname()[1]}")

    for _ in range(20):
        await asyncio.to_thread(bell.run_sessions, "party-members", ["P1"])

    assert len(calls) == 1
    bell.close()
    for writer in calls:
        writer.close()
    stuck.close()
