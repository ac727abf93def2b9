"""Events become metrics: every kind, the right numbers, labels from closed sets only."""

from collections.abc import Iterator, Mapping

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from domain import events
from metrics import labels, names
from metrics.collectors import GateMetrics
from tests.metrics.events import EVERY_KIND, PARTY, REGISTRY

#: what may stand in each label; registries, parties, loops and processes are named by policy, code and settings
CLOSED: Mapping[str, frozenset[str]] = {
    "outcome": labels.OUTCOMES | {"good", "invalid", "delivered", "failed"},
    "reason": labels.BOUNDS
    | labels.ENDINGS
    | labels.PUSHBACKS
    | labels.SET_ASIDE
    | labels.GENERATION_REASONS
    | labels.FAILURES,
    "scope": labels.SCOPES,
    "state": labels.JOB_STATES | labels.ACCOUNT_STATES | labels.DELIVERIES,
    "channel": labels.CHANNELS,
    "actor": labels.ACTORS,
}


@pytest.fixture
def page() -> "Page":
    """Metrics of one process on an empty registry of collectors, at 1,000 s since the epoch."""
    return Page()


class Page:
    """One process's metrics, read back as Prometheus would."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self.now = 1_000_000
        self.registry = CollectorRegistry()
        self.tell = GateMetrics(self.registry, "9.9", now=lambda: self.now)

    def samples(self) -> Iterator[tuple[str, Mapping[str, str], float]]:
        """Every sample of ours."""
        for family in text_string_to_metric_families(generate_latest(self.registry).decode()):
            for sample in family.samples:
                if sample.name.startswith("pratunam_") and not sample.name.endswith("_created"):
                    yield sample.name, sample.labels, sample.value

    def values(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Every sample by name and labels."""
        return {(name, tuple(sorted(told.items()))): value for name, told, value in self.samples()}

    def value(self, name: str, **told: str) -> float | None:
        """One sample, None where there is none."""
        return self.values().get((name, tuple(sorted(told.items()))))


def kinds() -> set[type[events.Event]]:
    """Every kind of event that the domain has."""
    return {
        kind
        for kind in vars(events).values()
        if isinstance(kind, type) and issubclass(kind, events.Event) and kind is not events.Event
    }


def test_there_is_a_made_up_event_of_every_kind() -> None:
    """A new kind of event has to be added here, and so to be counted."""
    assert {type(event) for event in EVERY_KIND} == kinds()


@pytest.mark.parametrize("event", EVERY_KIND, ids=lambda event: type(event).__name__)
def test_every_kind_of_event_moves_a_metric(page: Page, event: events.Event) -> None:
    """No event passes by uncounted: after it the page differs from before."""
    before = page.values()
    page.tell(event)
    if isinstance(event, events.SessionEnded):
        assert page.value("pratunam_sessions_ended_total", registry=REGISTRY, reason="turn") == 1
    assert page.values() != before


def test_every_metric_of_the_names_is_moved_by_some_event(page: Page) -> None:
    """After one event of each kind no metric is without a sample, but the one that the gathered page adds."""
    for event in EVERY_KIND:
        page.tell(event)
    moved = {name for name, _, _ in page.samples()}
    silent = [
        metric.name
        for metric in names.ALL
        if not any(name.removeprefix(metric.name) in ("", "_total", "_count") for name in moved)
    ]
    assert silent == [names.PROCESS_UP.name]


