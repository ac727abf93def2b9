"""The loop round the decision: who leads, what is written when, what is rung again."""

from dataclasses import replace

from domain.events import GenerationBegun, LoopFailed, RoundDecided
from domain.quota import Signals
from domain.states import AccountKind, AccountState
from domain.windows import WindowRule
from ledger.values import AccountRow, HoldRow
from tests.scheduler.fakes import REGISTRY, Stage, policy

HOUR_MS = 3_600_000
#: 2027-01-15, 08:00 UTC = 15:00 in Bangkok
START = 1_800_000_000_000


async def test_a_new_home_has_nothing_to_decide() -> None:
    """No policy, no registry, no error."""
    stage = Stage()
    assert await stage.scheduler.run_once() == 1.0
    assert stage.ledger.generations == []


async def test_a_fresh_gate_begins_a_generation_and_then_works(stage: Stage) -> None:
    """Configured, shares written, sessions rung for."""
    stage.waits(A=1000)
    await stage.run(250)
    assert stage.ledger.generations == ["redis"]
    assert any(isinstance(event, GenerationBegun) and event.generation == 1 for event in stage.events)
    assert stage.quotas.accounts.keys() == {"A-00", "A-01", "B-00", "B-01"}
    assert stage.quotas.quota is not None
    assert stage.quotas.quota.sessions == 60
    assert stage.quotas.shares.keys() == {"A"}
    assert stage.quotas.shares["A"].rate >= 40
    assert stage.doorbell.sessions == ["A", "A"]


async def test_a_gate_that_lost_everything_begins_the_next_generation(stage: Stage) -> None:
    """The ledger counts; what was written before is written again."""
    stage.waits(A=1000)
    await stage.run(1000)
    stage.quotas.use = replace(stage.quotas.use, generation=0, is_new=True)
    stage.quotas.shares.clear()
    await stage.run(500)
    assert stage.ledger.generations == ["redis", "redis"]
    assert stage.quotas.use.generation == 2
    assert stage.quotas.shares["A"].rate > 0
    assert stage.quotas.accounts


async def test_a_gate_older_than_the_ledger_begins_anew(stage: Stage) -> None:
    """An old copy that was promoted knows nothing of what came after."""
    await stage.run(250)
    stage.ledger.generations.append("elsewhere")
    stage.quotas.use = replace(stage.quotas.use, generation=1)
    follower = Stage(policy({"A": 1}))
    follower.ledger.generations = ["a", "b"]
    follower.quotas.use = replace(follower.quotas.use, generation=1, is_new=False)
    await follower.run(250)
    assert follower.quotas.use.generation == 3
    assert follower.ledger.generations[-1] == "older"


async def test_a_ledger_from_a_copy_passes_the_generation_that_the_gate_has_seen(stage: Stage) -> None:
    """Tokens only ever grow."""
    stage.quotas.use = replace(stage.quotas.use, generation=5, is_new=False)
    await stage.run()
    assert stage.quotas.use.generation == 6


async def test_a_lost_gate_ends_the_round_and_the_next_one_tries_again(stage: Stage) -> None:
    """Nothing raised, an event said, soon back."""
    stage.quotas.is_lost = True
    assert await stage.scheduler.run_once() == 0.3
    assert stage.events == [LoopFailed(loop="scheduler", error="GateLost")]
    stage.quotas.is_lost = False
    stage.waits(A=10)
    await stage.run(250)
    assert stage.quotas.shares["A"].rate > 0


async def test_only_what_changed_is_written_and_what_would_lapse_is_written_again(stage: Stage) -> None:
    """With nothing changing, one write every few seconds keeps the gate open without a gap."""
    stage.waits(A=10**6, B=10**6)
    stage.quotas.sit("A-00", "A-01", "B-00", "B-01")
    await stage.run(500)
    stage.quotas.sit("A-00", "A-01", "B-00", "B-01")
    await stage.run(3000)
    before = len(stage.quotas.written)
    open_until = {p: stage.clock.monotonic() + s.open_until_ms for p, s in stage.quotas.written[-1].items()}
    for _ in range(48):
        stage.clock.advance(250)
        seen = len(stage.quotas.written)
        await stage.scheduler.run_once()
        for shares in stage.quotas.written[seen:]:
            open_until.update({p: stage.clock.monotonic() + s.open_until_ms for p, s in shares.items()})
        assert all(until > stage.clock.monotonic() + 250 for until in open_until.values())
    assert len(stage.quotas.written) - before <= 7


