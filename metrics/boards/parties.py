"""The board of parties: one row a party, and whether pace is shared fairly."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from metrics.boards.panels import Graph, board, graph, rows

_R = '{registry="$registry"}'
_PACE = f"sum by (party) (rate(pratunam_records_sent_total{_R}[$__rate_interval]))"
#: pace per account of every party that has something ready
_EACH = (
    f"({_PACE} / on (party) max by (party) (pratunam_party_accounts{_R})"
    f" and on (party) max by (party) (pratunam_party_ready_records{_R}) > 0)"
)


def build() -> Dashboard:
    """Return the board."""
    table = rows(
        "Parties",
        "Parties with a backlog or a session. Bound by: what keeps the party from a faster pace now.",
        {
            "backlog": f"max by (party) (pratunam_party_pending_records{_R})",
            "ready": f"max by (party) (pratunam_party_ready_records{_R})",
            "unknown": f"max by (party) (pratunam_party_unknown_records{_R})",
            "doubtful": f"max by (party) (pratunam_doubtful_records{_R})",
            "oldest": f"max by (party) (pratunam_party_oldest_seconds{_R})",
            "pace": _PACE,
            "share": f"max by (party) (pratunam_party_share_rate{_R})",
            "sessions": f"max by (party) (pratunam_party_sessions{_R})",
            "accounts": f"max by (party) (pratunam_party_accounts{_R})",
            "window": f"max by (party) (pratunam_party_window_open{_R})",
            "held": f"max by (party) (pratunam_party_held{_R})",
            " ": f"max by (party, reason) (pratunam_party_bound{_R})",
        },
        {"party": "party", "reason": "bound by"},
        {"oldest": "s", "backlog": "short", "ready": "short", "pace": "short", "share": "short"},
    )
    made = board(
        "pratunam-parties",
        "Parties",
        "What each party has waiting, how fast it goes, what it has, and what binds it.",
    ).with_panel(table)
    for lines in (_pace(), _backlog(), _fairness(), _sessions()):
        made = made.with_panel(lines)
    return made


def _pace() -> Graph:
    return graph(
        "Pace: the twenty fastest", "Records sent a second.", {"{{party}}": f"topk(20, {_PACE})"}, "short"
    )


def _backlog() -> Graph:
    return graph(
        "Backlog: the twenty largest",
        "Records not sent yet.",
        {"{{party}}": f"topk(20, max by (party) (pratunam_party_pending_records{_R}))"},
        "short",
    )


def _fairness() -> Graph:
    return graph(
        "Fairness (Jain's index)",
        "1 = every account of a party with something ready goes at the same pace. Weights and floors of the policy lower it on purpose.",
        {"index": f"sum({_EACH}) ^ 2 / (count({_EACH}) * sum({_EACH} ^ 2))"},
        "short",
    )


def _sessions() -> Graph:
    return graph(
        "Sessions that ended a minute",
        "By why they ended.",
        {
            "{{reason}}": f"60 * sum by (reason) (rate(pratunam_sessions_ended_total{_R}[$__rate_interval]))",
            "accounts set aside": f"60 * sum(rate(pratunam_accounts_set_aside_total{_R}[$__rate_interval]))",
        },
        "short",
    )
