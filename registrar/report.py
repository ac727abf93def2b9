"""What the registrar saw, as plain values: counts, bins, verdicts of the judge, and one verdict in sentences.

It must hold no personal data and change nothing. It reads beside a log that grows, so it copies what it walks.
"""

from collections import Counter
from dataclasses import asdict
from typing import Any

from registrar.arrivals import INSIDE, ArrivalLog, Decision
from registrar.central import Central
from registrar.clock import NS_PER_MS
from registrar.judge import doubled_effects, overlapping_sessions, scan_bucket
from registrar.state import AccountState, PartyState, RegistryState

#: Digests of doubled effects listed at most.
MOST_LISTED = 1000
_AFTER_END = int(Decision.AFTER_END)

Scope = AccountState | PartyState | RegistryState


def report(central: Central, bin_ms: int = 100, log: ArrivalLog | None = None) -> dict[str, Any]:
    """Everything of `GET /report`; `bin_ms=0` leaves the bins out. `log`: a shallow copy that no reset touches."""
    reader = _Reader(central, bin_ms, central.log if log is None else log)
    registries = {name: reader.registry(one) for name, one in central.rolls.registries.items()}
    faults = [fault for name, one in registries.items() for fault in verdict(name, one)]
    now_ms = central.clock.wall_ms(central.clock.mono_ns())
    return {
        "now": now_ms,
        "mode": central.config.mode,
        "registries": registries,
        "strangers": central.strangers,
        "logins_refused": dict(central.sessions.refused),
        "verdict": {"ok": not faults, "faults": faults},
    }


class _Reader:
    """Groups the log's rows by account once, then reads each scope from its accounts' rows."""

    def __init__(self, central: Central, bin_ms: int, log: ArrivalLog) -> None:
        self._central = central
        self._log = log
        self._bin_ns = bin_ms * NS_PER_MS
        self._rows: list[list[int]] = [[] for _ in central.rolls.by_index]
        for row in range(len(self._log)):
            account = self._log.account[row]
            if account < len(self._rows):
                self._rows[account].append(row)

    def registry(self, registry: RegistryState) -> dict[str, Any]:
        accounts = [
            account for party in list(registry.parties.values()) for account in list(party.accounts.values())
        ]
        effects = self._effects(registry, list(registry.parties))
        result = self._scope(registry, accounts) | {"effects": effects}
        result["parties"] = {
            id_: self._party(registry, party) for id_, party in list(registry.parties.items())
        }
        return result

    def _party(self, registry: RegistryState, party: PartyState) -> dict[str, Any]:
        result = self._scope(party, list(party.accounts.values()))
        result["effects"] = self._effects(registry, [party.id])
        result["accounts"] = {id_: self._scope(one, [one]) for id_, one in list(party.accounts.items())}
        return result

    def _scope(self, scope: Scope, accounts: list[AccountState]) -> dict[str, Any]:
        log = self._log
        known = [account for account in accounts if account.index < len(self._rows)]
        rows = sorted(row for account in known for row in self._rows[account.index])
        in_time = [log.at_ns[row] for row in rows if log.decision[row] != _AFTER_END]
        decisions = Counter(Decision(log.decision[row]).name.lower() for row in rows)
        wall = [log.wall_us[rows[0]] // 1000, log.wall_us[rows[-1]] // 1000] if rows else [None, None]
        indexes = {account.index for account in accounts}
        return {
            "arrivals": len(rows),
            "first_at": wall[0],
            "last_at": wall[1],
            "outcomes": dict(decisions),
            "rejected_by_code": _by_code(log.codes, indexes),
            "pushbacks": _by_code(log.pushbacks, indexes),
            "bucket": self._bucket(scope, in_time),
            "sessions": self._sessions(scope) | {"logins": sum(one.logins for one in accounts)},
            "outside": self._outside(rows),
        } | ({"bins": self._bins(in_time)} if self._bin_ns else {})

    def _bucket(self, scope: Scope, in_time: list[int]) -> dict[str, Any]:
        found = scan_bucket(in_time, scope.limit.steps)
        worst_ns = found.worst_at_ns
        return {
            "rate": scope.limit.rate,
            "burst": scope.limit.burst,
            "max_excess": found.max_excess,
            "over": found.over,
            "offending": found.offending,
            "worst_at": None if worst_ns is None else self._central.clock.wall_ms(worst_ns),
        }

    def _sessions(self, scope: Scope) -> dict[str, Any]:
        result = asdict(overlapping_sessions(self._central.sessions.spans(scope)))
        if isinstance(scope, PartyState):
            result["allowed"] = scope.allowed_sessions
        else:
            result["allowed"] = scope.session_cap if isinstance(scope, RegistryState) else 1
        return result

    def _outside(self, rows: list[int]) -> dict[str, Any]:
        outside = [value for row in rows if (value := self._log.outside_us[row]) != INSIDE]
        return {
            "count": len(outside),
            "latest_ms": max((value / 1000 for value in outside if value >= 0), default=None),
            "earliest_ms": max((-value / 1000 for value in outside if value < 0), default=None),
        }

    def _bins(self, times_ns: list[int]) -> dict[str, Any]:
        """Counts in bins of the registrar's monotonic time, from bin number `first` on."""
        counts = Counter(at_ns // self._bin_ns for at_ns in times_ns)
        if not counts:
            return {"first": 0, "width_ms": self._bin_ns // NS_PER_MS, "counts": []}
        first, last = min(counts), max(counts)
        every = [counts[number] for number in range(first, last + 1)]
        return {"first": first, "width_ms": self._bin_ns // NS_PER_MS, "counts": every}

    def _effects(self, registry: RegistryState, parties: list[str]) -> dict[str, Any]:
        book = self._central.books[registry.name]
        found = doubled_effects(
            {
                f"{digest:016x}": count
                for id_ in parties
                for digest, count in book.effects.get(id_, {}).copy().items()
            }
        )
        return {
            "natural_keys": found.exactly_one + found.more,
            "exactly_one": found.exactly_one,
            "more": found.more,
            "doubled": list(found.doubled[:MOST_LISTED]),
        }


def _by_code(counts: Counter[tuple[int, str]], accounts: set[int]) -> dict[str, int]:
    result: Counter[str] = Counter()
    for (account, code), count in list(counts.items()):
        if account in accounts:
            result[code] += count
    return dict(result)


def verdict(name: str, registry: dict[str, Any]) -> list[str]:
    """Sentences about every promise that was broken in a registry; none when all were kept."""
    faults = _scope_faults(f"registry {name}", registry)
    for party_id, party in registry["parties"].items():
        faults += _scope_faults(f"party {party_id}", party)
        for account_id, account in party["accounts"].items():
            faults += _scope_faults(f"account {account_id}", account)
    outside = registry["outside"]["count"]
    if outside:
        faults.append(f"registry {name}: {outside} record(s) arrived outside their window")
    if registry["effects"]["more"]:
        faults.append(
            f"registry {name}: {registry['effects']['more']} natural key(s) took effect more than once"
        )
    return faults


def _scope_faults(where: str, scope: dict[str, Any]) -> list[str]:
    faults = []
    bucket, sessions = scope["bucket"], scope["sessions"]
    if bucket["over"]:
        excess, least = bucket["max_excess"], bucket["offending"]
        faults.append(f"{where}: {least} record(s) too many, {excess:.3f} over the limit at worst")
    if sessions["over"]:
        faults.append(
            f"{where}: {sessions['most']} sessions at once, more than allowed {sessions['over']} time(s)"
        )
    return faults