async def test_a_party_that_is_done_is_closed(stage: Stage) -> None:
    """Its share does not stand open for whoever comes late."""
    stage.waits(A=1000)
    await stage.run(250)
    stage.waits()
    await stage.run(250)
    assert stage.quotas.shares["A"].open_until_ms == 0


async def test_a_window_closes_by_the_registrars_clock_less_the_guard() -> None:
    """16:30 by a registrar that is 30 s ahead of us, known to half a second, guard 1 s."""
    office = WindowRule(from_s=8 * 3600, to_s=16 * 3600)
    stage = Stage(policy({"A": 1}, windows=(office,)), START + HOUR_MS - 34_000)
    stage.waits(A=10**6)
    await stage.run()
    stage.quotas.use = replace(stage.quotas.use, signals=Signals(clock_offset_ms=30_000, clock_error_ms=500))
    await stage.run()
    assert stage.quotas.shares["A"].open_until_ms == 4000 - 1000 - 500
    stage.clock.advance(1500)
    stage.quotas.written.clear()
    await stage.run(2000)
    assert not any(share.open_until_ms > 1000 for shares in stage.quotas.written for share in shares.values())
    assert any(isinstance(event, RoundDecided) for event in stage.events)


async def test_it_sleeps_until_the_window_opens_and_then_opens_at_once() -> None:
    """Idle rounds are a second apart; the last sleep ends at the edge, the error of the clock waited out."""
    office = WindowRule(from_s=16 * 3600, to_s=17 * 3600)
    stage = Stage(policy({"A": 1}, windows=(office,)), START + HOUR_MS - 1300)
    stage.waits(A=10**6)
    await stage.run()
    stage.quotas.use = replace(stage.quotas.use, signals=Signals(clock_offset_ms=0, clock_error_ms=200))
    slept = []
    while not (stage.quotas.shares and stage.quotas.shares["A"].open_until_ms):
        slept.append(await stage.scheduler.run_once())
        if not stage.quotas.shares:
            stage.clock.advance(round(slept[-1] * 1000))
    assert stage.clock.now() == START + HOUR_MS + 200
    assert slept[0] == 1.0
    assert stage.doorbell.sessions == ["A"]


async def test_a_quarantine_is_watched_in_every_round() -> None:
    """The gate's clock goes on by 300 ms a call at most: with one call a second a quarantine would last three times too long."""
    stage = Stage(policy({"A": 2}, newest_wins=False))
    stage.waits(A=100)
    await stage.run(500)
    stage.quotas.sit("A-00", "A-01", quarantined=True)
    assert await stage.scheduler.run_once() <= 0.25


async def test_a_lost_ring_is_rung_again_and_a_ring_on_its_way_is_not(stage: Stage) -> None:
    """Two accounts, two rings; after a second without a session, two more; with one session there, one."""
    stage.waits(A=1000)
    await stage.run(750)
    assert stage.doorbell.sessions == ["A", "A"]
    await stage.run(500)
    assert stage.doorbell.sessions == ["A"] * 4
    stage.quotas.sit("A-00")
    stage.doorbell.sessions.clear()
    await stage.run(1500)
    assert stage.doorbell.sessions == ["A"]


async def test_an_account_that_policy_withdraws_is_gone_in_the_next_round(stage: Stage) -> None:
    """Also a version whose time comes later."""
    await stage.run(250)
    stage.ledger.policies.append((stage.clock.now() + 1000, policy({"A": 1, "B": 2})))
    await stage.run(500)
    assert "A-01" in stage.quotas.accounts
    await stage.run(500)
    assert stage.quotas.accounts.keys() == {"A-00", "B-00", "B-01"}


