"""What the scheduler remembers of one registry between rounds, all of it rebuilt from usage by whoever leads next.

Since when sessions sit and parties wait, which sessions were told to end, and an estimate of what stands in each account's
bucket (the gate keeps the real ones; shares only want to know how much a party could use at once). Instants are ms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domain.quota import SessionUse, Usage
from scheduler.snapshot import LiveSession


@dataclass(slots=True)
class _Seen:
    token: int
    since_at: int
    ending: bool = False


@dataclass(slots=True)
class _Level:
    token: int
    level: float
    sent: int
    gate_at: int


@dataclass(slots=True)
class Memory:
    """Between rounds; `note` first, then ask."""

    sitting: dict[str, list[LiveSession]] = field(default_factory=dict)
    outstanding: dict[str, int] = field(default_factory=dict)
    quarantined: dict[str, int] = field(default_factory=dict)
    tokens: frozenset[int] = frozenset()
    _seen: dict[str, _Seen] = field(default_factory=dict)
    _waiting: dict[str, int] = field(default_factory=dict)
    _levels: dict[str, dict[str, _Level]] = field(default_factory=dict)
    _began_at: int | None = 0

    def note(self, usage: Usage, account_rate: float, account_burst: int, now: int) -> None:
        """Take in what the gate says of its sessions."""
        if self._began_at is None:
            self._began_at = usage.gate_at
        live = [session for session in usage.sessions if not session.quarantined]
        self.tokens = frozenset(session.token for session in live)
        self.sitting, self.outstanding, self.quarantined = {}, {}, {}
        seen = {}
        for session in live:
            known = self._seen.get(session.account)
            if known is None or known.token != session.token:
                known = _Seen(session.token, now)
            seen[session.account] = known
            self.sitting.setdefault(session.party, []).append(
                LiveSession(session.account, known.since_at, known.ending)
            )
        self._seen = seen
        for session in usage.sessions:
            self.outstanding[session.party] = self.outstanding.get(session.party, 0) + session.outstanding
            if session.quarantined:
                self.quarantined[session.party] = self.quarantined.get(session.party, 0) + 1
        self._note_levels(live, usage.gate_at, account_rate, account_burst)

    def told_to_end(self, accounts: Sequence[str]) -> None:
        """Remember who was told, so that nobody else is told instead."""
        for account in accounts:
            if account in self._seen:
                self._seen[account].ending = True

    def waiting_since(self, party: str, now: int) -> int | None:
        """Return since when a party with something to send has no session; None while it has one."""
        if party in self.sitting:
            self._waiting.pop(party, None)
            return None
        return self._waiting.setdefault(party, now)

    def forget_idle(self, busy: Mapping[str, object]) -> None:
        """Drop what was kept of parties that have nothing left."""
        self._waiting = {party: since for party, since in self._waiting.items() if party in busy}
        self._levels = {party: levels for party, levels in self._levels.items() if party in busy}

    def standing(self, party: str, accounts: int, gate_at: int, rate: float, burst: int) -> float:
        """Return how many records the party's accounts could send at once, as far as one can tell from outside."""
        untouched = self._filled_since_begin(gate_at, rate, burst)
        known = self._levels.get(party)
        if not known:
            return accounts * untouched
        levels = sum(
            min(float(burst), seen.level + rate * (gate_at - seen.gate_at) / 1000) for seen in known.values()
        )
        return max(0.0, levels) + max(0, accounts - len(known)) * untouched

    def begin(self) -> None:
        """A generation begins: every bucket is empty until the next usage."""
        self._levels.clear()
        self._began_at = None

    def _filled_since_begin(self, gate_at: int, rate: float, burst: int) -> float:
        return min(float(burst), max(0.0, rate * (gate_at - (self._began_at or 0)) / 1000))

    def _note_levels(self, live: Sequence[SessionUse], gate_at: int, rate: float, burst: int) -> None:
        for session in live:
            of_party = self._levels.setdefault(session.party, {})
            seen = of_party.get(session.account)
            if seen is None:
                full = self._filled_since_begin(gate_at, rate, burst)
                of_party[session.account] = _Level(
                    session.token, full - session.sent - session.outstanding, session.sent, gate_at
                )
                continue
            sent = session.sent - (seen.sent if seen.token == session.token else 0)
            refilled = min(float(burst), seen.level + rate * max(0, gate_at - seen.gate_at) / 1000)
            of_party[session.account] = _Level(
                session.token, max(-float(burst), refilled - max(0, sent)), session.sent, gate_at
            )
