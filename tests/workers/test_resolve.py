"""Records whose answer was never read, at a registrar where a second sending would be a second effect."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from domain.jobs import ClaimedSlice
from domain.quota import Lease
from domain.states import JobState, RecordState
from tests.workers.bench import Bench
from tests.workers.surroundings import serve, surroundings
from tests.workers.wires.scripted import Refusal, Scripted, accept
from workers.ending import Reason
from workers.resolve import AT_ONCE
from workers.stock import Hand

KEY = "J1_0-0"


@pytest.fixture
async def work(server: Scripted) -> AsyncIterator[Bench]:
    """A session's surroundings without idempotency; an absence must stand for 60 s."""
    async for made in surroundings(server, idempotent=False, settle_s=60):
        made.station.maybe_ours = frozenset({"already-member"})
        yield made


async def test_what_was_recorded_is_settled_without_being_sent(work: Bench, server: Scripted) -> None:
    """The registrar knows the record: its answer is the outcome, and the question cost one permit."""
    server.known[KEY] = {"key": KEY, "status": "accepted", "receipt": "R7"}
    work.ledger.add_slice(1, "u")
    report = await serve(work)
    assert (report.reason, report.sent, report.settled) == (Reason.EMPTY, 1, 1)
    assert server.arrived == []
    assert work.ledger.outcomes["J1.0", 0].receipt == "R7"


async def test_what_was_rejected_is_rejected(work: Bench, server: Scripted) -> None:
    """A rejection that was never read is read now."""
    server.known[KEY] = {"key": KEY, "status": "rejected", "code": "other-party"}
    work.ledger.add_slice(1, "u")
    await serve(work)
    assert work.ledger.outcomes["J1.0", 0].code == "other-party"
    assert work.ledger.states() == "r"


async def test_what_was_lost_may_be_asked_about_only_when_no_late_original_can_surface(
    work: Bench, server: Scripted
) -> None:
    """A record sent without an answer stays unknown, and its slice comes back when an absence may be believed."""
    now = work.station.clock.now()
    server.script = lambda key: {"key": key, "do": "reset"}
    work.ledger.add_slice(1)
    await serve(work)
    assert server.arrived == [KEY]
    assert work.ledger.states() == "u"
    ((slice_id, unknown, not_before),) = work.ledger.given_back
    assert (slice_id, unknown) == ("J1.0", (0,))
    assert not_before is not None
    assert not_before >= now + 60_000


async def test_the_absence_of_what_was_claimed_as_unknown_is_believed(work: Bench, server: Scripted) -> None:
    """The ledger gave it out after `settle_s`: the record is sent, once, under the same key."""
    work.ledger.add_slice(1, "u")
    assert (await serve(work)).reason is Reason.EMPTY
    assert server.arrived == [KEY]
    assert work.ledger.states() == "a"


async def test_a_record_found_absent_is_sent_before_another_is_asked_about(
    work: Bench, server: Scripted
) -> None:
    """What a question told is forgotten with the claim: a turn of a few permits would else be spent on questions, and the next again."""
    work.ledger.add_slice(6, "uuuuuu")
    await serve(work)
    assert work.ledger.states() == "aaaaaa"
    assert [before for _, before in server.asked[:2]] == [0, 1]
    # of the questions that were under way at once, all but one may have been asked before the first of their lines left
    assert all(before >= at + 1 - AT_ONCE for at, (_, before) in enumerate(server.asked))


@pytest.mark.parametrize("status", [405, 501])
async def test_where_nothing_can_be_asked_people_decide(work: Bench, server: Scripted, status: int) -> None:
    """Neither keys nor asking: doubtful, and never sent again by the machine."""
    server.ask = Refusal(status)
    work.ledger.add_slice(2, "up")
    await serve(work)
    assert work.ledger.states() == "da"
    assert server.arrived == ["J1_0-1"]
    assert work.ledger.outcomes["J1.0", 0].by == "gate"


@pytest.mark.parametrize(
    ("known", "state"), [("accepted", RecordState.ACCEPTED), ("rejected", RecordState.DOUBTFUL)]
)
async def test_a_rejection_that_may_be_our_own_is_asked_about(
    work: Bench, server: Scripted, known: str, state: RecordState
) -> None:
    """`already-member` for a record that was ever unknown means ask; when the answer is the same, people decide."""

    def script(key: str) -> dict[str, Any]:
        server.known[key] = {"key": key, "status": known, "code": "already-member"}
        return {"key": key, "status": "rejected", "code": "already-member"}

    server.script = script
    work.ledger.add_slice(1, "u")
    await serve(work)
    assert work.ledger.outcomes["J1.0", 0].state is state


