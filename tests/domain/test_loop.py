"""The wrapper round every loop: rounds one after another, in a task of its own, until it is stopped."""

import asyncio

from domain.events import Event, LoopFailed
from domain.loop import Loop

LONG_S = 3_600.0


class Rounds:
    """Counts rounds, each as long as the test wants."""

    def __init__(self) -> None:
        self.begun, self.ended = asyncio.Semaphore(0), 0
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.failures: list[Exception] = []
        self.events: list[Event] = []
        self.loop = Loop("rounds", self.run_once, self.events.append)

    async def run_once(self) -> float:
        """Make one round."""
        self.begun.release()
        await self.may_end.wait()
        self.ended += 1
        if self.failures:
            raise self.failures.pop()
        return LONG_S


async def test_however_often_it_is_woken_rounds_begin_apart() -> None:
    """Many who wake it one after another are served by one round; without a distance each wakes its own."""
    for soonest_s, more_rounds in ((0.0, True), (LONG_S, False)):
        rounds = Rounds()
        rounds.loop = Loop("rounds", rounds.run_once, rounds.events.append, soonest_s)
        running = asyncio.create_task(rounds.loop.run())
        await rounds.begun.acquire()
        for _ in range(20):
            rounds.loop.wake()
            await asyncio.sleep(0)
        assert (rounds.ended > 1) is more_rounds
        running.cancel()


async def test_stop_waits_for_the_round_under_way_and_begins_no_other() -> None:
    """Whoever stops a loop may then close what its rounds use."""
    rounds = Rounds()
    rounds.may_end.clear()
    rounds.loop.start()
    await rounds.begun.acquire()
    stopping = asyncio.create_task(rounds.loop.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    rounds.may_end.set()
    await stopping
    assert rounds.ended == 1
    assert rounds.begun.locked()


async def test_a_loop_that_was_started_twice_runs_once() -> None:
    """One round at a time, whoever else wants it to run."""
    rounds = Rounds()
    rounds.loop.start()
    rounds.loop.start()
    await rounds.begun.acquire()
    await rounds.loop.stop()
    assert rounds.begun.locked()


async def test_a_ring_cuts_a_sleep_short() -> None:
    """Also one that comes while a round is under way: what it tells of may have come too late for that round."""
    rounds = Rounds()
    rounds.loop.start()
    await rounds.begun.acquire()
    rounds.loop.wake()
    rounds.may_end.clear()
    await rounds.begun.acquire()
    rounds.loop.wake()
    rounds.may_end.set()
    await rounds.begun.acquire()
    await rounds.loop.stop()
    assert rounds.ended == 3


async def test_a_failing_round_is_told_and_others_follow() -> None:
    """The loop itself never ends of it."""
    rounds = Rounds()
    rounds.failures = [OSError()]
    rounds.loop.start()
    await rounds.begun.acquire()
    rounds.loop.wake()
    await rounds.begun.acquire()
    await rounds.loop.stop()
    assert rounds.events == [LoopFailed(loop="rounds", error="OSError")]
    assert rounds.ended == 2


async def test_a_loop_that_never_began_can_be_stopped() -> None:
    """Whoever closes a place need not know how far its opening came."""
    rounds = Rounds()
    await rounds.loop.stop()
    await rounds.loop.run()
    assert rounds.ended == 0
