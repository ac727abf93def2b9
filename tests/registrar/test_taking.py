"""Taking a handful, without a socket between."""

from registrar import Fault, Window
from registrar.answers import Pushback
from registrar.arrivals import Decision
from registrar.central import Central
from registrar.records import Line
from registrar.report import report
from registrar.sessions import Session
from registrar.taking import log_unread, take
from tests.registrar.wire import REGISTRY, ManualClock, config, record


def central_with_session(clock: ManualClock, **changes: object) -> tuple[Central, Session]:
    """A central system and an open session of P001-01."""
    central = Central(config(**changes), clock)
    session = central.sessions.open(central.rolls.accounts["P001-01"], clock.mono_ns())
    return central, session


def handful(count: int) -> list[Line]:
    """So many records of different persons."""
    return [Line(f"k{n}", record(n)) for n in range(count)]


def test_a_handful_at_the_windows_very_end_is_refused_and_logged() -> None:
    """The end itself is outside: nothing is taken, all of it has arrived, 0 ms late."""
    clock = ManualClock(wall_ms=0)
    central, session = central_with_session(clock, windows=(Window(from_at=0, to_at=10),))
    clock.move(10)
    taken = take(central, session, handful(2), clock.mono_ns())
    assert taken.answers == []
    assert taken.end == Pushback("window-closed", scope="registry")
    assert list(central.log.decision) == [Decision.REFUSED] * 2
    assert list(central.log.outside_us) == [0, 0]


def test_a_handful_of_an_ended_session_is_refused_and_logged() -> None:
    """Records that a fenced sleeper still sends have arrived all the same."""
    central, session = central_with_session(ManualClock())
    central.sessions.open(session.account, 0)
    taken = take(central, session, handful(1), 0)
    assert taken.end == Pushback("session-ended", scope="account")
    assert list(central.log.decision) == [Decision.REFUSED]


def test_records_behind_an_end_do_not_count_for_the_buckets() -> None:
    """What stood behind an `end` counts for the hours, and refused records count for both."""
    central, session = central_with_session(ManualClock(), account_rate=2)
    log_unread(central, session, handful(5), Decision.AFTER_END, 0)
    assert (
        report(central)["registries"][REGISTRY]["parties"]["P001"]["accounts"]["P001-01"]["bucket"]["over"]
        == 0
    )
    log_unread(central, session, handful(3), Decision.REFUSED, 0)
    assert (
        report(central)["registries"][REGISTRY]["parties"]["P001"]["accounts"]["P001-01"]["bucket"]["over"]
        == 1
    )


def test_a_torn_connection_leaves_the_rest_of_its_handful_unread() -> None:
    """The struck record has taken effect, those behind it have not."""
    faults = (Fault(kind="reset-after", after=1, count=1),)
    central, session = central_with_session(ManualClock(), faults=faults)
    taken = take(central, session, handful(4), 0)
    assert taken.fault is not None
    assert [Decision(one).name for one in central.log.decision] == ["ACCEPTED", "ACCEPTED", "FAULT", "FAULT"]


def test_spent_tokens_are_those_of_records_that_were_taken() -> None:
    """What was refused as too fast leaves the buckets of party and registry as they were."""
    clock = ManualClock()
    central, session = central_with_session(clock, account_rate=2, rate=3)
    assert len(take(central, session, handful(5), 0).answers) == 2
    other = central.sessions.open(central.rolls.accounts["P002-01"], 0)
    taken = take(central, other, handful(2), 0)
    assert len(taken.answers) == 1
    assert taken.end is not None
    assert taken.end.scope == "registry"