@pytest.mark.parametrize(
    ("name", "told", "value"),
    [
        ("pratunam_records_sent_total", {"registry": REGISTRY, "party": PARTY}, 7),
        ("pratunam_records_settled_total", {"registry": REGISTRY, "party": PARTY, "outcome": "accepted"}, 5),
        ("pratunam_answer_seconds_sum", {"registry": REGISTRY}, 0.032),
        ("pratunam_sessions_open", {"registry": REGISTRY, "party": PARTY}, 0),
        (
            "pratunam_pushbacks_total",
            {"registry": REGISTRY, "scope": "registry", "reason": "overloaded"},
            1,
        ),
        ("pratunam_permits_drawn_total", {"registry": REGISTRY}, 3),
        ("pratunam_draws_bound_total", {"registry": REGISTRY, "reason": "account"}, 1),
        (
            "pratunam_accounts_set_aside_total",
            {"registry": REGISTRY, "party": PARTY, "reason": "bad-credentials"},
            1,
        ),
        ("pratunam_rows_checked_total", {"registry": REGISTRY, "outcome": "good"}, 96),
        ("pratunam_rows_checked_total", {"registry": REGISTRY, "outcome": "invalid"}, 4),
        ("pratunam_brake_ratio", {"registry": REGISTRY}, 0.5),
        ("pratunam_generations_begun_total", {"registry": REGISTRY, "reason": "redis"}, 1),
        ("pratunam_notices_tried_total", {"channel": "smtp", "outcome": "failed"}, 1),
        ("pratunam_loop_failures_total", {"loop": "scheduler", "reason": "gate"}, 1),
        ("pratunam_ledger_commit_seconds_sum", {"registry": REGISTRY}, 0.006),
        ("pratunam_queue_wait_seconds_sum", {"actor": "run_session"}, 0.02),
        ("pratunam_build_info", {"version": "9.9"}, 1),
    ],
)
def test_numbers_of_events_arrive_unchanged(
    page: Page, name: str, told: Mapping[str, str], value: float
) -> None:
    """Counts are added up, milliseconds become seconds."""
    for event in EVERY_KIND:
        page.tell(event)
    assert page.value(name, **told) == value


def test_labels_come_from_closed_sets(page: Page) -> None:
    """Whatever the registrar says, no label holds a word that is not of its set."""
    foreign = "สมชาย 1101700203451"
    for event in (
        *EVERY_KIND,
        events.RecordsSettled(REGISTRY, PARTY, outcome=foreign, count=1),
        events.SessionEnded(REGISTRY, PARTY, reason=foreign),
        events.Pushback(REGISTRY, PARTY, scope=foreign, reason=foreign),
        events.PermitsDrawn(REGISTRY, count=1, bound={foreign: 1}),
        events.AccountSetAside(REGISTRY, PARTY, reason=foreign),
        events.JobMoved(REGISTRY, PARTY, state=foreign),
        events.GenerationBegun(REGISTRY, reason=foreign),
        events.NoticeTried(channel=foreign, delivered=True),
        events.LoopFailed(loop="scheduler", error=foreign),
        events.MessageTaken(actor=foreign),
        events.LedgerLooked(
            looked_at=1_000_000, jobs={(REGISTRY, foreign): 1}, notices={(foreign, foreign): 1}
        ),
        events.RegistryLooked(
            "other",
            looked_at=1_000_000,
            accounts={foreign: 1},
            parties=(events.PartyLooked(PARTY, bound_by=foreign),),
        ),
    ):
        page.tell(event)
    told = {(key, value) for _, sample, _ in page.samples() for key, value in sample.items()}
    outside = {
        (key, value) for key, value in told if key in CLOSED and value not in CLOSED[key] | {labels.OTHER}
    }
    assert outside == set()
    assert not any(foreign in value for _, value in told)
    assert {key for key, _ in told} <= {*CLOSED, "registry", "party", "loop", "version", "le"}


def test_no_metric_asks_for_a_label_of_an_open_set() -> None:
    """Accounts, jobs, files and persons are no labels."""
    allowed = {*CLOSED, "registry", "party", "loop", "version", "process"}
    assert {label for metric in names.ALL for label in metric.labels} <= allowed


def test_names_are_told_once_and_after_one_template() -> None:
    """Each name is unique, begins with the project's and does not end as the client's own suffixes do."""
    told = [metric.name for metric in names.ALL]
    assert len(told) == len(set(told))
    assert [name for name in told if not name.startswith("pratunam_")] == []
    assert [name for name in told if name.endswith(("_total", "_count", "_sum", "_bucket"))] == []
    assert [metric.name for metric in names.ALL if not metric.help.endswith((".", ")."))] == []


def test_the_sets_are_those_of_the_code_that_speaks() -> None:
    """Sets that the metrics room writes out are the ones that workers use."""
    from workers.ending import Reason

    assert {reason.value for reason in Reason} == labels.ENDINGS


def test_the_process_itself_is_measured(page: Page) -> None:
    """CPU, memory and open files of the process stand beside what it does."""
    text = generate_latest(page.registry).decode()
    for name in ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"):
        assert f"\n{name} " in text
