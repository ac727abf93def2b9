"""Pace and fairness of the shares: the decision in a simulation of the buckets, against water that knows no whole records."""

from collections import Counter
from functools import lru_cache

import pytest

from tests.scheduler.buckets import Plant
from tests.scheduler.fluid import fluid_sent

ACCOUNTS = [1 + k % 4 for k in range(20)]
SMALL = {4: 100, 9: 100, 14: 100, 19: 100}
RECORDS = [6400 if k == 0 else SMALL.get(k, 9200 // 15 + (k <= 5)) for k in range(20)]


@lru_cache
def ran(part: float) -> tuple[list[tuple[int, int]], list[list[float]]]:
    """The issue's scene, bursts worth `part` of a second: arrivals (ms after the first, party), and what water does."""
    scene = Plant(RECORDS, ACCOUNTS, burst=int(800 * part), account_burst=int(20 * part))
    scene.run(22_000)
    first = min(at for at, _ in scene.arrivals)
    best = fluid_sent(RECORDS, ACCOUNTS, 20, rate=800, burst=800 * part, each=20, each_burst=20 * part)
    return [(at - first, party) for at, party in scene.arrivals], best


@pytest.mark.parametrize("part", [1.0, 0.25])
def test_twenty_uneven_parties_send_as_much_in_20_s_as_water_would(part: float) -> None:
    """Records in the first 20 s after the first arrival, over the fluid optimum from the same levels: 0.99 or more."""
    arrivals, best = ran(part)
    sent = sum(1 for at, _ in arrivals if at < 20_000)
    print(f"bursts worth {part} s: {sent} of {sum(best[-1]):.0f} = {sent / sum(best[-1]):.4f}")
    assert sent >= 0.99 * sum(best[-1])


@pytest.mark.parametrize("part", [1.0, 0.25])
def test_accounts_of_parties_with_a_backlog_get_the_same_pace(part: float) -> None:
    """Jain's index of records an account, over parties that still have work after 6 s: 0.99 or more."""
    arrivals, _ = ran(part)
    sent = Counter(party for at, party in arrivals if at < 6_000)
    paces = [sent[k] / ACCOUNTS[k] for k in range(20) for _ in range(ACCOUNTS[k]) if sent[k] < RECORDS[k]]
    assert len(paces) > 20
    assert sum(paces) ** 2 / (len(paces) * sum(pace**2 for pace in paces)) >= 0.99


@pytest.mark.parametrize("part", [1.0, 0.25])
def test_a_hundred_records_take_little_longer_than_water(part: float) -> None:
    """Each small party ends within 1.2 times its fluid time, and a round."""
    arrivals, best = ran(part)
    for k in SMALL:
        took_ms = max(at for at, who in arrivals if who == k)
        fluid_ms = next(5 * step for step, sent in enumerate(best, 1) if sent[k] >= 100 - 1e-6)
        print(f"party {k}: {took_ms} ms, water {fluid_ms} ms")
        assert took_ms <= 1.2 * fluid_ms + 250


def test_slow_answers_cost_no_pace() -> None:
    """With answers after 200 ms, permits are out for longer, and the parties' buckets have room for them."""
    scene = Plant([10_000] * 20, ACCOUNTS, answer_ms=200)
    scene.run(20_000)
    assert sum(scene.sent) >= 0.97 * (800 * 20 + 800)
