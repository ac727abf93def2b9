"""What a decision is made from, out of what ledger and gate say."""

from domain.quota import Usage
from scheduler.brake import BrakeState
from scheduler.memory import Memory
from scheduler.openings import ClockOffset, Openings
from scheduler.views import Scene, view_scene
from tests.scheduler.fakes import REGISTRY, policy
from tests.scheduler.worlds import NOW


def test_what_is_out_and_answered_long_since_counts_as_available() -> None:
    """An answer is told with the next draw, so the level less what is out says less than there is."""
    rules = policy({"A": 1})
    scene = Scene(
        rules=rules.registries[REGISTRY],
        policy=rules,
        usage=Usage(1, 0, 200.0, 120, 0, standing=170.0),
        openings=Openings(rules, REGISTRY),
        backlog=(),
        accounts={},
        held=False,
        held_parties=frozenset(),
        brake=BrakeState(),
        clock=ClockOffset(),
    )
    assert view_scene(scene, Memory(), NOW).registry.available == 170.0
