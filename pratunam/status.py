"""The state of the gate as people ask for it: load on each registry against what it allows, and each party's backlog and pace.

Reads only. Pace is the difference of two looks, so a single `status` takes two looks a moment apart.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain.errors import GateLost
from domain.jobs import PartyBacklog
from domain.policy import Policy, RegistryRules
from domain.quota import BoundBy, Quotas, Usage
from domain.states import AccountState
from domain.windows import WindowState, window_state
from ledger.values import HoldRow, Restored
from planner.kept import brake_level
from pratunam.local_time import rfc3339
from pratunam.outlook import Outlook, forecast_values
from pratunam.parts import Parts

_HORIZON_MS = 14 * 86_400_000
#: between the two looks of a single status (s)
_BETWEEN_LOOKS_S = 1.0


@dataclass(frozen=True, slots=True)
class RegistryStatus:
    """One registry: records a second now and allowed, sessions, the brake's share (1 = not braking), held, outstanding records."""

    rate: float
    limit: float
    sessions: int
    session_limit: int
    brake: float
    held: bool
    outstanding: int
    running: bool


@dataclass(frozen=True, slots=True)
class PartyStatus:
    """One party in one registry: records waiting, records a second, its share, sessions and usable accounts, window, what binds.

    A party of several registries is told where it has most waiting; `also` is how it stands in the others.
    """

    registry: str
    backlog: int
    rate: float
    share: float
    sessions: int
    accounts: int
    window_open: bool
    window_until: int | None
    bound_by: str
    timezone: str = "UTC"
    outlook: Outlook | None = None
    also: tuple["PartyStatus", ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """The whole gate at one look; parties by id."""

    policy_version: int
    registries: Mapping[str, RegistryStatus]
    parties: Mapping[str, PartyStatus]
    restored: Restored | None = None

    def as_json(self, now: int) -> dict[str, object]:
        """Return the shape that scripts rely on (policy.md)."""
        return {
            "policy_version": self.policy_version,
            "registries": {
                name: {
                    "rate": round(each.rate, 2),
                    "limit": each.limit,
                    "sessions": each.sessions,
                    "session_limit": each.session_limit,
                    "brake": round(each.brake, 3),
                    "held": each.held,
                    "outstanding": each.outstanding,
                    "running": each.running,
                }
                for name, each in self.registries.items()
            },
            "parties": {party: _party_json(each, now) for party, each in self.parties.items()},
        } | ({"restored": _restored_json(self.restored)} if self.restored is not None else {})


@dataclass(slots=True)
class _Look:
    """What the last look at one registry saw: gate clock (ms), records sent in all and by party."""

    gate_at: int = 0
    sent: int = 0
    parties: dict[str, int] = field(default_factory=dict)
    generation: int = -1


class StatusReader:
    """Reads the status again and again; pace is told from the second look on."""

    def __init__(self, parts: Parts, quotas: Quotas | None, fresh_ms: int = 0) -> None:
        """Read through these parts; `quotas` is None where nothing runs. A look serves everybody who asks within `fresh_ms`."""
        self._parts = parts
        self._quotas = quotas
        self._fresh_ms = fresh_ms
        self._looks: dict[str, _Look] = {}
        self._last: tuple[int, Status] | None = None
        self._lock = asyncio.Lock()

    async def read(self) -> Status:
        """Take one look, or return the last where that is fresh: however many ask at once, the ledger is asked once."""
        async with self._lock:
            now = self._parts.clock.monotonic()
            if self._last is None or not 0 <= now - self._last[0] < self._fresh_ms:
                self._last = now, await self._look()
            return self._last[1]

    async def _look(self) -> Status:
        version = await self._parts.policy_version()
        registries: dict[str, RegistryStatus] = {}
        parties: dict[str, list[PartyStatus]] = {party: [] for party in version.policy.parties}
        holds = await self._parts.ledger.holds()
        for name, rules in version.policy.registries.items():
            usage = await self._usage(name)
            pace = self._pace(name, usage)
            registries[name] = _registry(rules, usage, pace.get("", 0.0), holds)
            for party, each in (await self._parties(version.policy, rules, usage, pace)).items():
                parties[party].append(each)
        told = {party: _together(places) for party, places in parties.items()}
        return Status(version.version, registries, told, await self._parts.ledger.restored())

    async def _usage(self, registry: str) -> Usage | None:
        if self._quotas is None:
            return None
        try:
            usage = await self._quotas.usage(registry)
        except GateLost:
            return None
        return None if usage.is_new else usage

    def _pace(self, registry: str, usage: Usage | None) -> dict[str, float]:
        """Return records a second since the last look, of each party and (under "") in all."""
        if usage is None:
            return {}
        sent = {party: use.sent for party, use in usage.parties.items()}
        last, now = (
            self._looks.get(registry, _Look()),
            _Look(usage.gate_at, usage.sent, sent, usage.generation),
        )
        self._looks[registry] = now
        seconds = (now.gate_at - last.gate_at) / 1000
        if last.generation != now.generation or seconds <= 0:
            return {}
        pace = {
            party: max(0.0, (count - last.parties.get(party, 0)) / seconds) for party, count in sent.items()
        }
        return pace | {"": max(0.0, (now.sent - last.sent) / seconds)}

    async def _parties(
        self, policy: Policy, rules: RegistryRules, usage: Usage | None, pace: Mapping[str, float]
    ) -> dict[str, PartyStatus]:
        now = self._parts.clock.now()
        backlog = {each.party: each for each in await self._parts.ledger.backlog(rules.name, now)}
        rows = await self._parts.ledger.accounts(rules.name)
        accounts = Counter(row.party for row in rows if row.state is AccountState.ACTIVE)
        sessions = Counter(session.party for session in usage.sessions) if usage else Counter[str]()
        found: dict[str, PartyStatus] = {}
        for party in policy.parties:
            windows = policy.windows_of(rules.name, party)
            window = window_state(windows, rules.closed, rules.timezone, now, _HORIZON_MS)
            found[party] = _party(
                rules, party, backlog.get(party), accounts[party], sessions[party], usage, pace, window
            )
        return found


async def read_status(parts: Parts, quotas: Quotas | None) -> Status:
    """Take two looks a moment apart where something runs, so that pace can be told."""
    reader = StatusReader(parts, quotas)
    status = await reader.read()
    if quotas is None:
        return status
    await asyncio.sleep(_BETWEEN_LOOKS_S)
    return await reader.read()


def _together(places: Sequence[PartyStatus]) -> PartyStatus:
    """Return a party's registries in one: first where most waits, then where it has most accounts; others where it has either."""
    first = max(places, key=lambda each: (each.backlog, each.accounts))
    others = (each for each in places if each is not first and (each.backlog or each.accounts))
    return replace(first, also=tuple(others))


def _registry(
    rules: RegistryRules, usage: Usage | None, rate: float, holds: Sequence[HoldRow]
) -> RegistryStatus:
    held = any(hold.registry == rules.name and hold.party is None for hold in holds)
    if usage is None:
        return RegistryStatus(0.0, rules.rate, 0, rules.sessions, 1.0, held, 0, running=False)
    return RegistryStatus(
        rate,
        rules.rate,
        len(usage.sessions),
        rules.sessions,
        brake_level(rules, usage),
        held or usage.held,
        usage.outstanding,
        running=True,
    )


def _party(
    rules: RegistryRules,
    party: str,
    backlog: PartyBacklog | None,
    accounts: int,
    sessions: int,
    usage: Usage | None,
    pace: Mapping[str, float],
    window: WindowState,
) -> PartyStatus:
    use = usage.parties.get(party) if usage else None
    bound_by = (use.bound_by if use else BoundBy.NOTHING) if window.is_open else BoundBy.WINDOW
    return PartyStatus(
        registry=rules.name,
        backlog=(backlog.pending + backlog.unknown) if backlog else 0,
        rate=pace.get(party, 0.0),
        share=use.share if use else 0.0,
        sessions=sessions,
        accounts=accounts,
        window_open=window.is_open,
        window_until=window.until_at,
        bound_by=bound_by.value,
        timezone=rules.timezone,
    )


def _restored_json(copy: Restored) -> dict[str, object]:
    since = rfc3339(copy.since_at) if copy.since_at is not None else None
    return {"since": since, "asked_about": copy.asked, "unchecked": copy.unchecked}


def _party_json(party: PartyStatus, now: int) -> dict[str, object]:
    until = rfc3339(party.window_until, party.timezone) if party.window_until else None
    return {
        "registry": party.registry,
        "backlog": party.backlog,
        "rate": round(party.rate, 2),
        "share": round(party.share, 2),
        "sessions": party.sessions,
        "accounts": party.accounts,
        "window": {"open": party.window_open, "until": until},
        "bound_by": party.bound_by,
        **forecast_values(party.outlook, party.timezone, now),
    } | ({"also": [_party_json(each, now) for each in party.also]} if party.also else {})
