"""Every metric's name, kind, help and labels, told once. Labels come from closed sets only: registry, party, outcome, reason, channel.

Template: `pratunam_<what>_<unit>[_total]`. `docs/metrics.md` lists them; a test holds the two together.
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
    "Accounts taken out of use until people act.",
    ("registry", "party"),
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
PARTIES_SERVED = MetricName(
    "pratunam_parties_served", Kind.GAUGE, "Parties that the last round gave a share.", ("registry",)
)
GENERATIONS = MetricName(
    "pratunam_generations_begun",
    Kind.COUNTER,
    "Times the gate began anew (Redis fresh or lost).",
    ("registry",),
)
NOTICES = MetricName(
    "pratunam_notices_tried", Kind.COUNTER, "Notices tried, by channel and outcome.", ("channel", "outcome")
)
LOOPS_FAILED = MetricName("pratunam_loop_failures", Kind.COUNTER, "Rounds of a loop that raised.", ("loop",))
BUILD_INFO = MetricName("pratunam_build_info", Kind.GAUGE, "1, with the version that runs.", ("version",))

ALL = (
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
    PARTIES_SERVED,
    GENERATIONS,
    NOTICES,
    LOOPS_FAILED,
    BUILD_INFO,
)
