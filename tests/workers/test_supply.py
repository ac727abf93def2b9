"""The supply of one session: what it claims ahead, what it marks, and what it says of a slice that it gives back."""

from dataclasses import replace

import pytest

from domain.clock import ManualClock
from domain.policy import RegistryRules
from domain.quota import Lease
from tests.workers.bench import Bench, bench
from tests.workers.wires.scripted import Scripted
from workers.stock import Stock
from workers.supply import AHEAD, AHEAD_MOST, AHEAD_S, OVERDUE_MS, PUT_OFF, SPENT_PAUSE_MS, Supply
from workers.wires.http import HttpWire

SETTLE_S = 60


@pytest.fixture
def work(server: Scripted) -> Bench:
    """A station without idempotency on a manual clock."""
    clock = ManualClock()
    rules = RegistryRules("reg", "party-members", server.endpoint, idempotent=False, settle_s=SETTLE_S)
    return bench(rules, HttpWire(rules, clock), clock=clock)


def supplied(work: Bench) -> tuple[Supply, Stock]:
    """A supply with nothing claimed yet."""
    stock = Stock()
    return Supply(work.station, Lease("reg", "P1", "A1", "host:1", 1, 1), stock), stock


async def test_what_is_to_be_asked_about_is_not_claimed_without_end(work: Bench) -> None:
    """A party with nothing but unknown records: one session takes some in hand and leaves the rest to others."""
    for _ in range(3 * AHEAD):
        work.ledger.add_slice(1, "u")
    supply, stock = supplied(work)
    await supply.claim_ahead(0, 0)
    assert stock.asking() == len(work.ledger.claims) == AHEAD


async def test_a_burst_claims_no_more_than_the_account_s_rate_can_send(work: Bench) -> None:
    """What goes out in the first moments is not the pace that follows: more would lie here while the party's other accounts are idle."""
    for _ in range(40):
        work.ledger.add_slice(1)
    work.station.rules = replace(work.station.rules, account_rate=20.0)
    supply, stock = supplied(work)
    for now in range(0, 600, 100):
        await supply.claim_ahead(now, now + 1)  # a hundred records every 100 ms
    assert stock.low_water == int(20 * AHEAD_S) > AHEAD


@pytest.mark.parametrize(("lines", "ahead"), [(3, AHEAD), (18, 6), (300, AHEAD_MOST)])
async def test_the_next_slice_is_claimed_while_a_part_of_this_one_is_left(
    work: Bench, lines: int, ahead: int
) -> None:
    """A session whose lines run out asks the gate by itself; of short slices no more is held, they may be a file's last."""
    work.ledger.add_slice(lines)
    supply, stock = supplied(work)
    await supply.claim_ahead(0, 0)
    await supply.claim_ahead(0, 1)
    assert (stock.low_water, stock.mark_water) == (ahead, AHEAD)


async def test_a_record_that_was_ever_unknown_goes_back_as_unknown(work: Bench) -> None:
    """Its absence was believed, and it was not sent again: whoever gets it next must know that it may have been ours."""
    work.ledger.add_slice(2, "up")
    supply, stock = supplied(work)
    await supply.claim_ahead(0, 0)
    (hand,) = stock.hands
    hand.believe_absent(hand.asking.popleft())
    await supply.give_back(hand)
    assert work.ledger.given_back == [("J1.0", (0,), work.station.clock.now() + SETTLE_S * 1000)]


async def test_nothing_is_sent_of_a_slice_whose_mark_was_refused(work: Bench) -> None:
    """The claim is gone: somebody else may have the slice by now."""

    async def refuse(slice_id: str, token: int, upto: int, now: int) -> bool:
        return False

    work.ledger.add_slice(3)
    work.ledger.mark_sent = refuse  # type: ignore[method-assign]  # a ledger that has given the slice to another
    supply, stock = supplied(work)
    await supply.claim_ahead(0, 0)
    await supply.mark_ahead()
    (hand,) = stock.hands
    assert (stock.sendable(), hand.dropped) == (0, True)


async def test_nothing_more_is_claimed_while_much_is_put_off(work: Bench) -> None:
    """A registrar that answers busy for long is not offered slice after slice; what it puts off stays countable."""
    for _ in range(PUT_OFF):
        work.ledger.add_slice(2)
    supply, stock = supplied(work)
    for _ in range(PUT_OFF):
        await supply.claim_ahead(0, 0)
        for hand in stock.hands:
            while hand.ready:
                hand.put_off(hand.ready.popleft(), 900)
    assert PUT_OFF <= stock.put_off() <= PUT_OFF + AHEAD
    assert len(work.ledger.claims) == stock.put_off() // 2


async def test_a_few_lines_put_off_do_not_keep_others_from_being_sent(work: Bench) -> None:
    """A registrar that is busy for some records only gets the next ones at once."""
    for _ in range(2):
        work.ledger.add_slice(AHEAD)
    supply, stock = supplied(work)
    await supply.claim_ahead(0, 0)
    while stock.hands[0].ready:
        stock.hands[0].put_off(stock.hands[0].ready.popleft(), 900)
    await supply.claim_ahead(0, 0)
    assert (stock.put_off(), stock.unsent()) == (AHEAD, AHEAD)


async def test_a_slice_for_which_no_retry_is_left_goes_back_for_a_pause(work: Bench) -> None:
    """Retries are earned slowly: rather than be held for hours, put-off lines are given out again later, as new."""
    clock = work.station.clock
    assert isinstance(clock, ManualClock)
    while work.station.budget.take():
        pass
    work.ledger.add_slice(1)
    supply, stock = supplied(work)
    await supply.claim_ahead(0, clock.monotonic())
    stock.hands[0].put_off(stock.hands[0].ready.popleft(), clock.monotonic() + 1)
    clock.advance(OVERDUE_MS)
    supply.retry_due(clock.monotonic())
    await supply.give_back_stuck(clock.monotonic())
    assert work.ledger.given_back == []
    clock.advance(1)
    await supply.give_back_stuck(clock.monotonic())
    assert work.ledger.given_back == [("J1.0", (), clock.now() + SPENT_PAUSE_MS)]
    assert stock.hands == []
