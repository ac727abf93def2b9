"""Builds without a guard, for showing that the judges would see what the guard prevents."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from sqlalchemy import Connection, select

from domain.policy import PolicyVersion
from domain.states import AccountKind
from domain.windows import WindowRule
from ledger import work
from ledger.tables import slices
from ledger.values import Standing
from ledger.verbs import SqlLedger
from scheduler.accounts import usable_accounts
from scheduler.openings import FOR_EVER_MS, ClockOffset, Openings
from scheduler.rescue import Rescuer
from tests.sim.scenario import DAYS, TEN_S, Scenario
from tests.sim.small import RULES, SINGLE, STRICT, fault, small
from tests.sim.unguarded_gate import (
    answers_made_older,
    debts_untold,
    gates_that_begin_full,
    nothing_reserved,
    nothing_spent_by_the_dead,
    pushback_unheard,
    sessions_not_counted,
    sessions_of_before_forgotten,
    sessions_of_the_dead_not_counted,
    steps_of_the_clock_believed,
)
from workers.seat import Seat
from workers.sending import Sending
from workers.station import Station
from workers.stock import Hand
from workers.wires.single import PermittedBody


@contextmanager
def silence_taken_for_failure() -> Iterator[None]:
    """A record whose answer never came is taken for not recorded."""
    with mock.patch.object(Hand, "lose", lambda hand, line: hand.out.discard(line)):
        yield


@contextmanager
def rescue_of_the_living() -> Iterator[None]:
    """Slices are fetched back whoever holds them."""
    with mock.patch.object(Rescuer, "live_tokens", return_value=frozenset[int]()):
        yield


@contextmanager
def windows_without_an_end() -> Iterator[None]:
    """What is open stays open until somebody looks again."""
    before = Openings.open_ms

    def open_ms(openings: Openings, *asked: Any) -> int:
        return FOR_EVER_MS if before(openings, *asked) else 0

    with (
        mock.patch.object(Openings, "open_ms", open_ms),
        mock.patch.object(Sending, "is_closed", return_value=False),
    ):
        yield


@contextmanager
def holds_unheard() -> Iterator[None]:
    """A hold stands in the ledger alone: the scheduler does not hear of it."""
    before = SqlLedger.standing

    async def without_holds(ledger: SqlLedger, now: int) -> Standing:
        return replace(await before(ledger, now), holds=())

    with mock.patch.object(SqlLedger, "standing", without_holds):
        yield


@contextmanager
def order_not_kept() -> Iterator[None]:
    """A person's records need not wait for each other."""
    before = Hand.__init__

    def begin(hand: Hand, claimed: Any, box: Any, *, idempotent: bool) -> None:
        box.after.clear()
        before(hand, claimed, box, idempotent=idempotent)

    with mock.patch.object(Hand, "__init__", begin):
        yield


@contextmanager
def claims_not_fenced() -> Iterator[None]:
    """Whoever speaks of a slice is believed, whoever holds it by now."""
    give_back, mark_sent = work.give_back, work.mark_sent

    def token_of(connection: Connection, slice_id: str) -> int:
        query = select(slices.c.token).where(slices.c.slice_id == slice_id)
        return int(connection.execute(query).scalar_one() or 0)

    def give(connection: Connection, slice_id: str, _: int, *rest: Any, **more: Any) -> None:
        give_back(connection, slice_id, token_of(connection, slice_id), *rest, **more)

    def mark(connection: Connection, slice_id: str, _: int, upto: int) -> bool:
        return mark_sent(connection, slice_id, token_of(connection, slice_id), upto)

    with mock.patch.object(work, "give_back", give), mock.patch.object(work, "mark_sent", mark):
        yield


@contextmanager
def permits_without_end() -> Iterator[None]:
    """A permit is good whenever its bytes come to leave."""
    before = PermittedBody.__init__

    def begin(body: PermittedBody, data: bytes, until: int | None, clock: Any) -> None:
        before(body, data, None, clock)

    with (
        mock.patch.object(PermittedBody, "__init__", begin),
        mock.patch.object(Seat, "usable", lambda seat: seat._held_count),
    ):
        yield


@contextmanager
def clock_not_measured() -> Iterator[None]:
    """The registrar's clock is taken to be ours."""
    with (
        mock.patch.object(ClockOffset, "measured", classmethod(lambda cls, signals, before: cls(0, 0))),
        mock.patch.object(Station, "registrar_now", lambda station: station.clock.now()),
    ):
        yield


@contextmanager
def withdrawals_unheard() -> Iterator[None]:
    """The scheduler goes on with the accounts that it first saw."""
    first: dict[str, Any] = {}

    def usable(policy: Any, registry: str, unusable: Any) -> Any:
        return first.setdefault(registry, usable_accounts(policy, registry, unusable))

    with mock.patch("scheduler.registry_round.usable_accounts", usable):
        yield


@contextmanager
def versions_awaited() -> Iterator[None]:
    """A version for now is awaited like one for later, by the clock of whoever reads it."""
    before = SqlLedger._in_force_now

    async def in_force(ledger: SqlLedger, which: tuple[int, bool] | None, now: int) -> PolicyVersion | None:
        found = await before(ledger, which, now)
        if found is None or found.effective_at <= now:
            return found
        due = [one for one in await ledger.policy_history() if one.effective_at <= now]
        return due[0] if due else None

    with mock.patch.object(SqlLedger, "_in_force_now", in_force):
        yield


