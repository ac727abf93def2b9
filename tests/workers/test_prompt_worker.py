"""A worker whose threads sleep for an hour stops at once, and what is at work ends first."""

import asyncio
from queue import Empty

import pytest

from tests.workers.test_actors import Work, nobody
from tests.workers.waiting import WAIT_S, until
from workers.actors import Actors
from workers.broker import LoopAsIs, RedisDoorbell, make_broker
from workers.prompt_worker import PromptWorker, WakeableQueue

AN_HOUR_MS = 3_600_000


def test_a_closed_queue_gives_what_it_has_and_never_waits() -> None:
    """First things first, then Empty, though an hour may be waited; an open one waits no longer than it should."""
    queue = WakeableQueue()
    with pytest.raises(Empty):
        queue.get(timeout=0.001)
    queue.put(2)
    queue.put(1)
    queue.close()
    assert [queue.get(timeout=3600), queue.get(timeout=3600)] == [1, 2]
    with pytest.raises(Empty):
        queue.get(timeout=3600)


async def test_nobody_waits_for_those_who_sleep(redis_url: str) -> None:
    """All threads and consumers sleep for an hour; a session that is at work ends before the stop does, and none begins after it."""
    work, bell = Work(), RedisDoorbell(redis_url)
    broker = make_broker(redis_url, [LoopAsIs(asyncio.get_running_loop())])
    Actors(work, 2, bell.check_large, nobody).declare(broker)
    worker = PromptWorker(broker, listen_ms=AN_HOUR_MS, threads=4)
    bell.run_sessions("party-members", ["P1"])
    await asyncio.to_thread(worker.start)
    await until(lambda: work.begun)
    stopped = asyncio.create_task(asyncio.to_thread(worker.stop, AN_HOUR_MS))
    await until(lambda: sum(thread.is_alive() for thread in worker.workers) == 1)
    assert not stopped.done()
    bell.run_sessions("party-members", ["P2"])
    work.let_go.set()
    async with asyncio.timeout(WAIT_S):
        await stopped
    assert work.begun == ["party-members/P1"]
    assert not any(one.is_alive() for one in (*worker.workers, *worker.consumers.values()))
    broker.client.close()
    bell.close()
