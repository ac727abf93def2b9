"""What a round tells the boards: what it read and what it decided, at most once a second."""

from dataclasses import replace

import pytest

from domain.events import PartyLooked, RegistryLooked
from domain.jobs import JobBacklog, PartyBacklog
from domain.quota import BoundBy, PartyUse, Signals
from domain.states import AccountKind, AccountState
from ledger.values import AccountRow, HoldRow
from scheduler.looking import TELL_MS
from tests.scheduler.fakes import REGISTRY, Stage, policy


@pytest.fixture
def stage() -> Stage:
    """Two parties of two accounts; A has 1,000 records waiting."""
    stage = Stage(policy({"A": 2, "B": 2}, rate=800, sessions=60))
    stage.waits(A=1000)
    return stage


def looks(stage: Stage) -> list[RegistryLooked]:
    """What the boards were told."""
    return [event for event in stage.events if isinstance(event, RegistryLooked)]


def party(stage: Stage, name: str) -> PartyLooked:
    """One party of the last look."""
    return {seen.party: seen for seen in looks(stage)[-1].parties}[name]


async def test_a_look_is_told_once_a_second(stage: Stage) -> None:
    """Rounds come four times as often as looks."""
    await stage.run(250)
    first = len(looks(stage))
    await stage.run(10 * TELL_MS)
    assert first == 1
    assert len(looks(stage)) - first == 10


async def test_a_look_holds_limits_shares_and_use(stage: Stage) -> None:
    """Limits are the policy's, shares the decision's, level and outstanding the gate's."""
    await stage.run(250)
    stage.quotas.sit("A-00", "A-01")
    stage.quotas.use = replace(
        stage.quotas.use,
        level=120.0,
        outstanding=7,
        parties={"A": PartyUse(level=9.0, outstanding=7, sent=50, bound_by=BoundBy.ACCOUNT)},
    )
    stage.events.clear()
    await stage.run(TELL_MS)
    look = looks(stage)[-1]
    assert (look.rate_limit, look.rate, look.session_limit) == (800, 800, 60)
    assert (look.level, look.outstanding, look.sessions, look.quarantined) == (120.0, 7, 2, 0)
    assert look.sendable == 1000
    seen = party(stage, "A")
    assert (seen.accounts, seen.sessions, seen.ready, seen.outstanding) == (2, 2, 1000, 7)
    assert seen.share == stage.quotas.shares["A"].rate > 0
    assert (seen.is_open, seen.bound_by) == (True, BoundBy.ACCOUNT)


async def test_the_oldest_job_with_work_left_gives_the_backlogs_age(stage: Stage) -> None:
    """A job whose records are all settled no longer counts as waiting."""
    jobs = tuple(
        JobBacklog(name, "A", 0, at, None, pending, 0, pending)
        for name, at, pending in (("J1", 100, 0), ("J2", 300, 5), ("J3", 200, 5))
    )
    stage.ledger.waiting = [PartyBacklog("A", 10, 0, 10, 0, jobs)]
    await stage.run(250)
    assert party(stage, "A").oldest_at == 200


async def test_accounts_are_counted_by_state(stage: Stage) -> None:
    """Those of another registry are not counted here."""
    stage.ledger.rows = [
        AccountRow(registry, "A", f"A-{number:02}", AccountKind.BASE, state)
        for number, (registry, state) in enumerate(
            [
                (REGISTRY, AccountState.ACTIVE),
                (REGISTRY, AccountState.SET_ASIDE),
                ("another", AccountState.ACTIVE),
            ]
        )
    ]
    await stage.run(250)
    assert looks(stage)[-1].accounts == {"active": 1, "set_aside": 1}
    assert party(stage, "A").accounts == 1


async def test_under_a_hold_nothing_could_leave(stage: Stage) -> None:
    """A party's hold shows at the party, the registry's at both, and neither counts as work that the gate fails to send."""
    await stage.run(250)
    stage.ledger.standing_holds = [HoldRow(REGISTRY, "A", "r", "w", 0)]
    await stage.run(TELL_MS)
    assert (looks(stage)[-1].is_held, party(stage, "A").is_held) == (False, True)
    assert (looks(stage)[-1].sendable, party(stage, "A").bound_by) == (0, BoundBy.HOLD)
    stage.ledger.standing_holds = [HoldRow(REGISTRY, None, "r", "w", 0)]
    await stage.run(TELL_MS)
    assert looks(stage)[-1].is_held


async def test_a_closed_window_is_told_and_nothing_could_leave() -> None:
    """Outside every window the party is closed, bound by the window."""
    stage = Stage(policy({"A": 1}, windows=()))
    stage.waits(A=10)
    await stage.run(250)
    assert (party(stage, "A").is_open, party(stage, "A").bound_by) == (False, BoundBy.WINDOW)
    assert looks(stage)[-1].sendable == 0


async def test_a_party_without_usable_accounts_could_send_nothing(stage: Stage) -> None:
    """Its backlog is no sign of a stalled gate."""
    stage.waits(A=10, C=500)
    await stage.run(250)
    assert looks(stage)[-1].sendable == 10


async def test_the_registrars_own_stop_is_told(stage: Stage) -> None:
    """While its Retry-After binds, the registry is paused."""
    await stage.run(250)
    stage.quotas.use = replace(stage.quotas.use, signals=Signals(closed_ms=5000, clock_offset_ms=-40))
    await stage.run(TELL_MS)
    look = looks(stage)[-1]
    assert (look.is_paused, look.sendable, look.clock_offset_ms) == (True, 0, -40)


async def test_a_party_with_a_session_and_nothing_left_is_still_seen(stage: Stage) -> None:
    """Sessions are compared with accounts as long as one is live; a quarantined one is counted apart."""
    await stage.run(250)
    stage.quotas.sit("B-00")
    await stage.run(TELL_MS)
    assert (party(stage, "B").sessions, party(stage, "B").accounts) == (1, 2)
    stage.quotas.sit("B-00", quarantined=True)
    await stage.run(TELL_MS)
    assert (looks(stage)[-1].sessions, looks(stage)[-1].quarantined) == (0, 1)
