"""The judges are alive: in a build without a guard they see what that guard prevents, in a world that gives it something to do."""

import pytest

from tests.sim.running import run_scenario
from tests.sim.unguarded import BUILDS


@pytest.mark.parametrize("name", BUILDS)
def test_a_build_without_a_guard_is_found_out(name: str) -> None:
    """The very promise that the guard keeps is broken without it, and not with it."""
    build = BUILDS[name]
    assert run_scenario(build.world).broken == ()
    with build.without():
        assert any(build.word in one for one in run_scenario(build.world).broken)
