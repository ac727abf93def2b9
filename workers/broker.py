"""The broker: dramatiq on a Redis database of its own, with the middleware named one by one, and the doorbell that rings its actors.

Messages carry ids and nothing else. dramatiq never retries, delays or limits anything here: the ledger decides what is due, and a
message that is lost is rung again. So there is no Retries, no AgeLimit, no TimeLimit (a session or a check has ends of its own, and an
interrupt would come in the middle of one), no Prometheus; and no delay queues.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import dramatiq
import redis
import redis.asyncio as aioredis
from dramatiq.asyncio import EventLoopThread, set_event_loop_thread
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.middleware import AsyncIO
from dramatiq.worker import Worker
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from domain.clock import Clock
from domain.events import Emit, MessageTaken

#: the broker scans its database for keys now and then: it has one for itself
DATABASE = 1
NAMESPACE = "pratunam-work"
#: without a sign of life for so long (ms), a worker's messages are given to others; short would let a host whose clock is ahead take
#: live ones
HEARTBEAT_MS = 60_000
#: scheduler's doorbell: the message is a registry's name, or empty
WAKE_CHANNEL = "pratunam:wake"
#: workers' doorbell: the message is a queue's name; who does not hear it looks now and then
RING_CHANNEL = "pratunam:ring"
#: a doorbell that cannot be rung at once is not waited for (s)
RING_S = 0.5
#: a consumer waits so long for the server (s)
ANSWER_S = 2.0
#: after a ring that failed, none is tried for so long (s)
SILENT_S = 2.0

CHECKS_SMALL = "check-small"
CHECKS_LARGE = "check-large"
SESSIONS = "sessions"
NOTICES = "notices"


class LoopAsIs(AsyncIO):
    """dramatiq's AsyncIO on the loop that the process already runs, so that actors, pacer and ledger share it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run async actors on `loop`."""
        super().__init__()
        self._thread = _RunningLoop(loop, self.logger)

    def before_worker_boot(self, broker: dramatiq.Broker, worker: Worker) -> None:  # noqa: ARG002 - the hook's signature
        """Have async actors find the loop."""
        set_event_loop_thread(self._thread)

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: Worker) -> None:  # noqa: ARG002 - the hook's signature
        """Let go of the loop; it is not ours to stop."""
        set_event_loop_thread(None)


class _RunningLoop(EventLoopThread):
    """What async actors call; the loop runs in the main thread, so no thread is ever started."""

    def __init__(self, loop: asyncio.AbstractEventLoop, logger: logging.Logger) -> None:
        # Nothing interrupts an actor here, so its thread need not wake ten times a second to look.
        super().__init__(logger, interrupt_check_ival=5.0)
        self.loop.close()
        self.loop = loop


class TakenTold(dramatiq.Middleware):
    """Tells how long each message waited to be taken up."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock, emit: Emit) -> None:
        """Tell `emit` on `loop`; messages are taken up in threads."""
        self._loop = loop
        self._clock = clock
        self._emit = emit

    def before_process_message(self, broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:  # noqa: ARG002 - the hook's signature
        """Tell of one message; a doorbell's clock may be ahead of ours."""
        waited_ms = max(0, self._clock.now() - message.message_timestamp)
        self._loop.call_soon_threadsafe(
            self._emit, MessageTaken(actor=message.actor_name, waited_ms=waited_ms)
        )


class _LossyConsumer(_RedisConsumer):
    """dramatiq's consumer, but what cannot be acknowledged is left: a doubled message finds nothing to do.

    dramatiq itself would try again every 5 s for ever, which keeps a stopping worker alive after its Redis is gone.
    Where nothing waits it sleeps until its queue is rung for, not for growing pauses: that is sooner, and costs less.
    """

    def __next__(self) -> dramatiq.MessageProxy | None:
        if self.misses and not self.message_cache:
            bell = self.broker.bell(self.queue_name)
            bell.wait(self.timeout / 1000)
            bell.clear()
            self.misses = 0  # what follows fetches at once, and pauses as shortly as it can
        found: dramatiq.MessageProxy | None = super().__next__()  # type: ignore[no-untyped-call]  # the library's class has no types
        return found

    def ack(self, message: dramatiq.MessageProxy) -> None:
        with suppress(dramatiq.BrokerConnectionError):
            super().ack(message)  # type: ignore[no-untyped-call]  # the library's class has no types

    def nack(self, message: dramatiq.MessageProxy) -> None:
        with suppress(dramatiq.BrokerConnectionError):
            super().nack(message)  # type: ignore[no-untyped-call]  # the same

    def requeue(self, messages: Iterable[dramatiq.MessageProxy]) -> None:
        with suppress(RedisError):
            super().requeue(messages)  # type: ignore[no-untyped-call]  # the same


