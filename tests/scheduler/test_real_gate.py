"""The loop and the Lua together, in virtual time: pace, fairness, and the ways in which sessions end."""

from collections import Counter

import pytest
import redis.asyncio as aioredis

from domain.windows import WindowRule
from ledger.values import HoldRow
from tests.scheduler.fakes import REGISTRY, policy
from tests.scheduler.fluid import fluid_sent
from tests.scheduler.real_gate import Town

ACCOUNTS = [1 + k % 4 for k in range(20)]
SMALL = {4: 100, 9: 100, 14: 100, 19: 100}
RECORDS = [6400 if k == 0 else SMALL.get(k, 9200 // 15 + (k <= 5)) for k in range(20)]


def over_limit(arrivals: list[tuple[int, str]], rate: float, burst: float) -> float:
    """By how many records arrivals ever passed burst + rate · t, over all intervals (0 or less: never)."""
    worst = lowest = float("-inf")
    for number, (at, _) in enumerate(sorted(arrivals)):
        lowest = max(lowest, rate * at / 1000 - number)
        worst = max(worst, number + 1 - rate * at / 1000 + lowest)
    return worst - burst


@pytest.mark.parametrize("part", [1.0, 0.25])
async def test_on_the_real_gate_twenty_uneven_parties_send_as_much_as_water_would(
    valkey: aioredis.Redis, part: float
) -> None:
    """The issue's scene: 20 s over the fluid optimum ≥ 0.99, accounts alike, no limit broken, no session too many."""
    names = [f"P{k:02}" for k in range(20)]
    rules = policy(
        dict(zip(names, ACCOUNTS, strict=True)),
        burst=int(800 * part),
        account_burst=int(20 * part),
        sessions=60,
    )
    town = Town(valkey, rules, dict(zip(names, RECORDS, strict=True)))
    await town.fill(2500)
    await town.run(22_000)
    first = min(at for at, _ in town.arrivals)
    best = fluid_sent(RECORDS, ACCOUNTS, 20, rate=800, burst=800 * part, each=20, each_burst=20 * part)
    sent = sum(1 for at, _ in town.arrivals if at < first + 20_000)
    print(f"bursts worth {part} s: {sent} of {sum(best[-1]):.0f} = {sent / sum(best[-1]):.4f}")
    by_six = Counter(party for at, party in town.arrivals if at < first + 6_000)
    paces = [
        by_six[names[k]] / ACCOUNTS[k]
        for k in range(20)
        if by_six[names[k]] < RECORDS[k]
        for _ in range(ACCOUNTS[k])
    ]
    jain = sum(paces) ** 2 / (len(paces) * sum(pace**2 for pace in paces))
    print(
        f"Jain {jain:.4f} over {len(paces)} accounts; worst excess {over_limit(town.arrivals, 800, 800 * part):.2f}"
    )
    assert sent >= 0.99 * sum(best[-1])
    assert jain >= 0.99
    assert over_limit(town.arrivals, 800, 800 * part) <= 0
    for k, name in enumerate(names):
        assert town.most_sessions[name] <= ACCOUNTS[k]


async def test_a_closing_window_stops_everything_in_time_and_the_next_one_starts_it_at_once(
    valkey: aioredis.Redis,
) -> None:
    """Last record within guard + 1 s before the end, first within 2 s after the opening; nothing between."""
    hours = (WindowRule(from_s=8 * 3600, to_s=8 * 3600 + 10), WindowRule(from_s=8 * 3600 + 20, to_s=9 * 3600))
    town = Town(valkey, policy({"A": 2}, windows=hours), {"A": 10_000})
    start = town.clock.now()
    town.clock.advance((32 * 3600 - 3) * 1000 - 7 * 3_600_000)
    opens = start + 32 * 3_600_000 - 7 * 3_600_000
    await town.run(30_000)
    before = [at for at, _ in town.arrivals if at < opens + 15_000]
    after = [at for at, _ in town.arrivals if at >= opens + 15_000]
    assert opens <= min(before) <= opens + 2_000
    assert opens + 10_000 - 1_000 - 1_000 - 1_000 <= max(before) < opens + 10_000 - 1_000
    assert opens + 20_000 <= min(after) <= opens + 22_000


async def test_a_withdrawn_account_and_a_hold_stop_within_a_second_and_others_go_on(
    valkey: aioredis.Redis,
) -> None:
    """By the gate's own doors, which the loop moves."""
    town = Town(valkey, policy({"A": 2, "B": 1}), {"A": 10_000, "B": 10_000})
    await town.run(3_000)
    assert town.sessions.keys() == {"A-00", "A-01", "B-00"}
    town.ledger.policies.append((town.clock.now(), policy({"A": 1, "B": 1})))
    await town.run(1_000)
    assert town.sessions.keys() == {"A-00", "B-00"}
    town.ledger.standing_holds = [HoldRow(REGISTRY, "A", "r", "ops", 0)]
    await town.run(1_000)
    since = town.clock.now()
    await town.run(2_000)
    assert {party for at, party in town.arrivals if at > since} == {"B"}
    town.ledger.standing_holds = []
    await town.run(1_000)
    assert [party for at, party in town.arrivals if at > since].count("A") > 10


async def test_parties_that_outnumber_sessions_all_get_their_turn(valkey: aioredis.Redis) -> None:
    """Six parties, two sessions, turns of 2 s: a hundred records are done long before a million."""
    parties = {f"P{k}": 1 for k in range(6)}
    records = dict.fromkeys(parties, 1_000_000) | {"P5": 30}
    town = Town(valkey, policy(parties, sessions=2, turn_s=2), records)
    await town.run(18_000)
    assert town.sent["P5"] == 30
    assert all(town.sent[party] > 20 for party in parties)
    assert max(at for at, party in town.arrivals if party == "P5") < town.clock.now() - 9_000


async def test_after_redis_was_flushed_work_goes_on_in_a_new_generation(valkey: aioredis.Redis) -> None:
    """Within the answer time-out + 5 s; the scheduler finds out by itself."""
    town = Town(valkey, policy({"A": 2}, answer_timeout_s=3), {"A": 10_000})
    await town.run(2_000)
    await valkey.flushall()
    town.sessions.clear()
    lost_at = town.clock.now()
    await town.run(8_000)
    assert town.ledger.generations == ["redis", "redis"]
    back = [at for at, _ in town.arrivals if at > lost_at]
    assert lost_at + 3_000 <= min(back) <= lost_at + 8_000
