"""What a session has in hand: each line in one place, and each move to the next."""

from dataclasses import replace

from domain.clock import ManualClock
from tests.workers.fake_ledger import FakeLedger
from workers.stock import Hand, Stock


def hand(
    states: str, after: dict[int, int] | None = None, *, idempotent: bool = True, watermark: int = 0
) -> Hand:
    """A slice with these states."""
    held = FakeLedger(ManualClock()).add_slice(len(states), states, after, watermark=watermark)
    return Hand(held.claimed, held.box, idempotent=idempotent)


def taken(one: Hand, count: int = 100) -> list[int]:
    """Take lines and tell their numbers."""
    return [line.line for line in one.take(count)]


def test_settled_lines_stay_where_they_are() -> None:
    """Only pending and unknown lines are sent."""
    assert taken(hand("parupdx")) == [0, 3, 4]


def test_unknown_lines_are_asked_about_where_keys_do_not_protect() -> None:
    """Without idempotency an unknown line is not sendable: it is asked about."""
    one = hand("pup", idempotent=False, watermark=3)
    assert (taken(one), list(one.asking)) == ([0, 2], [1])


def test_unknown_lines_of_a_copy_that_was_put_back_are_asked_about_first_also_where_keys_protect() -> None:
    """They are sent once the registrar does not have them; lost after that, the same key goes again as ever."""
    held = FakeLedger(ManualClock()).add_slice(2, "up")
    one = Hand(replace(held.claimed, ask_first=True), held.box, idempotent=True)
    assert (taken(one), list(one.asking)) == ([1], [0])
    one.believe_absent(one.asking.popleft())
    assert taken(one) == [0]
    one.lose(0)
    one.put_off(0, 5)
    one.wake()
    assert (taken(one), list(one.asking)) == ([0], [])


def test_nothing_passes_the_watermark() -> None:
    """Without idempotency only lines below the committed watermark may go."""
    one = hand("pppp", idempotent=False)
    assert (one.sendable(), taken(one)) == (0, [])
    one.marked = 2
    assert (one.sendable(), taken(one)) == (2, [0, 1])


def test_a_line_waits_for_the_one_before_it() -> None:
    """The later record of a person goes when the earlier one is answered, unless that was before."""
    one = hand("pppa" + "p", after={1: 0, 2: 1, 4: 3})
    assert taken(one) == [0, 4]
    one.answer(0)
    assert taken(one) == [1]
    one.answer(1)
    assert taken(one) == [2]


def test_behind_a_doubtful_line_nothing_moves() -> None:
    """A line behind a doubtful one stays, and the slice is found to be stuck."""
    stock = Stock()
    one = hand("dp", after={1: 0})
    stock.add(one)
    assert stock.sendable() == 0
    assert stock.sweep(0, 5_000) == [one]


def test_what_was_not_recorded_goes_again_in_its_order() -> None:
    """Lines that a clean end left unanswered come back before all others, as they were."""
    stock = Stock()
    stock.add(hand("pppp"))
    first = stock.take(3, 0)
    assert stock.put_back([line.key for line in first]) == 3
    assert [line.line for line in stock.take(4, 0)] == [0, 1, 2, 3]


def test_what_was_lost_is_unknown() -> None:
    """Lines whose answers will not come are unknown; nothing else is."""
    stock = Stock()
    one = hand("ppp")
    stock.add(one)
    stock.take(2, 0)
    assert stock.lose_all() == 2
    assert one.unknown == {0, 1}
    assert one.out == set()


def test_put_off_lines_come_in_their_time() -> None:
    """The line due first is the next to go."""
    stock = Stock()
    one = hand("ppp")
    stock.add(one)
    stock.take(3, 0)
    one.put_off(0, 500)
    one.put_off(1, 200)
    assert stock.next_due() == 200
    stock.wake_one()
    assert taken(one) == [1]
    assert stock.next_due() == 500


def test_a_dropped_slice_sends_nothing_more() -> None:
    """After its job was paused or cancelled, not even what comes back goes again; with nothing out it is given back."""
    stock = Stock()
    one = hand("pppp", after={3: 0})
    stock.add(one)
    out = stock.take(2, 0)
    one.drop()
    stock.put_back([out[0].key])
    one.answer(0)
    one.put_off(1, 0)
    assert stock.sendable() == 0
    assert stock.sweep(0, 5_000) == [one]


def test_a_slice_that_is_done_is_forgotten() -> None:
    """With everything answered the slice leaves the hand without being given back."""
    stock = Stock()
    one = hand("pp")
    stock.add(one)
    stock.take(2, 0)
    one.answer(0)
    one.answer(1)
    assert stock.sweep(0, 5_000) == []
    assert stock.hands == []


def test_a_slice_whose_lines_are_due_much_later_is_given_back() -> None:
    """An account is not held for lines that the registrar wants to see in a minute."""
    stock = Stock()
    one = hand("p")
    stock.add(one)
    stock.take(1, 0)
    one.put_off(0, 60_000)
    assert stock.sweep(0, 5_000) == [one]


def test_of_a_cancelled_slice_only_what_is_unknown_is_looked_at() -> None:
    """A line that was never sent is not sent now, and not asked about either."""
    held = FakeLedger(ManualClock()).add_slice(3, "pua")
    one = Hand(replace(held.claimed, ask_only=True), held.box, idempotent=True)
    assert (taken(one), list(one.asking), one.unsettled) == ([], [1], {1})


def test_a_line_that_must_be_asked_about_again_is_not_sent_when_its_time_comes() -> None:
    """Sent once its absence was believed, refused as perhaps our own, and the question put off: it is asked about, not sent."""
    one = hand("u", idempotent=False, watermark=1)
    one.believe_absent(one.asking.popleft())
    assert taken(one) == [0]
    one.ask_about(0)
    one.put_off(one.asking.popleft(), 5)
    one.wake()
    assert (taken(one), list(one.asking)) == ([], [0])


def test_what_is_found_absent_after_its_job_was_stopped_is_not_sent() -> None:
    """The answer to the question came after the slice was dropped."""
    one = hand("u", idempotent=False, watermark=1)
    asked = one.asking.popleft()
    one.drop()
    one.believe_absent(asked)
    assert one.sendable() == 0