@contextmanager
def copies_not_noticed() -> Iterator[None]:
    """A ledger that was put back from a copy is taken for the newest there is."""
    with mock.patch("tests.sim.store.notice_restored"):
        yield


@dataclass(frozen=True, slots=True)
class Build:
    """One build without a guard: a word of what the judges must say, and a world that gives the guard something to do."""

    without: Callable[[], Any]
    word: str
    world: Scenario


_DAY = (WindowRule(TEN_S - 3600, TEN_S + 8, weekdays=DAYS), WindowRule(TEN_S + 14, 86_400, weekdays=DAYS))
_TWO = replace(RULES, sessions=2)
#: who sits when everything dies is not who is served first then
_IN_TURNS = replace(_TWO, settle_s=8.0, turn_s=2.0)
_SLOW = replace(RULES, rate=8)
_ALL_BEHIND = dict.fromkeys(("w0", "w1", "s0", "s1", "gate"), -3_000)
#: what is on its way when its host dies arrives after the lease's end, on a session that nobody else may take over meanwhile
_LATE = replace(SINGLE, newest_wins=False, settle_s=12.0, rate=10, burst=10)
#: answers are given up long before what they are of can have arrived
_PATIENT = replace(RULES, rate=6, account_rate=3, answer_timeout_s=4.0, settle_s=20.0)
BUILDS: dict[str, Build] = {
    "silence taken for failure": Build(
        silence_taken_for_failure, "took effect 2 times", small(STRICT, fault("500 after the effect", 1, 6))
    ),
    "rescue of the living": Build(
        rescue_of_the_living,
        "took effect 2 times",
        small(replace(STRICT, turn_s=2.0), fault("link slow", 1, 8)),
    ),
    "claims not fenced": Build(
        claims_not_fenced,
        "took effect 2 times",
        small(STRICT, fault("freeze worker", 2, 16), records=200, lines=100),
    ),
    "copies not noticed": Build(
        copies_not_noticed,
        "took effect 2 times",
        small(STRICT, fault("ledger copied", 2), fault("ledger restored", 5, 1)),
    ),
    "order not kept": Build(
        order_not_kept, "in the order", small(RULES, fault("registrar busy", 1, 5), of_one=3)
    ),
    "nothing reserved": Build(nothing_reserved, "passed over", small(RULES, fault("link stalls", 2, 3))),
    "answers made older": Build(
        answers_made_older, "passed over", small(RULES, *(fault("link slow", 0.1, 8) for _ in range(8)))
    ),
    "nothing spent by the dead": Build(
        nothing_spent_by_the_dead,
        "passed over",
        small(
            _LATE,
            fault("link stalls", 2, 9),
            fault("freeze worker", 2.5, 10),
            expires_s=20.0,
            parties=3,
            seed=6,
        ),
    ),
    "gates that begin full": Build(
        gates_that_begin_full, "passed over", small(RULES, fault("lose gate", 3), fault("lose gate", 5))
    ),
    "debts untold": Build(
        debts_untold,
        "passed over",
        small(_PATIENT, fault("registrar stands still", 3, 14), fault("lose gate", 6.5)),
    ),
    "steps of the clock believed": Build(
        steps_of_the_clock_believed,
        "passed over",
        small(RULES, *(fault("gate clock steps", at) for at in (2, 2.5, 3, 3.5, 4))),
    ),
    "sessions not counted": Build(
        sessions_not_counted, "sessions at once", small(_TWO, fault("freeze worker", 0.3, 4), parties=6)
    ),
    "sessions of the dead not counted": Build(
        sessions_of_the_dead_not_counted,
        "sessions at once",
        small(_TWO, fault("kill worker", 3, 9), fault("kill worker", 3.5, 0.5), parties=4, expires_s=11.0),
    ),
    "sessions of before forgotten": Build(
        sessions_of_before_forgotten,
        "sessions at once",
        small(
            _IN_TURNS, fault("ledger copied", 1), fault("ledger restored", 4.5, 0.5), parties=4, records=60
        ),
    ),
    "windows without an end": Build(
        windows_without_an_end,
        "outside its window",
        small(_SLOW, fault("freeze schedulers", 5.1, 7), windows=_DAY, records=240),
    ),
    "registrar's clock not measured": Build(
        clock_not_measured, "outside its window", small(_SLOW, windows=_DAY, skews=_ALL_BEHIND)
    ),
    "permits without an end": Build(
        permits_without_end,
        "after the hold",
        small(SINGLE, *(fault("link slow", 0.6, 8) for _ in range(4)), fault("hold registry", 3, 5), seed=9),
    ),
    "holds unheard": Build(holds_unheard, "after the hold", small(RULES, fault("hold registry", 2, 4))),
    "withdrawals unheard": Build(
        withdrawals_unheard,
        "was withdrawn",
        small(RULES, fault("account withdrawn", 2), kind=AccountKind.ADDED, records=240),
    ),
    "versions awaited": Build(
        versions_awaited,
        "was withdrawn",
        small(RULES, fault("account withdrawn", 5), kind=AccountKind.ADDED, records=240, skews=_ALL_BEHIND),
    ),
    "pushback unheard": Build(
        pushback_unheard, "although it was told", small(RULES, fault("registrar overloaded", 2, 4))
    ),
}