class WorkBroker(RedisBroker):
    """RedisBroker without delay queues: nothing is ever delayed here, and each queue costs a thread that polls."""

    def __init__(self, **options: Any) -> None:
        """Take RedisBroker's options."""
        self._bells: dict[str, threading.Event] = {}
        super().__init__(**options)  # type: ignore[no-untyped-call]  # the library's constructor has no types

    @property
    def consumer_class(self) -> type[_LossyConsumer]:
        return _LossyConsumer

    def bell(self, queue_name: str) -> threading.Event:
        """Return what a queue's consumer waits for."""
        return self._bells.setdefault(queue_name, threading.Event())

    def heed_ring(self, queue_name: str) -> None:
        """Have a queue's consumer look now; every one's, where no queue is named."""
        for bell in [self.bell(queue_name)] if queue_name else list(self._bells.values()):
            bell.set()

    def declare_queue(self, queue_name: str) -> None:
        """Declare a queue and nothing beside it."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)


def make_broker(
    redis_url: str, middleware: list[dramatiq.Middleware], *, answer_s: float = ANSWER_S
) -> WorkBroker:
    """Make the broker; `middleware` is all there is; a server that does not answer within `answer_s` has failed."""
    client = redis.Redis.from_url(
        own_database(redis_url),
        socket_timeout=answer_s,
        socket_connect_timeout=answer_s,
        retry=Retry(NoBackoff(), 0),
    )
    options = {"namespace": NAMESPACE, "heartbeat_timeout": HEARTBEAT_MS, "middleware": middleware}
    return WorkBroker(client=client, **options)


def own_database(redis_url: str) -> str:
    """Return the URL with the broker's database in place of whatever it names."""
    parts = urlsplit(redis_url)
    if parts.scheme == "unix":
        query = [(name, value) for name, value in parse_qsl(parts.query) if name != "db"]
        return f"unix://{parts.netloc}{parts.path}?{urlencode([*query, ('db', str(DATABASE))])}"
    return urlunsplit(parts._replace(path=f"/{DATABASE}"))


class RedisDoorbell:
    """`domain.ports.Doorbell` by dramatiq messages. A ring that fails is lost, which does no harm: the ledger is looked at anyway."""

    def __init__(self, redis_url: str) -> None:
        """Connect when first rung."""
        self._silent_until = 0.0
        self._broker = make_broker(redis_url, [], answer_s=RING_S)
        self._gate = redis.Redis.from_url(
            redis_url, socket_timeout=RING_S, socket_connect_timeout=RING_S, retry=Retry(NoBackoff(), 0)
        )

    @property
    def is_silent(self) -> bool:
        """Say whether the server failed a moment ago, so that nothing was rung."""
        return monotonic() < self._silent_until

    def check_job(self, job: str) -> None:
        """Ask for a file to be checked."""
        self._ring(CHECKS_SMALL, "check_job", (job,))

    def run_sessions(self, registry: str, parties: Sequence[str]) -> None:
        """Ask for one more session of each party, as often as it is named, in this order."""
        self._ring(SESSIONS, "run_session", *((registry, party) for party in parties))

    def send_notice(self, notice: str) -> None:
        """Ask for a notice to be delivered."""
        self._ring(NOTICES, "send_notice", (notice,))

    def check_large(self, job: str) -> None:
        """Ask for a large file to be checked, behind the other large ones."""
        self._ring(CHECKS_LARGE, "check_large_job", (job,))

    def wake(self, registry: str = "") -> None:
        """Have the scheduler look now."""
        self._safely(lambda: self._gate.publish(WAKE_CHANNEL, registry))

    def close(self) -> None:
        """Let go of connections."""
        self._broker.client.close()
        self._gate.close()

    def _ring(self, queue: str, actor: str, *messages: tuple[str, ...]) -> None:
        """Put messages with these ids into a queue, and ring for it once."""

        def ring() -> None:
            for ids in messages:
                message: dramatiq.Message[None] = dramatiq.Message(
                    queue_name=queue, actor_name=actor, args=ids, kwargs={}, options={}
                )
                self._broker.enqueue(message)
            self._gate.publish(RING_CHANNEL, queue)

        self._safely(ring)

    def _safely(self, ring: Callable[[], object]) -> None:
        """Ring unless the server failed a moment ago: callers stand on an event loop that others' sessions need."""
        if self.is_silent:
            return
        try:
            ring()
        except RedisError:
            self._silent_until = monotonic() + SILENT_S


async def listen_for_wakes(
    redis_url: str, on_wake: Callable[[str], None], *, channel: str = WAKE_CHANNEL, again_s: float = 1.0
) -> None:
    """Call `on_wake` with a registry's name (or empty) for every wake, until cancelled; a lost Redis is listened to again.

    On RING_CHANNEL the same with a queue's name for every ring.
    """
    client = aioredis.from_url(redis_url, socket_timeout=None, retry=AsyncRetry(NoBackoff(), 0))
    while True:
        with suppress(RedisError, OSError):
            async with client.pubsub() as listener:
                await listener.subscribe(channel)
                async for message in listener.listen():
                    if message["type"] == "message":
                        on_wake(message["data"].decode())
        await asyncio.sleep(again_s)