async def test_a_first_rejection_is_believed(work: Bench, server: Scripted) -> None:
    """`already-member` for a record that was never unknown is the registrar's decision."""
    server.script = lambda key: {"key": key, "status": "rejected", "code": "already-member"}
    work.ledger.add_slice(1)
    await serve(work)
    assert work.ledger.states() == "r"


async def test_a_watermark_goes_before_every_handful(work: Bench, server: Scripted) -> None:
    """Each record that arrives was below a committed watermark when it left."""
    late: list[str] = []

    def script(key: str) -> dict[str, Any]:
        slice_id, line = key.replace("_", ".").split("-")
        if not any(marked == slice_id and int(line) < upto for marked, upto in work.ledger.marks):
            late.append(key)
        return accept(key)

    server.script = script
    work.ledger.add_slice(50)
    work.ledger.add_slice(50)
    assert (await serve(work)).reason is Reason.EMPTY
    assert (len(server.arrived), late) == (100, [])
    assert len(work.ledger.marks) > 2


async def test_an_error_of_the_question_ends_the_session_and_leaves_the_record_unknown(
    work: Bench, server: Scripted
) -> None:
    """A 500 to a question says nothing of the record."""
    server.ask = Refusal(500)
    work.ledger.add_slice(1, "u")
    assert (await serve(work)).reason is Reason.FAULT
    assert work.ledger.states() == "u"


@pytest.mark.parametrize("stopped", [JobState.CANCELLING, JobState.PAUSED])
async def test_an_absence_in_a_stopped_job_is_written_down_and_nothing_is_sent(
    work: Bench, server: Scripted, monkeypatch: pytest.MonkeyPatch, stopped: JobState
) -> None:
    """Cancelled while its record was unknown: what the registrar does not have stays unsent."""
    claim = work.ledger.claim

    async def claim_then_stop(lease: Lease, now: int) -> ClaimedSlice | None:
        claimed = await claim(lease, now)
        work.ledger.job_state = stopped
        return claimed

    monkeypatch.setattr(work.ledger, "claim", claim_then_stop)
    work.ledger.add_slice(1, "u")
    await serve(work)
    assert server.arrived == []
    assert work.ledger.outcomes["J1.0", 0].state is RecordState.PENDING


async def test_an_absence_is_not_believed_of_what_was_sent_since_it_was_claimed(
    work: Bench, server: Scripted
) -> None:
    """Absent, sent, refused as perhaps our own, absent again: that says nothing of what was just sent."""
    server.script = lambda key: {"key": key, "status": "rejected", "code": "already-member"}
    work.ledger.add_slice(1, "u")
    await serve(work)
    assert server.arrived == [KEY]
    ((_, unknown, not_before),) = work.ledger.given_back
    assert unknown == (0,)
    assert not_before is not None


async def test_a_question_put_off_is_asked_again_and_not_taken_for_leave_to_send(
    work: Bench, server: Scripted
) -> None:
    """The registrar is too busy to say: the record is asked about later, and never sent meanwhile."""
    hand = Hand(work.ledger.add_slice(1, "u").claimed, work.ledger.slices["J1.0"].box, idempotent=False)
    hand.asking.clear()
    hand.put_off(0, 5)
    hand.wake()
    assert (list(hand.asking), list(hand.ready)) == ([0], [])


async def test_nothing_of_a_cancelled_job_is_sent_where_keys_protect(server: Scripted) -> None:
    """Its unknown records are asked about: what was recorded is accepted, what is absent unprocessed, and nothing arrives."""
    async for work in surroundings(server, idempotent=True):
        work.ledger.job_state = JobState.CANCELLING
        server.known[KEY] = {"key": KEY, "status": "accepted", "receipt": "R7"}
        work.ledger.add_slice(3, "uuu", after={1: 0, 2: 1})
        await serve(work)
        assert server.arrived == []
        assert work.ledger.states() == "axx"


@pytest.mark.parametrize("asking", [True, False])
async def test_a_copy_s_record_is_asked_about_where_that_is_offered_and_sent_again_where_it_is_not(
    server: Scripted, *, asking: bool
) -> None:
    """A key has one effect there: what is known is not sent, and where nothing can be asked the same key is safe."""
    async for work in surroundings(server, idempotent=True):
        server.known[KEY] = {"key": KEY, "status": "accepted", "receipt": "R7"}
        if not asking:
            server.ask = Refusal(405)
        held = work.ledger.add_slice(2, "uu")
        held.claimed = replace(held.claimed, ask_first=True)
        await serve(work)
        assert server.arrived == (["J1_0-1"] if asking else [KEY, "J1_0-1"])
        assert work.ledger.states() == "aa"
