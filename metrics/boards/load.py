"""The board of the central system: what the gate lays on the registrar, against what it allows."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from metrics.boards.panels import GREEN, ORANGE, RED, Graph, board, graph, number

_R = '{registry="$registry"}'
_SENT = f"sum(rate(pratunam_records_sent_total{_R}[$__rate_interval]))"


def build() -> Dashboard:
    """Return the board."""
    made = board(
        "pratunam-load",
        "Central system: load on the registrar",
        "What the gate lays on one registry against what the policy in force allows. For the registrar's operators.",
    )
    for panel in (
        number(
            "Pace of the limit",
            "Records sent a second, as a part of the rate in the policy. The rate itself is never passed; bursts may show above 100 %.",
            f"{_SENT} / max(pratunam_registry_rate_limit{_R})",
            "percentunit",
            ((None, GREEN), (1.05, ORANGE), (1.2, RED)),
        ),
        number("Records a second", "Sent now.", _SENT, "short"),
        number(
            "Sessions of the cap",
            "Open sessions, with those not known to be closed, as a part of the session cap.",
            f"(max(pratunam_registry_sessions{_R}) + max(pratunam_registry_sessions_quarantined{_R}))"
            f" / max(pratunam_registry_sessions_limit{_R})",
            "percentunit",
            ((None, GREEN), (1.001, RED)),
        ),
        number(
            "Brake",
            "The part of the rate that the brake leaves; 100 % when the central system shows no load.",
            f"max(pratunam_registry_rate{_R}) / max(pratunam_registry_rate_limit{_R})",
            "percentunit",
            ((None, RED), (0.5, ORANGE), (0.99, GREEN)),
        ),
        number(
            "Held",
            "1 while the registrar's hold stands on the whole registry.",
            f"max(pratunam_registry_held{_R})",
            "short",
            ((None, GREEN), (1, RED)),
        ),
        number(
            "Told to wait",
            "1 while the registry's own Retry-After binds.",
            f"max(pratunam_registry_paused{_R})",
            "short",
            ((None, GREEN), (1, ORANGE)),
        ),
    ):
        made = made.with_panel(panel)
    for lines in (
        _pace(),
        _bucket(),
        _sessions(),
        _answers(),
        _pushbacks(),
        _bound(),
        _open_ends(),
        _accounts(),
    ):
        made = made.with_panel(lines)
    return made


def _pace() -> Graph:
    return graph(
        "Records a second against the limit",
        "Sent and settled by outcome, below the policy's rate and what the brake leaves of it.",
        {
            "sent": _SENT,
            "{{outcome}}": f"sum by (outcome) (rate(pratunam_records_settled_total{_R}[$__rate_interval]))",
            "limit": f"max(pratunam_registry_rate_limit{_R})",
            "after the brake": f"max(pratunam_registry_rate{_R})",
        },
        "short",
    )


def _bucket() -> Graph:
    return graph(
        "Bucket",
        "Outstanding permits may never pass the level, nor the level the burst.",
        {
            "level": f"max(pratunam_registry_level_records{_R})",
            "outstanding": f"max(pratunam_registry_outstanding_records{_R})",
            "burst": f"max(pratunam_registry_burst_records{_R})",
        },
        "short",
    )


def _sessions() -> Graph:
    return graph(
        "Sessions",
        "As workers count them, as the gate counts leases, those not known to be closed, and the cap.",
        {
            "open (workers)": f"sum(pratunam_sessions_open{_R})",
            "leases (gate)": f"max(pratunam_registry_sessions{_R})",
            "not known to be closed": f"max(pratunam_registry_sessions_quarantined{_R})",
            "cap": f"max(pratunam_registry_sessions_limit{_R})",
        },
        "short",
    )


def _answers() -> Graph:
    buckets = f"sum by (le) (rate(pratunam_answer_seconds_bucket{_R}[$__rate_interval]))"
    return graph(
        "Time to an answer",
        "From a record's writing to its answer, mean of each handful.",
        {f"p{round(q * 100)}": f"histogram_quantile({q}, {buckets})" for q in (0.5, 0.95, 0.99)},
        "s",
    )


def _pushbacks() -> Graph:
    return graph(
        "Pushback a minute",
        "How often the registrar said slow down, by scope and reason.",
        {
            "{{scope}} {{reason}}": "60 * sum by (scope, reason)"
            f" (rate(pratunam_pushbacks_total{_R}[$__rate_interval]))"
        },
        "short",
    )


def _bound() -> Graph:
    return graph(
        "What binds",
        "Draws a second that got less than they wanted, by what bound them.",
        {"{{reason}}": f"sum by (reason) (rate(pratunam_draws_bound_total{_R}[$__rate_interval]))"},
        "short",
    )


def _open_ends() -> Graph:
    return graph(
        "Backlog, unknown, doubtful",
        "Records not sent yet, sent without a known answer, and those that people must decide.",
        {
            "backlog": f"sum(max by (party) (pratunam_party_pending_records{_R}))",
            "could leave now": f"max(pratunam_registry_sendable_records{_R})",
            "unknown": f"sum(max by (party) (pratunam_party_unknown_records{_R}))",
            "doubtful": f"sum(max by (party) (pratunam_doubtful_records{_R}))",
        },
        "short",
    )


def _accounts() -> Graph:
    return graph(
        "Accounts by state",
        "Rested, set aside and suspended ones need people to come back; the gate rests none by itself.",
        {"{{state}}": f"sum by (state) (max by (state, registry) (pratunam_accounts{_R}))"},
        "short",
    )
