"""Turns events into metrics: one subscriber a process, holding its own registry of collectors. Decides nothing."""

from collections.abc import Callable
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from domain import events
from domain.clock import SystemClock
from metrics import names
from metrics.labels import (
    ACTORS,
    BOUNDS,
    CHANNELS,
    ENDINGS,
    GENERATION_REASONS,
    JOB_STATES,
    OUTCOMES,
    PUSHBACKS,
    SCOPES,
    SET_ASIDE,
    closed,
    failure,
)
from metrics.looks import Looks
from metrics.names import Kind, MetricName

_Collector = TypeVar("_Collector", Counter, Gauge, Histogram)
_MAKERS: dict[Kind, type[Counter] | type[Gauge] | type[Histogram]] = {
    Kind.COUNTER: Counter,
    Kind.GAUGE: Gauge,
    Kind.HISTOGRAM: Histogram,
}


class GateMetrics:
    """Counts what events tell; every metric of `names.COUNTED` and `names.LOOKED` exists from the start."""

    def __init__(
        self, registry: CollectorRegistry, version: str = "", now: Callable[[], int] | None = None
    ) -> None:
        """Register all collectors with `registry`, and what the process itself uses; `now` gives ms since the epoch."""
        ProcessCollector(registry=registry)
        self._looks = Looks(now or SystemClock().now)
        registry.register(self._looks)
        self._collectors = {metric.name: _make(metric, registry) for metric in names.COUNTED}
        self._children: dict[tuple[object, ...], Counter | Gauge | Histogram] = {}
        self._gauge(names.BUILD_INFO, version=version or "unknown").set(1)
        self._told: dict[type[events.Event], Callable[..., None]] = {
            events.RecordsSent: self._records_sent,
            events.RecordsSettled: self._records_settled,
            events.AnswerTimed: self._answer_timed,
            events.SessionStarted: self._session_started,
            events.SessionEnded: self._session_ended,
            events.Pushback: self._pushback,
            events.PermitsDrawn: self._permits_drawn,
            events.AccountSetAside: self._account_set_aside,
            events.JobMoved: self._job_moved,
            events.RowsChecked: self._rows_checked,
            events.RoundDecided: self._round_decided,
            events.GenerationBegun: self._generation_begun,
            events.NoticeTried: self._notice_tried,
            events.LoopFailed: self._loop_failed,
            events.LedgerCommitted: self._ledger_committed,
            events.MessageTaken: self._message_taken,
            events.RegistryLooked: self._looks.registry_looked,
            events.LedgerLooked: self._looks.ledger_looked,
        }

    def __call__(self, event: events.Event) -> None:
        """Count one event; kinds that nobody counts pass by."""
        tell = self._told.get(type(event))
        if tell is not None:
            tell(event)

    def _records_sent(self, event: events.RecordsSent) -> None:
        self._counter(names.RECORDS_SENT, registry=event.registry, party=event.party).inc(event.count)

    def _records_settled(self, event: events.RecordsSettled) -> None:
        outcome = closed(event.outcome, OUTCOMES)
        self._counter(names.RECORDS_SETTLED, registry=event.registry, party=event.party, outcome=outcome).inc(
            event.count
        )

    def _answer_timed(self, event: events.AnswerTimed) -> None:
        histogram = self._histogram(names.ANSWER_SECONDS, registry=event.registry)
        for latency_ms in event.latencies_ms:
            histogram.observe(latency_ms / 1000)

    def _session_started(self, event: events.SessionStarted) -> None:
        self._gauge(names.SESSIONS_OPEN, registry=event.registry, party=event.party).inc()

    def _session_ended(self, event: events.SessionEnded) -> None:
        self._gauge(names.SESSIONS_OPEN, registry=event.registry, party=event.party).dec()
        reason = closed(event.reason, ENDINGS)
        self._counter(names.SESSIONS_ENDED, registry=event.registry, reason=reason).inc()

    def _pushback(self, event: events.Pushback) -> None:
        scope, reason = closed(event.scope, SCOPES), closed(event.reason, PUSHBACKS)
        self._counter(names.PUSHBACKS, registry=event.registry, scope=scope, reason=reason).inc()

    def _permits_drawn(self, event: events.PermitsDrawn) -> None:
        self._counter(names.PERMITS, registry=event.registry).inc(event.count)
        for word, times in event.bound.items():
            reason = closed(word, BOUNDS)
            self._counter(names.DRAWS_BOUND, registry=event.registry, reason=reason).inc(times)

    def _account_set_aside(self, event: events.AccountSetAside) -> None:
        reason = closed(event.reason, SET_ASIDE)
        self._counter(
            names.ACCOUNTS_SET_ASIDE, registry=event.registry, party=event.party, reason=reason
        ).inc()

    def _job_moved(self, event: events.JobMoved) -> None:
        self._counter(names.JOBS_MOVED, registry=event.registry, state=closed(event.state, JOB_STATES)).inc()

    def _rows_checked(self, event: events.RowsChecked) -> None:
        self._counter(names.ROWS_CHECKED, registry=event.registry, outcome="good").inc(
            event.rows - event.invalid
        )
        self._counter(names.ROWS_CHECKED, registry=event.registry, outcome="invalid").inc(event.invalid)
        self._histogram(names.CHECK_SECONDS, registry=event.registry).observe(event.seconds)

    def _round_decided(self, event: events.RoundDecided) -> None:
        self._gauge(names.BRAKE_RATIO, registry=event.registry).set(event.brake)
        self._gauge(names.PARTIES_WAITING, registry=event.registry).set(event.parties)
        self._histogram(names.ROUND_SECONDS, registry=event.registry).observe(event.took_ms / 1000)

    def _generation_begun(self, event: events.GenerationBegun) -> None:
        reason = closed(event.reason, GENERATION_REASONS)
        self._counter(names.GENERATIONS, registry=event.registry, reason=reason).inc()

    def _notice_tried(self, event: events.NoticeTried) -> None:
        outcome = "delivered" if event.delivered else "failed"
        self._counter(names.NOTICES, channel=closed(event.channel, CHANNELS), outcome=outcome).inc()

    def _loop_failed(self, event: events.LoopFailed) -> None:
        self._counter(names.LOOPS_FAILED, loop=event.loop, reason=failure(event.error)).inc()

    def _ledger_committed(self, event: events.LedgerCommitted) -> None:
        self._histogram(names.LEDGER_COMMIT_SECONDS, registry=event.registry).observe(event.took_ms / 1000)

    def _message_taken(self, event: events.MessageTaken) -> None:
        actor = closed(event.actor, ACTORS)
        self._histogram(names.QUEUE_WAIT_SECONDS, actor=actor).observe(event.waited_ms / 1000)

    def _counter(self, metric: MetricName, **labels: str) -> Counter:
        return self._child(Counter, metric, labels)

    def _gauge(self, metric: MetricName, **labels: str) -> Gauge:
        return self._child(Gauge, metric, labels)

    def _histogram(self, metric: MetricName, **labels: str) -> Histogram:
        return self._child(Histogram, metric, labels)

    def _child(self, kind: type[_Collector], metric: MetricName, labels: dict[str, str]) -> _Collector:
        """Return one metric's child for these labels, looked up in the library once: some are asked for a thousand times a second."""
        key = (metric.name, *labels.items())
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._collectors[metric.name].labels(**labels)
        assert isinstance(child, kind)
        return child


def _make(metric: MetricName, registry: CollectorRegistry) -> Counter | Gauge | Histogram:
    if metric.kind is Kind.HISTOGRAM:
        return Histogram(metric.name, metric.help, metric.labels, buckets=metric.buckets, registry=registry)
    return _MAKERS[metric.kind](metric.name, metric.help, metric.labels, registry=registry)
