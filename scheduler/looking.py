"""What a round saw, as one event for the boards. Computes only, and at most once a second: nothing decides by it."""

from collections import Counter
from collections.abc import Sequence

from domain.events import PartyLooked, RegistryLooked
from domain.jobs import PartyBacklog
from domain.quota import BoundBy, PartyUse
from ledger.values import AccountRow
from scheduler.decide import Decision
from scheduler.views import Scene

#: looks are told so often, in ms
TELL_MS = 1_000

#: while one of these binds a party, none of its records could leave
_SHUT = frozenset({BoundBy.HOLD, BoundBy.WINDOW, BoundBy.QUARANTINE, BoundBy.PUSHBACK})
_UNUSED = PartyUse(level=0.0, outstanding=0, sent=0)


def look(scene: Scene, decision: Decision, rows: Sequence[AccountRow], now: int) -> RegistryLooked:
    """Return one registry as this round saw it; `rows` are its accounts as the ledger has them."""
    usage, rules = scene.usage, scene.rules
    live = Counter(session.party for session in usage.sessions if not session.quarantined)
    backlog = {party.party: party for party in scene.backlog}
    parties = tuple(
        _look_at_party(scene, decision, name, backlog.get(name), live[name], now)
        for name in sorted({*backlog, *live})
    )
    return RegistryLooked(
        rules.name,
        looked_at=now,
        rate_limit=rules.rate,
        rate=decision.rate,
        burst=rules.burst,
        session_limit=rules.sessions,
        level=usage.level,
        outstanding=usage.outstanding,
        sessions=live.total(),
        quarantined=len(usage.sessions) - live.total(),
        generation=usage.generation,
        sendable=_sendable(scene, decision),
        is_held=scene.held,
        is_paused=usage.signals.closed_ms > 0,
        clock_offset_ms=usage.signals.clock_offset_ms,
        accounts=Counter(row.state.value for row in rows if row.registry == rules.name),
        parties=parties,
    )


def _sendable(scene: Scene, decision: Decision) -> int:
    """Records that could leave now as far as windows, holds, accounts and the registrar's own word go."""
    if decision.rate <= 0 or scene.rules.sessions <= 0:
        return 0
    return sum(
        party.ready
        for party in scene.backlog
        if decision.reasons.get(party.party) not in _SHUT and scene.accounts.get(party.party, 0) > 0
    )


def _look_at_party(
    scene: Scene, decision: Decision, name: str, backlog: PartyBacklog | None, live: int, now: int
) -> PartyLooked:
    use, share = scene.usage.parties.get(name, _UNUSED), decision.shares.get(name)
    jobs = backlog.jobs if backlog is not None else ()
    return PartyLooked(
        name,
        pending=backlog.pending if backlog is not None else 0,
        unknown=backlog.unknown if backlog is not None else 0,
        ready=backlog.ready if backlog is not None else 0,
        oldest_at=min((job.submitted_at for job in jobs if job.pending + job.unknown), default=None),
        accounts=scene.accounts.get(name, 0),
        sessions=live,
        share=share.rate if share is not None else 0.0,
        level=use.level,
        outstanding=use.outstanding,
        is_open=scene.openings.open_ms(name, scene.clock, now) > 0,
        is_held=scene.held or name in scene.held_parties,
        bound_by=_bound_by(decision.reasons.get(name), use).value,
    )


def _bound_by(decided: BoundBy | None, use: PartyUse) -> BoundBy:
    """What the gate says where the decision leaves the party free, else what was decided."""
    return use.bound_by if decided in (None, BoundBy.NOTHING) else decided
