"""The judges are alive: in a build without a guard they see, within few worlds, what that guard prevents."""

import pytest

from tests.sim.running import run_seed
from tests.sim.unguarded import BUILDS

#: worlds that are tried with each build, those that a change of the product has left telling first
SEEDS = (6, 1, 8, 2, 5, 3, 4, 7, 9, 10, 11, 12)


@pytest.mark.parametrize("name", BUILDS)
def test_a_build_without_a_guard_is_found_out(name: str) -> None:
    """Some world shows the very promise broken that the guard keeps."""
    build, word = BUILDS[name]
    with build():
        assert any(word in one for seed in SEEDS for one in run_seed(seed).broken)
