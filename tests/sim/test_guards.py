"""The judges are alive: in a build without a guard they see what that guard prevents, in a world that gives it something to do."""

from dataclasses import replace

import pytest

from tests.sim.running import run_scenario
from tests.sim.unguarded import BUILDS

#: seeds that are tried beside a build's own: what a world comes to hangs on delays, and so on every change of the pace
SEEDS = range(100, 112)


@pytest.mark.parametrize("name", BUILDS)
def test_a_build_without_a_guard_is_found_out(name: str) -> None:
    """The very promise that the guard keeps is broken without it, and not with it."""
    build = BUILDS[name]
    for seed in (build.world.seed, *SEEDS):
        world = replace(build.world, seed=seed)
        with build.without():
            broken = run_scenario(world).broken
        if any(build.word in one for one in broken):
            assert run_scenario(world).broken == ()
            return
    pytest.fail(f"nobody noticed in {1 + len(SEEDS)} worlds")
