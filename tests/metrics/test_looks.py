"""Gauges of what the scheduler last saw: shown while it holds, gone when it lapses."""

from dataclasses import replace

from domain.events import LedgerLooked, PartyLooked, RegistryLooked
from metrics.looks import COUNT_LAPSES_MS, LOOK_LAPSES_MS
from tests.metrics.events import EVERY_KIND, PARTY, REGISTRY
from tests.metrics.test_collectors import Page

LOOK = next(event for event in EVERY_KIND if isinstance(event, RegistryLooked))
COUNT = next(event for event in EVERY_KIND if isinstance(event, LedgerLooked))


def test_a_look_is_shown_in_records_and_seconds() -> None:
    """Limits, use, holds, clocks and ages of a registry and of its parties stand as the event tells them."""
    page = Page()
    page.tell(LOOK)
    of_registry = {
        "looked_at_seconds": 1000,
        "rate_limit": 800,
        "rate": 400,
        "burst_records": 800,
        "level_records": 120.5,
        "outstanding_records": 11,
        "sessions": 3,
        "sessions_quarantined": 1,
        "sessions_limit": 60,
        "sendable_records": 900,
        "held": 1,
        "paused": 1,
        "generation": 2,
        "clock_offset_seconds": -0.25,
    }
    shown = {name: page.value(f"pratunam_registry_{name}", registry=REGISTRY) for name in of_registry}
    assert shown == of_registry
    of_party = {
        "pending_records": 1000,
        "unknown_records": 2,
        "ready_records": 900,
        "oldest_seconds": 60,
        "accounts": 4,
        "sessions": 3,
        "share_rate": 60,
        "level_records": 15,
        "outstanding_records": 11,
        "window_open": 1,
        "held": 0,
    }
    shown = {name: page.value(f"pratunam_party_{name}", registry=REGISTRY, party=PARTY) for name in of_party}
    assert shown == of_party
    assert page.value("pratunam_accounts", registry=REGISTRY, state="rested") == 1


def test_only_what_binds_now_is_shown() -> None:
    """When something else binds a party, the old reason is gone."""
    page = Page()
    page.tell(LOOK)
    assert page.value("pratunam_party_bound", registry=REGISTRY, party=PARTY, reason="account") == 1
    page.tell(replace(LOOK, parties=(PartyLooked(PARTY, bound_by="window"),)))
    assert page.value("pratunam_party_bound", registry=REGISTRY, party=PARTY, reason="account") is None
    assert page.value("pratunam_party_bound", registry=REGISTRY, party=PARTY, reason="window") == 1


def test_a_party_without_a_backlog_disappears() -> None:
    """The next look is the whole picture: who is not in it is not shown."""
    page = Page()
    page.tell(LOOK)
    page.tell(replace(LOOK, parties=()))
    assert page.value("pratunam_party_pending_records", registry=REGISTRY, party=PARTY) is None
    assert page.value("pratunam_registry_rate", registry=REGISTRY) == 400


def test_a_look_lapses() -> None:
    """A scheduler that no longer leads stops showing what it once saw, to the millisecond."""
    page = Page()
    page.tell(LOOK)
    page.now = LOOK.looked_at + LOOK_LAPSES_MS
    assert page.value("pratunam_registry_rate", registry=REGISTRY) == 400
    page.now += 1
    assert page.value("pratunam_registry_rate", registry=REGISTRY) is None


def test_a_count_of_the_ledger_lapses_later() -> None:
    """Counts come every quarter of a minute and hold for two."""
    page = Page()
    page.tell(COUNT)
    page.now = COUNT.looked_at + COUNT_LAPSES_MS
    assert page.value("pratunam_doubtful_records", registry=REGISTRY, party=PARTY) == 9
    assert page.value("pratunam_notices_undelivered", channel="smtp", state="failing") == 12
    assert page.value("pratunam_jobs", registry=REGISTRY, state="queued") == 6
    page.now += 1
    assert page.value("pratunam_doubtful_records", registry=REGISTRY, party=PARTY) is None


def test_a_clock_offset_that_was_never_measured_is_not_zero() -> None:
    """Where nothing was measured, no number is shown."""
    page = Page()
    page.tell(replace(LOOK, clock_offset_ms=None))
    assert page.value("pratunam_registry_clock_offset_seconds", registry=REGISTRY) is None
