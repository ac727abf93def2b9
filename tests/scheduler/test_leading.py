"""Who leads: one at a time, and what the next one takes over."""

from contextlib import suppress
from dataclasses import replace

from domain.errors import Busy
from domain.quota import Signals
from ledger.values import HoldRow
from tests.scheduler.fakes import REGISTRY, FakeLedger, Stage

HOUR_MS = 3_600_000
#: 2027-01-15, 08:00 UTC = 15:00 in Bangkok
START = 1_800_000_000_000


async def test_one_leads_and_the_other_takes_over_within_three_seconds(stage: Stage) -> None:
    """The standby writes nothing while the leader lives, and everything once it is gone."""
    standby = stage.another("s2")
    stage.waits(A=1000)
    await stage.run(250)
    assert await standby.run_once() == 0.5
    assert [s.is_leading for s in (stage.scheduler, standby)] == [True, False]
    stage.quotas.shares.clear()
    waited = 0
    while not stage.quotas.shares:
        stage.clock.advance(500)
        waited += 500
        await standby.run_once()
    assert waited <= 3000
    assert await stage.scheduler.run_once() == 0.5
    assert [s.is_leading for s in (stage.scheduler, standby)] == [False, True]


async def test_a_leader_that_cannot_reach_the_ledger_steps_aside(stage: Stage) -> None:
    """It does reach the gate, so its lease would never end: another leads before the shares lapse, and it stands by once it is well."""
    cut_off = FakeLedger(stage.ledger.policies)
    first, standby = stage.another("far", cut_off), stage.scheduler
    await first.run_once()
    cut_off.is_away = True
    waited = 0
    while not standby.is_leading and waited < 10_000:
        with suppress(Busy):
            await first.run_once()
        stage.clock.advance(500)
        waited += 500
        await standby.run_once()
    assert waited <= 4000
    cut_off.is_away = False
    for _ in range(10):
        stage.clock.advance(500)
        await standby.run_once()
        assert await first.run_once() == 0.5
    assert [one.is_leading for one in (first, standby)] == [False, True]


async def test_a_leader_whose_ledger_stumbles_once_goes_on_leading(stage: Stage) -> None:
    """One round that fails is no reason to change hands; alone, it leads again once its ledger is back."""
    await stage.run(250)
    for failing_ms, still_leads in ((500, True), (1500, False)):
        stage.ledger.is_away = True
        for _ in range(failing_ms // 500):
            stage.clock.advance(500)
            with suppress(Busy):
                await stage.scheduler.run_once()
        assert stage.scheduler.is_leading is still_leads
        stage.ledger.is_away = False
        for _ in range(8):
            stage.clock.advance(500)
            await stage.scheduler.run_once()
        assert stage.scheduler.is_leading


async def test_a_hold_that_ended_while_nobody_led_is_let_go(stage: Stage) -> None:
    """Before the first ring of whoever takes over, and once."""
    await stage.run(250)
    stage.quotas.held["A"] = True
    stage.scheduler = stage.another("s2")
    stage.clock.advance(2000)
    stage.waits(A=1000)
    await stage.run()
    assert stage.quotas.held["A"] is False
    assert stage.doorbell.sessions == ["A", "A"]
    calls = stage.quotas.hold_calls
    await stage.run(5000)
    assert stage.quotas.hold_calls == calls


async def test_a_new_leader_keeps_the_pace_that_pushback_brought_down(stage: Stage) -> None:
    """What the registrar asked for does not end because a scheduler died."""
    stage.waits(A=1000)
    await stage.run(1000)
    stage.quotas.use = replace(stage.quotas.use, signals=Signals(pushbacks=1, closed_ms=900))
    await stage.run(250)
    stage.quotas.use = replace(stage.quotas.use, signals=Signals(pushbacks=1))
    braked = stage.quotas.rate
    assert braked == 400
    stage.clock.advance(3000)
    stage.scheduler = stage.another("s2")
    await stage.run(3000)
    assert stage.quotas.rate == braked


async def test_whatever_the_leader_writes_carries_its_epoch(stage: Stage) -> None:
    """So that one who slept and wakes is refused by the gate, not only by its own good sense."""
    stage.waits(A=1000)
    stage.ledger.standing_holds = [HoldRow(REGISTRY, "B", "stop", "ops", 0)]
    await stage.run(1000)
    assert stage.quotas.held["B"]
    assert set(stage.quotas.epochs) == {stage.quotas.leader[2]}
