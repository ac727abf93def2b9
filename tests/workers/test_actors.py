"""Actors and doorbell over a real broker; places for small and large files."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import redis.asyncio as aioredis

from domain.events import Event, LoopFailed
from tests.workers.waiting import until, until_told
from workers.actors import LARGE_AT_ONCE, SMALL_AT_ONCE, Actors
from workers.broker import (
    DATABASE,
    WAKE_CHANNEL,
    LoopAsIs,
    RedisDoorbell,
    listen_for_wakes,
    make_broker,
    own_database,
)
from workers.slots import Slots


@dataclass
class Work:
    """Work that notes what it was asked for, and waits to be let go."""

    done: list[str] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    looked: int = 0

    async def look(self, job: str) -> tuple[str, bool]:
        """Large files are called so; a job's party stands before a dot."""
        self.looked += 1
        return job.partition(".")[0], job.startswith("large")

    async def check(self, job: str) -> None:
        """Check, once let go."""
        self.begun.append(job)
        await self.let_go.wait()
        if job == "broken":
            raise RuntimeError(job)
        self.done.append(job)

    async def serve(self, registry: str, party: str) -> None:
        """Serve, once let go."""
        self.begun.append(f"{registry}/{party}")
        await self.let_go.wait()

    async def deliver(self, notice: str) -> None:
        """Deliver."""
        self.done.append(notice)


def nobody(told: object) -> None:
    """Hear nothing."""


async def test_small_files_never_wait_behind_large_ones() -> None:
    """With every large place taken and more waiting, a small file is checked at once."""
    work, rung = Work(), list[str]()
    actors = Actors(work, 1, rung.append, nobody)
    tasks = [asyncio.ensure_future(actors.check_large_job(f"large{n}")) for n in range(LARGE_AT_ONCE + 2)]
    tasks.append(asyncio.ensure_future(actors.check_job("large9")))
    tasks.append(asyncio.ensure_future(actors.check_job("small")))
    await until(lambda: len(work.begun) == LARGE_AT_ONCE + 1)
    assert (work.begun, rung) == ([*(f"large{n}" for n in range(LARGE_AT_ONCE)), "small"], ["large9"])
    work.let_go.set()
    await asyncio.gather(*tasks)
    assert sorted(work.done) == ["large0", "large1", "large2", "small"]


async def test_a_failing_check_ends_itself_and_nothing_else() -> None:
    """An actor never raises; what waited behind a broken file is checked; the event names the class alone."""
    work, events = Work(), list[Event]()
    actors = Actors(work, 1, nobody, events.append)
    work.let_go.set()
    await asyncio.gather(
        *(actors.check_job(job) for job in ("broken", *(f"s{n}" for n in range(SMALL_AT_ONCE + 2))))
    )
    assert len(work.done) == SMALL_AT_ONCE + 2
    assert events == [LoopFailed(loop="check_job", error="RuntimeError")]


async def test_wishes_beyond_the_places_are_dropped() -> None:
    """More sessions than places: the scheduler wishes again."""
    work = Work()
    actors = Actors(work, 2, nobody, nobody)
    tasks = [asyncio.ensure_future(actors.run_session("r", f"P{n}")) for n in range(5)]
    await until(lambda: len(work.begun) == 2)
    work.let_go.set()
    await asyncio.gather(*tasks)
    assert work.begun == ["r/P0", "r/P1"]


def test_an_id_waits_once() -> None:
    """A doubled ring takes no second place and no second turn."""
    slots = Slots(1)
    entered = [slots.enter(name, "P1") for name in ("a", "a", "b", "b")]
    assert entered == [True, False, False, False]
    assert [slots.leave("a"), slots.leave("b")] == ["b", None]
    assert slots.enter("a", "P1")


def test_parties_take_turns() -> None:
    """However many files a party has handed in, another's is next but one."""
    slots = Slots(1)
    slots.enter("flood.0", "flood")
    for n in range(1, 4):
        slots.enter(f"flood.{n}", "flood")
    slots.enter("P1.a", "P1")
    slots.enter("P1.b", "P1")
    slots.enter("P2.a", "P2")
    order, present = [], "flood.0"
    while (following := slots.leave(present)) is not None:
        order.append(following)
        present = following
    assert order == ["flood.1", "P1.a", "P2.a", "flood.2", "P1.b", "flood.3"]


async def test_a_file_that_waits_is_not_looked_at_again_when_it_is_rung_again() -> None:
    """Thousands that wait are rung for again and again: that must cost next to nothing."""
    work = Work()
    actors = Actors(work, 1, nobody, nobody)
    names = [f"P1.{n}" for n in range(SMALL_AT_ONCE + 3)]
    tasks = [asyncio.ensure_future(actors.check_job(name)) for name in names]
    await until(lambda: work.looked == len(names))
    await asyncio.gather(*(actors.check_job(name) for name in names))
    assert work.looked == len(names)
    work.let_go.set()
    await asyncio.gather(*tasks)
    assert sorted(work.done) == names


async def test_rings_reach_the_actors_with_ids_alone(
    redis_url: str, valkey: aioredis.Redis, tmp_path: Path
) -> None:
    """A doorbell rings through a real broker; the messages hold ids only, in a database of their own."""
    from dramatiq.worker import Worker

    work, bell = Work(), RedisDoorbell(redis_url)
    work.let_go.set()
    bell.run_sessions("party-members", ["P1"])
    bell.check_job("J1")
    bell.check_job("large1")
    bell.send_notice("N1")
    assert await valkey.keys("*") == []
    broker = make_broker(redis_url, [LoopAsIs(asyncio.get_running_loop())])
    Actors(work, 2, bell.check_large, nobody).declare(broker)
    worker = Worker(broker, worker_timeout=20, worker_threads=4)
    await asyncio.to_thread(worker.start)
    try:
        await until(lambda: len(work.done) == 3 == len(work.begun))
    finally:
        await asyncio.to_thread(worker.stop)
        broker.client.close()
        bell.close()
    assert sorted(work.done) == ["J1", "N1", "large1"]
    assert "party-members/P1" in work.begun


async def test_a_ring_nobody_hears_does_no_harm() -> None:
    """Without Redis a ring is lost, and nothing is raised."""
    bell = RedisDoorbell("redis://127.0.0.1:9")
    bell.check_job("J1")
    bell.wake("party-members")
    bell.close()


async def test_a_wake_is_heard_by_the_scheduler(redis_url: str, valkey: aioredis.Redis) -> None:
    """Whoever listens hears which registry changed."""
    heard: list[str] = []
    listening = asyncio.create_task(listen_for_wakes(redis_url, heard.append))
    bell = RedisDoorbell(redis_url)

    async def somebody_listens() -> bool:
        return bool((await valkey.pubsub_numsub(WAKE_CHANNEL))[0][1])

    await until_told(somebody_listens)
    bell.wake("party-members")
    await until(lambda: heard)
    listening.cancel()
    bell.close()
    assert heard == ["party-members"]


def test_the_broker_has_a_database_of_its_own() -> None:
    """Whatever the URL names, the broker's keys lie elsewhere."""
    assert own_database("redis://:pw@host:6379/0") == f"redis://:pw@host:6379/{DATABASE}"
    assert own_database("redis://host") == f"redis://host/{DATABASE}"
    assert own_database("unix:///run/redis.sock") == f"unix:///run/redis.sock?db={DATABASE}"
    assert (
        own_database("unix:///run/redis.sock?db=0&password=x")
        == f"unix:///run/redis.sock?password=x&db={DATABASE}"
    )
