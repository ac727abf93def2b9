"""The judges know whose sessions they count: someone else's are none of the gate's, whatever ends them, and the gate's are never theirs."""

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
from tests.sim.scenario import BEGIN_S
from tests.sim.small import RULES, fault, small
from tests.sim.virtual_loop import VirtualLoop
from tests.sim.world import World

INTRUDES = fault("someone else logs in", 0)
#: someone else's session would be over by itself after twice as long (s)
SOON_S = 0.1


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
    assert _broken(world, doer) == ["2 sessions at once of registry"]


def _log_in(world: World, account: str) -> Session:
    answer = world.registrar.log_in(account, world.loop.time())
    assert isinstance(answer, OpenSession)
    return world.registrar.sessions[answer.session]


def _pass(world: World, time_s: float) -> None:
    world.loop.run_until_complete(asyncio.sleep(time_s))


def _broken(world: World, doer: Faults) -> list[str]:
    return judge(world, doer.done, Ended([], {}, Counter()))
