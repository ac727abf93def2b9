"""The virtual loop: whoever dies in it leaves nothing behind."""

import asyncio
import random

from tests.sim.virtual_loop import VirtualLoop


def test_who_is_buried_finds_the_loop_that_it_ran_in() -> None:
    """What gathers on its way out would else make a loop of its own, which nobody closes and a later test is told of."""
    found: list[asyncio.AbstractEventLoop | None] = []

    async def looks_on_its_way_out() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            found.append(asyncio._get_running_loop())

    loop = VirtualLoop(random.Random(1))
    loop.create_task(looks_on_its_way_out())
    loop.call_later(1, loop.stop)
    loop.run_forever()
    loop.bury()
    loop.close()
    assert found == [loop]
    assert asyncio._get_running_loop() is None
