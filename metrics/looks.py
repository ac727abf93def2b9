"""Gauges of what the scheduler last read of ledger and gate, made when they are asked for. Keeps one look a registry; reads nothing itself.

A look lapses: a scheduler that no longer leads stops showing what it once saw, and parties that have nothing left go.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from domain.events import LedgerLooked, PartyLooked, RegistryLooked
from metrics import names
from metrics.labels import ACCOUNT_STATES, BOUNDS, CHANNELS, DELIVERIES, JOB_STATES, closed
from metrics.names import MetricName

#: a look of a registry is shown for so long after it was taken, in ms
LOOK_LAPSES_MS = 15_000
#: counts of the ledger come more rarely, in ms
COUNT_LAPSES_MS = 120_000


@dataclass(frozen=True, slots=True)
class _Sample:
    metric: MetricName
    labels: tuple[str, ...]
    value: float


class Looks(Collector):
    """The last look at each registry, and the last count of the ledger."""

    def __init__(self, now: Callable[[], int]) -> None:
        """Begin with nothing seen; `now` gives ms since the epoch."""
        self._now = now
        self._registries: dict[str, RegistryLooked] = {}
        self._ledger: LedgerLooked | None = None

    def registry_looked(self, event: RegistryLooked) -> None:
        """Keep the newest look of one registry."""
        self._registries[event.registry] = event

    def ledger_looked(self, event: LedgerLooked) -> None:
        """Keep the newest count of the ledger."""
        self._ledger = event

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield every gauge of `names.LOOKED`, with samples where a look still holds."""
        now = self._now()
        families = {
            metric.name: GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
            for metric in names.LOOKED
        }
        for sample in self._samples(now):
            families[sample.metric.name].add_metric(sample.labels, sample.value)
        yield from families.values()

    def _samples(self, now: int) -> Iterator[_Sample]:
        for look in list(self._registries.values()):
            if now - look.looked_at <= LOOK_LAPSES_MS:
                yield from _of_registry(look)
                for party in look.parties:
                    yield from _of_party(look, party)
        if self._ledger is not None and now - self._ledger.looked_at <= COUNT_LAPSES_MS:
            yield from _of_ledger(self._ledger)


def _of_registry(look: RegistryLooked) -> Iterator[_Sample]:
    values: dict[MetricName, float] = {
        names.LOOKED_AT: look.looked_at / 1000,
        names.RATE_LIMIT: look.rate_limit,
        names.RATE: look.rate,
        names.BURST: look.burst,
        names.LEVEL: look.level,
        names.OUTSTANDING: look.outstanding,
        names.SESSIONS: look.sessions,
        names.QUARANTINED: look.quarantined,
        names.SESSIONS_LIMIT: look.session_limit,
        names.SENDABLE: look.sendable,
        names.HELD: look.is_held,
        names.PAUSED: look.is_paused,
        names.GENERATION: look.generation,
    }
    if look.clock_offset_ms is not None:
        values[names.CLOCK_OFFSET] = look.clock_offset_ms / 1000
    for metric, value in values.items():
        yield _Sample(metric, (look.registry,), float(value))
    for state, count in look.accounts.items():
        yield _Sample(names.ACCOUNTS, (look.registry, closed(state, ACCOUNT_STATES)), count)


def _of_party(look: RegistryLooked, party: PartyLooked) -> Iterator[_Sample]:
    oldest_at = look.looked_at if party.oldest_at is None else party.oldest_at
    values: dict[MetricName, float] = {
        names.PARTY_PENDING: party.pending,
        names.PARTY_UNKNOWN: party.unknown,
        names.PARTY_READY: party.ready,
        names.PARTY_AGE: max(0, look.looked_at - oldest_at) / 1000,
        names.PARTY_ACCOUNTS: party.accounts,
        names.PARTY_SESSIONS: party.sessions,
        names.PARTY_SHARE: party.share,
        names.PARTY_LEVEL: party.level,
        names.PARTY_OUTSTANDING: party.outstanding,
        names.PARTY_OPEN: party.is_open,
        names.PARTY_HELD: party.is_held,
    }
    for metric, value in values.items():
        yield _Sample(metric, (look.registry, party.party), float(value))
    if party.bound_by:
        yield _Sample(names.PARTY_BOUND, (look.registry, party.party, closed(party.bound_by, BOUNDS)), 1)


def _of_ledger(look: LedgerLooked) -> Iterator[_Sample]:
    for (registry, state), count in look.jobs.items():
        yield _Sample(names.JOBS, (registry, closed(state, JOB_STATES)), count)
    for (registry, party), count in look.doubtful.items():
        yield _Sample(names.DOUBTFUL, (registry, party), count)
    for (channel, state), count in look.notices.items():
        labels = closed(channel, CHANNELS), closed(state, DELIVERIES)
        yield _Sample(names.NOTICES_WAITING, labels, count)
    yield _Sample(names.LEDGER_LOOK, (), look.took_ms / 1000)
