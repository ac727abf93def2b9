"""The board of the gate itself: processes, loops, ledger, Redis, checks and notices."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from metrics.boards.panels import GREEN, ORANGE, RED, Graph, board, graph, number

_EVERY = "[$__rate_interval]"


def build() -> Dashboard:
    """Return the board."""
    made = board(
        "pratunam-gate",
        "The gate itself",
        "Whether scheduler, workers, ledger and Redis do their work. For those who are paged.",
    )
    for panel in (
        number(
            "Processes down",
            "Processes that should answer and do not.",
            'count(pratunam_process_up == 0) or count(up{job=~"scheduler|worker|gate"} == 0) or vector(0)',
            "short",
            ((None, GREEN), (1, RED)),
        ),
        number(
            "Last look",
            "How long ago the leading scheduler looked.",
            "time() - max(pratunam_registry_looked_at_seconds)",
            "s",
            ((None, GREEN), (5, ORANGE), (15, RED)),
        ),
        number(
            "Generation",
            "Goes up by one each time Redis was lost.",
            'max(pratunam_registry_generation{registry="$registry"})',
            "short",
        ),
        number(
            "Doubtful records",
            "Records that people must decide.",
            "sum(max by (registry, party) (pratunam_doubtful_records)) or vector(0)",
            "short",
            ((None, GREEN), (1, ORANGE)),
        ),
        number(
            "Notices failing",
            "Deliveries that were tried and did not arrive.",
            'sum(max by (channel) (pratunam_notices_undelivered{state="failing"})) or vector(0)',
            "short",
            ((None, GREEN), (1, ORANGE)),
        ),
        number(
            "Version",
            "How many versions run at once.",
            "count(count by (version) (pratunam_build_info))",
            "short",
        ),
    ):
        made = made.with_panel(panel)
    for lines in (
        *(_loops(), _rounds(), _ledger(), _queue(), _redis(), _notices()),
        *(_checks(), _jobs(), _processors(), _memory()),
    ):
        made = made.with_panel(lines)
    return made


def _loops() -> Graph:
    return graph(
        "Rounds that failed, a minute",
        "By loop and by what failed: gate = Redis, ledger, registrar, seal, time, other.",
        {"{{loop}} {{reason}}": f"60 * sum by (loop, reason) (rate(pratunam_loop_failures_total{_EVERY}))"},
        "short",
    )


def _rounds() -> Graph:
    buckets = f"sum by (le) (rate(pratunam_round_seconds_bucket{_EVERY}))"
    return graph(
        "A decision takes",
        "The scheduler has 50 ms at 8,000 parties; it decides four times a second while anybody can send.",
        {
            "p50": f"histogram_quantile(0.5, {buckets})",
            "p99": f"histogram_quantile(0.99, {buckets})",
        },
        "s",
    )


def _ledger() -> Graph:
    buckets = f"sum by (le) (rate(pratunam_ledger_commit_seconds_bucket{_EVERY}))"
    return graph(
        "A commit of the ledger takes",
        "Batches of outcomes; beside it, how long the count for these boards took.",
        {
            "p50": f"histogram_quantile(0.5, {buckets})",
            "p99": f"histogram_quantile(0.99, {buckets})",
            "count": "max(pratunam_ledger_look_seconds)",
        },
        "s",
    )


def _queue() -> Graph:
    buckets = f"sum by (actor, le) (rate(pratunam_queue_wait_seconds_bucket{_EVERY}))"
    return graph(
        "A message waits",
        "From ringing an actor to its start, 99 in 100.",
        {"{{actor}}": f"histogram_quantile(0.99, {buckets})"},
        "s",
    )


def _redis() -> Graph:
    return graph(
        "Redis",
        "Permits drawn a second, generations begun an hour.",
        {
            "permits {{registry}}": f"sum by (registry) (rate(pratunam_permits_drawn_total{_EVERY}))",
            "generations {{registry}} {{reason}}": "sum by (registry, reason) (increase(pratunam_generations_begun_total[1h]))",
        },
        "short",
    )


def _notices() -> Graph:
    return graph(
        "Notices",
        "Tried a minute by channel and outcome, and those that have not arrived.",
        {
            "{{channel}} {{outcome}}": f"60 * sum by (channel, outcome) (rate(pratunam_notices_tried_total{_EVERY}))",
            "{{channel}} {{state}}": "max by (channel, state) (pratunam_notices_undelivered)",
        },
        "short",
    )


def _checks() -> Graph:
    buckets = f"sum by (le) (rate(pratunam_check_seconds_bucket{_EVERY}))"
    return graph(
        "Checks of files",
        "Rows checked a second, and how many seconds a file takes (95 in 100).",
        {
            "{{outcome}} rows a second": f"sum by (outcome) (rate(pratunam_rows_checked_total{_EVERY}))",
            "seconds a file": f"histogram_quantile(0.95, {buckets})",
        },
        "short",
    )


def _jobs() -> Graph:
    return graph(
        "Jobs",
        "By state; and how many enter a state a minute.",
        {
            "{{state}}": 'max by (state) (pratunam_jobs{registry="$registry"})',
            "into {{state}} a minute": f"60 * sum by (state) (rate(pratunam_jobs_moved_total{_EVERY}))",
        },
        "short",
    )


def _processors() -> Graph:
    return graph(
        "Processor",
        "Seconds of one core a second, by process.",
        {"{{process}}": f"sum by (process) (rate(process_cpu_seconds_total{_EVERY}))"},
        "percentunit",
    )


def _memory() -> Graph:
    return graph(
        "Memory",
        "Resident, by process.",
        {"{{process}}": "max by (process) (process_resident_memory_bytes)"},
        "bytes",
    )
