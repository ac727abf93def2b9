"""The judges know which sessions they count: someone else's are none of the gate's, whatever ends them, and the gate's are never theirs.

Those that a lost gate forgot are let off where no host that was well could have logged out of them, and no others.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from domain.wire import OpenSession
from tests.sim.checkers import Ended, judge
from tests.sim.faults import Faults
from tests.sim.registrar import Session
from tests.sim.running import run_scenario
from tests.sim.scenario import BEGIN_S
from tests.sim.small import RULES, fault, small
from tests.sim.virtual_loop import VirtualLoop
from tests.sim.world import World

INTRUDES = fault("someone else logs in", 0)
#: someone else's session would be over by itself after twice as long (s)
SOON_S = 0.1
_TWO_SESSIONS = "2 sessions at once of registry"


@pytest.fixture
def world() -> Iterator[World]:
    """One party with two accounts, and a single session at once for all; no process of the gate runs."""
    rng = random.Random(1)
    loop = VirtualLoop(rng)
    world = World(small(replace(RULES, sessions=1), parties=1), loop, rng)
    yield world
    loop.bury()
    loop.close()
    world.disk.close()


def test_someone_else_s_session_that_the_gate_s_log_in_ends_is_not_the_gate_s(world: World) -> None:
    """The registry's cap is the gate's to keep, not the intruder's, also where the account's own log-in is what ended that session."""
    doer = Faults(world)
    world.loop.run_until_complete(doer.do(INTRUDES))
    (theirs,) = world.registrar.sessions.values()
    (other,) = world.registrar.party_of.keys() - {theirs.account}
    ours = _log_in(world, other)
    _pass(world, SOON_S)
    world.registrar.end(ours, "logged out")
    _log_in(world, theirs.account)
    assert theirs.closed_at == BEGIN_S + SOON_S
    assert theirs.why == "superseded"
    assert _broken(world, doer) == []


def test_someone_else_who_is_refused_touches_no_session_of_the_gate_s(world: World) -> None:
    """The gate's newest session lives on, and its sessions above the registry's cap are seen."""
    doer = Faults(world)
    ours = [_log_in(world, account) for account in world.registrar.party_of]
    world.registrar.trouble.overloaded = BEGIN_S + SOON_S
    world.loop.run_until_complete(doer.do(INTRUDES))
    _pass(world, 5 * SOON_S)
    assert all(world.registrar.is_live(one) for one in ours)
    assert _broken(world, doer) == [_TWO_SESSIONS]


@pytest.mark.parametrize(
    ("host", "to", "broken"),
    [("w0", 4.9, []), ("w0", 1.9, [_TWO_SESSIONS]), ("w1", 4.9, [_TWO_SESSIONS])],
    ids=["it stood still", "it went on long before", "another stood still"],
)
def test_a_host_that_stands_still_while_the_gate_is_lost_cannot_log_out(
    world: World, host: str, to: float, broken: list[str]
) -> None:
    """Like a dead one's, its session is forgotten with the gate; a host that was well has logged out before the gate draws again."""
    doer = Faults(world)
    doer.done.still.append((host, BEGIN_S + 0.1, BEGIN_S + to))
    own, other = world.registrar.party_of
    ours = _log_in(world, own, "w0")
    _pass(world, 0.5)
    world.gate.flush()
    _pass(world, 4.0)
    _log_in(world, other, "w1")
    _pass(world, 0.5)
    world.registrar.end(ours, "logged out")
    assert _broken(world, doer) == broken


@pytest.mark.parametrize("seed", [2, 3, 7])
def test_no_promise_is_broken_where_a_worker_stands_still_and_the_gate_is_lost(seed: int) -> None:
    """It goes on when the gate has begun to draw again, and logs out of what its sessions left open."""
    faults = fault("freeze worker", 0.8, 3.5), fault("lose gate", 1.5)
    scenario = small(replace(RULES, sessions=2), *faults, parties=3, records=60, seed=seed)
    assert run_scenario(scenario).broken == ()


def _log_in(world: World, account: str, host: str = "") -> Session:
    answer = world.registrar.log_in(account, world.loop.time(), host)
    assert isinstance(answer, OpenSession)
    return world.registrar.sessions[answer.session]


def _pass(world: World, time_s: float) -> None:
    world.loop.run_until_complete(asyncio.sleep(time_s))


def _broken(world: World, doer: Faults) -> list[str]:
    return judge(world, doer.done, Ended([], {}, Counter()))