async def test_an_account_set_aside_is_withdrawn_within_a_second_and_one_restored_comes_back(
    stage: Stage,
) -> None:
    """Only active accounts stand in the gate."""
    await stage.run(250)
    row = AccountRow(REGISTRY, "A", "A-01", AccountKind.BASE, AccountState.SET_ASIDE)
    stage.ledger.rows = [row]
    await stage.run(1000)
    assert "A-01" not in stage.quotas.accounts
    configured = stage.quotas.configured
    await stage.run(3000)
    assert stage.quotas.configured == configured
    stage.ledger.rows = [replace(row, state=AccountState.ACTIVE)]
    await stage.run(1000)
    assert "A-01" in stage.quotas.accounts


async def test_holds_are_mirrored_and_let_go_and_mirrored_again_after_a_loss(stage: Stage) -> None:
    """The ledger says who is held; the gate hears of every change once."""
    stage.waits(A=1000, B=1000)
    await stage.run(250)
    stage.ledger.standing_holds = [HoldRow(REGISTRY, "A", "r", "ops", 0)]
    await stage.run(250)
    assert stage.quotas.held["A"] is True
    assert stage.quotas.shares["A"].open_until_ms == 0
    calls = stage.quotas.hold_calls
    await stage.run(1000)
    assert stage.quotas.hold_calls == calls
    stage.quotas.use = replace(stage.quotas.use, is_new=True)
    await stage.run(250)
    assert stage.quotas.held["A"] is True
    stage.ledger.standing_holds = [HoldRow(REGISTRY, None, "r", "ops", 0)]
    await stage.run(250)
    assert (stage.quotas.held["A"], stage.quotas.held[None]) == (False, True)
    assert all(share.open_until_ms == 0 for share in stage.quotas.shares.values())
    stage.ledger.standing_holds = []
    await stage.run(250)
    assert stage.quotas.held[None] is False
    assert stage.quotas.shares["A"].open_until_ms > 0


async def test_a_round_that_was_woken_looks_at_everything_and_others_every_half_second(stage: Stage) -> None:
    """A hold is heard at once by a wake, and without one within half a second."""
    await stage.run(500)
    stage.ledger.standing_holds = [HoldRow(REGISTRY, "A", "r", "ops", 0)]
    await stage.run()
    assert stage.quotas.held["A"] is True
    stage.waits(B=1000)
    await stage.run(500)
    stage.ledger.standing_holds = []
    stage.clock.advance(250)
    await stage.scheduler.run_once()
    stage.clock.advance(250)
    await stage.scheduler.run_once()
    assert stage.quotas.held["A"] is False


async def test_a_turn_that_is_over_is_ended_once(stage: Stage) -> None:
    """Two parties, one seat: after 10 s the sitting one is told, and not again while it finishes."""
    stage.ledger.policies = [(0, policy({"A": 1, "B": 1}, sessions=1))]
    stage.waits(A=10**6, B=100)
    await stage.run()
    stage.quotas.sit("A-00")
    await stage.run(9750)
    assert stage.quotas.ended == []
    assert stage.quotas.shares["A"].rate > 0
    assert "B" not in stage.quotas.shares
    await stage.run(1500)
    assert stage.quotas.ended == ["A-00"]
    stage.quotas.sit()
    await stage.run(250)
    assert stage.quotas.shares["B"].rate > 0
    assert stage.doorbell.sessions[-1] == "B"


async def test_a_pushback_of_the_registry_slows_the_very_next_round(stage: Stage) -> None:
    """The registry's own rate is written too."""
    stage.waits(A=10**6)
    await stage.run(500)
    assert stage.quotas.rate == 800
    stage.quotas.use = replace(stage.quotas.use, signals=Signals(pushbacks=1, closed_ms=900))
    await stage.run()
    assert stage.quotas.rate == 400


async def test_a_seat_that_others_need_is_an_added_account_s_if_the_party_has_one(stage: Stage) -> None:
    """Base accounts are the party's own; added ones were granted beside them."""
    rules = policy({"A": 2, "B": 1}, sessions=2)
    base, added = rules.parties["A"].accounts
    party = replace(rules.parties["A"], accounts=(base, replace(added, kind=AccountKind.ADDED)))
    stage.ledger.policies = [(0, replace(rules, parties={**rules.parties, "A": party}))]
    await stage.run(250)
    stage.quotas.sit("A-00", "A-01")
    stage.waits(A=10_000, B=10_000)
    await stage.run(12_000)
    assert stage.quotas.ended == ["A-01"]
