"""One fault at the n-th point of a process: killed after its n-th step, or its n-th write, or call of the gate, going wrong.

A process of the simulator hands control back to its loop at every await that waits, and only there; what it did before that is one step.
Nothing can be between two steps that anybody else would see: writes to the wire and commits each stand in a step. Up to its n-th point
a run is the same as the one without a fault, so that every n up to the number counted there is a point of its own.
"""

from dataclasses import dataclass, field
from enum import Enum

from tests.sim import gate_server, store
from tests.sim.running import Report, run_scenario
from tests.sim.virtual_loop import PLACE, Place
from tests.sim.world import World
from tests.sweep.awaits import Awaits
from tests.sweep.ways import WAYS, Way

#: before a killed process is started again (s)
AGAIN_S = 0.5


class How(Enum):
    """What happens at the point."""

    KILLED_SENT = "killed, what is under way arrives"
    KILLED_LOST = "killed, what is under way is lost"
    WRITE_BUSY = "write refused: busy"
    WRITE_FAILED = "write rolled back at its commit"
    WRITE_UNHEARD = "write committed, told as failed"
    CALL_LOST = "call of the gate lost"
    CALL_UNHEARD = "answer of the gate lost"


KILLS = frozenset({How.KILLED_SENT, How.KILLED_LOST})
_WRITES = {
    How.WRITE_BUSY: store.Fate.BUSY,
    How.WRITE_FAILED: store.Fate.FAILED,
    How.WRITE_UNHEARD: store.Fate.UNHEARD,
}
_CALLS = {How.CALL_LOST: gate_server.Fate.LOST, How.CALL_UNHEARD: gate_server.Fate.UNHEARD}


@dataclass
class Point:
    """The n-th point of a process, n counting from 1; 0: only count."""

    how: How
    n: int
    victim: str
    count: int = 0
    is_met: bool = False
    awaits: Awaits | None = None
    _world: World = field(init=False)

    def arm(self, world: World) -> None:
        """Have it happen in this world."""
        self._world = world
        if self.how in KILLS:
            world.loop.after_step = self._after_step
        elif self.how in _WRITES:
            world.disk.fate = self._fate_of_write
        else:
            world.gate.fate = self._fate_of_call

    def _after_step(self, place: Place) -> None:
        if self._is_here(place):
            self._kill(place)
        if self.awaits is not None and place.name.startswith(self.victim):
            self.awaits.look(self._world.loop.tasks)

    def _fate_of_write(self) -> store.Fate:
        return _WRITES[self.how] if self._is_here(PLACE.get()) else store.Fate.DONE

    def _fate_of_call(self) -> gate_server.Fate:
        return _CALLS[self.how] if self._is_here(PLACE.get()) else gate_server.Fate.DONE

    def _is_here(self, place: Place | None) -> bool:
        if self.is_met or place is None or not place.name.startswith(self.victim):
            return False
        self.count += 1
        self.is_met = self.count == self.n
        return self.is_met

    def _kill(self, place: Place) -> None:
        world, name = self._world, place.name.partition(".")[0]
        place.is_dead = True
        for wire in world.wires:
            if wire.link is world.links.get(name):
                wire.cut_all(kept=self.how is How.KILLED_SENT)
        start = world.start_worker if name in world.links else world.start_scheduler
        world.loop.call_outside(AGAIN_S, start, name)


def run_point(way: Way, how: How, n: int) -> tuple[Point, Report]:
    """Run one way with one fault."""
    point = Point(how, n, way.victim)
    return point, run_scenario(way.scenario, point.arm)


def count_points(way: Way, awaits: Awaits | None = None) -> dict[How, int]:
    """Return how many points there are for each fault, from one run without any; `awaits` sees where the process stood."""
    steps = Point(How.KILLED_SENT, 0, way.victim, awaits=awaits)
    writes, calls = Point(How.WRITE_BUSY, 0, way.victim), Point(How.CALL_LOST, 0, way.victim)

    def arm(world: World) -> None:
        for point in (steps, writes, calls):
            point.arm(world)

    run_scenario(way.scenario, arm)
    return {how: (steps if how in KILLS else writes if how in _WRITES else calls).count for how in How}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some points of one way."""

    way: str
    how: How
    points: tuple[int, ...]


def broken_among(chosen: Chosen) -> list[tuple[int, str]]:
    """Run some points; returns those at which promises were broken, and which."""
    each = ((n, broken_at(chosen.way, chosen.how, n)) for n in chosen.points)
    return [(n, "; ".join(broken)) for n, broken in each if broken]


def broken_at(name: str, how: How, n: int) -> list[str]:
    """Run one point; returns every promise that was broken."""
    return list(run_point(WAYS[name], how, n)[1].broken)
