"""Every metric's name, kind, help and labels, told once. Labels come from closed sets only: `labels.py`, and what policy names.

Template: `pratunam_<what>_<unit>[_total]`. `docs/metrics.md` lists them; a test holds the two together, and boards and rules to both.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a metric does: only goes up, moves both ways, or counts into buckets."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class MetricName:
    """One metric: name (without `_total`, which the client adds), kind, help, labels, and a histogram's buckets."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


def _gauge(name: str, told: str, *labels: str) -> MetricName:
    return MetricName(name, Kind.GAUGE, told, labels)


_REGISTRY = ("registry",)
_PARTY = ("registry", "party")

RECORDS_SENT = MetricName(
    "pratunam_records_sent", Kind.COUNTER, "Records written to the wire.", ("registry", "party")
)
RECORDS_SETTLED = MetricName(
    "pratunam_records_settled",
    Kind.COUNTER,
    "Outcomes committed to the ledger.",
    ("registry", "party", "outcome"),
)
ANSWER_SECONDS = MetricName(
    "pratunam_answer_seconds",
    Kind.HISTOGRAM,
    "From a record's writing to its answer, mean of each handful (s).",
    ("registry",),
    (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
SESSIONS_OPEN = MetricName(
    "pratunam_sessions_open", Kind.GAUGE, "Sessions that this process has open.", ("registry", "party")
)
SESSIONS_ENDED = MetricName(
    "pratunam_sessions_ended", Kind.COUNTER, "Sessions that ended, by reason.", ("registry", "reason")
)
PUSHBACKS = MetricName(
    "pratunam_pushbacks", Kind.COUNTER, "Times the registrar said slow down.", ("registry", "scope", "reason")
)
PERMITS = MetricName("pratunam_permits_drawn", Kind.COUNTER, "Permits granted.", ("registry",))
DRAWS_BOUND = MetricName(
    "pratunam_draws_bound",
    Kind.COUNTER,
    "Draws that got less than they wanted, by what bound.",
    ("registry", "reason"),
)
ACCOUNTS_SET_ASIDE = MetricName(
    "pratunam_accounts_set_aside",
    Kind.COUNTER,
    "Accounts taken out of use until people act, by why.",
    ("registry", "party", "reason"),
)
JOBS_MOVED = MetricName(
    "pratunam_jobs_moved", Kind.COUNTER, "Jobs that entered a state.", ("registry", "state")
)
ROWS_CHECKED = MetricName(
    "pratunam_rows_checked", Kind.COUNTER, "Rows of files checked.", ("registry", "outcome")
)
CHECK_SECONDS = MetricName(
    "pratunam_check_seconds",
    Kind.HISTOGRAM,
    "How long a file's check took (s).",
    ("registry",),
    (0.5, 1, 2, 5, 10, 30, 60, 300),
)
BRAKE_RATIO = MetricName(
    "pratunam_brake_ratio",
    Kind.GAUGE,
    "Share of the registry's rate that the brake allows (1 = free).",
    ("registry",),
)
ROUND_SECONDS = MetricName(
    "pratunam_round_seconds",
    Kind.HISTOGRAM,
    "How long one round of the scheduler took (s).",
    ("registry",),
    (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1),
)
PARTIES_WAITING = MetricName(
    "pratunam_parties_waiting", Kind.GAUGE, "Parties with a backlog in the last round.", ("registry",)
)
GENERATIONS = MetricName(
    "pratunam_generations_begun",
    Kind.COUNTER,
    "Times the gate began anew (Redis fresh or lost), by why.",
    ("registry", "reason"),
)
NOTICES = MetricName(
    "pratunam_notices_tried", Kind.COUNTER, "Notices tried, by channel and outcome.", ("channel", "outcome")
)
LOOPS_FAILED = MetricName(
    "pratunam_loop_failures",
    Kind.COUNTER,
    "Rounds of a loop that raised, by what failed.",
    ("loop", "reason"),
)
LEDGER_COMMIT_SECONDS = MetricName(
    "pratunam_ledger_commit_seconds",
    Kind.HISTOGRAM,
    "How long the ledger took to commit a batch of outcomes (s).",
    ("registry",),
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
QUEUE_WAIT_SECONDS = MetricName(
    "pratunam_queue_wait_seconds",
    Kind.HISTOGRAM,
    "From the ringing of an actor to its start (s).",
    ("actor",),
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30),
)
BUILD_INFO = MetricName("pratunam_build_info", Kind.GAUGE, "1, with the version that runs.", ("version",))

LOOKED_AT = _gauge(
    "pratunam_registry_looked_at_seconds",
    "When the leading scheduler last looked (s since the epoch).",
    *_REGISTRY,
)
RATE_LIMIT = _gauge(
    "pratunam_registry_rate_limit", "Rate that the policy in force grants (records/s).", *_REGISTRY
)
RATE = _gauge("pratunam_registry_rate", "Rate that the brake leaves of it (records/s).", *_REGISTRY)
BURST = _gauge("pratunam_registry_burst_records", "Burst that the policy in force grants.", *_REGISTRY)
LEVEL = _gauge(
    "pratunam_registry_level_records",
    "What stands in the registry's bucket, before what is outstanding.",
    *_REGISTRY,
)
OUTSTANDING = _gauge(
    "pratunam_registry_outstanding_records", "Permits given out and not answered yet.", *_REGISTRY
)
SESSIONS = _gauge(
    "pratunam_registry_sessions", "Sessions with a live lease, as the gate counts them.", *_REGISTRY
)
QUARANTINED = _gauge("pratunam_registry_sessions_quarantined", "Sessions not known to be closed.", *_REGISTRY)
SESSIONS_LIMIT = _gauge(
    "pratunam_registry_sessions_limit", "Sessions that the policy in force allows.", *_REGISTRY
)
SENDABLE = _gauge(
    "pratunam_registry_sendable_records",
    "Records that windows, holds and accounts would let leave now.",
    *_REGISTRY,
)
HELD = _gauge("pratunam_registry_held", "1 while the registrar's hold stands.", *_REGISTRY)
PAUSED = _gauge("pratunam_registry_paused", "1 while the registry's own Retry-After binds.", *_REGISTRY)
GENERATION = _gauge("pratunam_registry_generation", "The gate's generation.", *_REGISTRY)
CLOCK_OFFSET = _gauge(
    "pratunam_registry_clock_offset_seconds", "The registrar's clock minus ours, as measured (s).", *_REGISTRY
)
ACCOUNTS = _gauge("pratunam_accounts", "Accounts by state.", "registry", "state")
PARTY_PENDING = _gauge("pratunam_party_pending_records", "Backlog: records not sent yet.", *_PARTY)
PARTY_UNKNOWN = _gauge("pratunam_party_unknown_records", "Records sent, with no answer known yet.", *_PARTY)
PARTY_READY = _gauge("pratunam_party_ready_records", "Records in slices that could be claimed now.", *_PARTY)
PARTY_AGE = _gauge(
    "pratunam_party_oldest_seconds", "How long ago the oldest job with work left was submitted (s).", *_PARTY
)
PARTY_ACCOUNTS = _gauge("pratunam_party_accounts", "Accounts that may be used.", *_PARTY)
PARTY_SESSIONS = _gauge(
    "pratunam_party_sessions", "Sessions with a live lease, as the gate counts them.", *_PARTY
)
PARTY_SHARE = _gauge(
    "pratunam_party_share_rate",
    "Share: the rate that the scheduler gives until the next round (records/s).",
    *_PARTY,
)
PARTY_LEVEL = _gauge(
    "pratunam_party_level_records", "What stands in the party's bucket, before what is outstanding.", *_PARTY
)
PARTY_OUTSTANDING = _gauge(
    "pratunam_party_outstanding_records", "Permits given out and not answered yet.", *_PARTY
)
PARTY_OPEN = _gauge(
    "pratunam_party_window_open",
    "1 while the party may draw by its window, guard and clocks allowed for.",
    *_PARTY,
)
PARTY_HELD = _gauge("pratunam_party_held", "1 while a hold stops the party.", *_PARTY)
PARTY_BOUND = _gauge("pratunam_party_bound", "1 for what binds the party now.", "registry", "party", "reason")
JOBS = _gauge("pratunam_jobs", "Jobs by state.", "registry", "state")
DOUBTFUL = _gauge("pratunam_doubtful_records", "Records that people must decide.", *_PARTY)
NOTICES_WAITING = _gauge(
    "pratunam_notices_undelivered",
    "Deliveries that have not arrived.",
    "channel",
    "state",
)
LEDGER_LOOK = _gauge("pratunam_ledger_look_seconds", "How long the ledger took to be counted (s).")
PROCESS_UP = MetricName(
    "pratunam_process_up", Kind.GAUGE, "1 while a process of the gate answers.", ("process",)
)

#: moved by events as they come
COUNTED = (
    RECORDS_SENT,
    RECORDS_SETTLED,
    ANSWER_SECONDS,
    SESSIONS_OPEN,
    SESSIONS_ENDED,
    PUSHBACKS,
    PERMITS,
    DRAWS_BOUND,
    ACCOUNTS_SET_ASIDE,
    JOBS_MOVED,
    ROWS_CHECKED,
    CHECK_SECONDS,
    BRAKE_RATIO,
    ROUND_SECONDS,
    PARTIES_WAITING,
    GENERATIONS,
    NOTICES,
    LOOPS_FAILED,
    LEDGER_COMMIT_SECONDS,
    QUEUE_WAIT_SECONDS,
    BUILD_INFO,
)
#: as the scheduler last saw ledger and gate
LOOKED = (
    LOOKED_AT,
    RATE_LIMIT,
    RATE,
    BURST,
    LEVEL,
    OUTSTANDING,
    SESSIONS,
    QUARANTINED,
    SESSIONS_LIMIT,
    SENDABLE,
    HELD,
    PAUSED,
    GENERATION,
    CLOCK_OFFSET,
    ACCOUNTS,
    PARTY_PENDING,
    PARTY_UNKNOWN,
    PARTY_READY,
    PARTY_AGE,
    PARTY_ACCOUNTS,
    PARTY_SESSIONS,
    PARTY_SHARE,
    PARTY_LEVEL,
    PARTY_OUTSTANDING,
    PARTY_OPEN,
    PARTY_HELD,
    PARTY_BOUND,
    JOBS,
    DOUBTFUL,
    NOTICES_WAITING,
    LEDGER_LOOK,
)
ALL = (*COUNTED, *LOOKED, PROCESS_UP)
