"""What was foreseen at one third of a run against what scheduler and gate then did, on the real gate in virtual time."""

import pytest
import redis.asyncio as aioredis

from domain.windows import WindowRule
from ledger.values import HoldRow
from tests.planner.sliced_town import SlicedTown
from tests.scheduler.fakes import REGISTRY, policy

#: what the error may be, as a part of the time that was left; and in ms: a ledger hears of answers within a second, and a last slice
#: takes its time, so that nobody can tell the end of a job of five seconds within half of that
WITHIN, OR_MS = 0.1, 1_000
#: the town's clock, in seconds of the day where its registry stands
DAY_S = 7 * 3600


async def hold_to_it(town: SlicedTown, held: frozenset[str] = frozenset()) -> None:
    """Make the forecast at one third of the run, run to the end, and compare each party's end and that of all."""
    total = sum(count for party, count in town.records.items() if party not in held)
    await town.until_sent((total + sum(count for count, _ in town.coming.values())) // 3)
    made_at, told = town.clock.now(), await town.foresee(held)
    await town.until_all_done(300_000, held)
    truth = {party: at - made_at for party, at in town.ends.items() if at > made_at}
    foreseen = {party: (told.parties[party] or 0) - made_at for party in truth}
    print("foreseen and true (ms):", {party: (foreseen[party], truth[party]) for party in truth})
    assert len(truth) >= 3
    for party, took_ms in truth.items():
        assert abs(foreseen[party] - took_ms) <= max(WITHIN * took_ms, OR_MS), party
    last_ms = max(truth.values())
    assert abs(max(foreseen.values()) - last_ms) <= WITHIN * last_ms
    assert {party for party, end in told.parties.items() if end is None} == held


def uneven(rows: int) -> tuple[dict[str, int], dict[str, int]]:
    """Accounts and records of eight parties of uneven size, one with a hundred records."""
    sizes = {f"P{k}": 100 if k == 1 else rows * (2 + 3 * k % 7) for k in range(8)}
    return {name: 1 + k % 4 for k, name in enumerate(sizes)}, sizes


def after_start(*parts: tuple[int, int]) -> tuple[WindowRule, ...]:
    """Windows in seconds from the town's first moment."""
    return tuple(WindowRule(from_s=DAY_S + begin, to_s=DAY_S + end) for begin, end in parts)


@pytest.mark.parametrize("part", [1.0, 0.25])
async def test_a_closed_window_ahead(valkey: aioredis.Redis, part: float) -> None:
    """Bursts worth a second and a quarter; closed for fifteen seconds in the middle."""
    accounts, records = uneven(150)
    rules = policy(
        accounts,
        rate=300,
        burst=round(300 * part),
        account_burst=round(20 * part),
        windows=after_start((0, 20), (35, 3600)),
    )
    await hold_to_it(SlicedTown(valkey, rules, records))


async def test_parties_of_uneven_size_at_a_registry_that_bears_little(valkey: aioredis.Redis) -> None:
    """Twenty accounts could send 400 a second, the registry bears 60."""
    accounts, records = uneven(100)
    await hold_to_it(SlicedTown(valkey, policy(accounts, rate=60, burst=60), records))


async def test_a_file_that_is_still_checked(valkey: aioredis.Redis) -> None:
    """It comes with the rows that were counted when it was taken in, and takes its part from the others."""
    rules = policy({"A": 2, "B": 3, "C": 1}, rate=80, burst=80)
    town = SlicedTown(valkey, rules, {"A": 1200, "B": 1100})
    town.coming["C"] = (400, town.clock.now() + 14_000)
    await hold_to_it(town)


async def test_a_held_party(valkey: aioredis.Redis) -> None:
    """It has no end in sight, and the others have what it would have had."""
    accounts, records = uneven(100)
    town = SlicedTown(valkey, policy(accounts, rate=120, burst=120), records)
    town.ledger.standing_holds = [HoldRow(REGISTRY, "P4", "r", "ops", 0)]
    await hold_to_it(town, frozenset({"P4"}))


@pytest.mark.parametrize("turn_s", [2, 10])
async def test_parties_that_outnumber_sessions(valkey: aioredis.Redis, turn_s: int) -> None:
    """Six parties take turns on three sessions."""
    parties = {f"P{k}": 1 for k in range(6)}
    rules = policy(parties, sessions=3, turn_s=turn_s)
    await hold_to_it(SlicedTown(valkey, rules, dict.fromkeys(parties, 500)))


@pytest.mark.parametrize(("burst", "answer_ms"), [(5, 500), (2, 10), (4, 150)])
async def test_bursts_that_answers_use_up(valkey: aioredis.Redis, burst: int, answer_ms: int) -> None:
    """Small buckets and slow answers: what is out bounds the pace, not the rate."""
    rules = policy({"A": 4, "B": 4, "C": 2}, rate=400, burst=400, account_burst=burst)
    town = SlicedTown(valkey, rules, {"A": 1800, "B": 1400, "C": 600}, answer_ms=answer_ms)
    await hold_to_it(town)
