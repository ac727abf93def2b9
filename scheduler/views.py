"""Puts ledger, usage and policy together into the snapshot that the decision looks at. Computes only; reads nothing itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from domain.jobs import PartyBacklog
from domain.policy import PartyRules, Policy, RegistryRules
from domain.quota import PartyUse, Usage
from domain.states import AccountKind
from scheduler.brake import BrakeState
from scheduler.memory import Memory
from scheduler.openings import ClockOffset, Openings
from scheduler.snapshot import LiveSession, PartyView, RegistryView, Snapshot

_UNUSED = PartyUse(level=0.0, outstanding=0, sent=0)


@dataclass(frozen=True, slots=True)
class Scene:
    """What one round has read of one registry. `accounts`: how many active ones each party has."""

    policy: Policy
    rules: RegistryRules
    openings: Openings
    usage: Usage
    backlog: Sequence[PartyBacklog]
    accounts: Mapping[str, int]
    held: bool
    held_parties: frozenset[str]
    brake: BrakeState
    clock: ClockOffset


def view_scene(scene: Scene, memory: Memory, now: int) -> Snapshot:
    """Return the snapshot of one round; `memory` has noted the same usage."""
    rules, usage = scene.rules, scene.usage
    parties = tuple(_view_party(scene, backlog, memory, now) for backlog in scene.backlog)
    present = {party.party for party in parties}
    elsewhere = sum(len(sessions) for party, sessions in memory.sitting.items() if party not in present)
    # Where the newest session wins, an account that was left behind is taken again at once, and counts once.
    left_behind = 0 if rules.newest_wins else sum(memory.quarantined.values())
    return Snapshot(
        RegistryView(
            registry=rules.name,
            rate=rules.rate,
            burst=rules.burst,
            sessions=rules.sessions,
            account_rate=rules.account_rate,
            account_burst=rules.account_burst,
            turn_ms=round(rules.turn_s * 1000),
            brake=scene.brake.level,
            available=usage.standing,
            lost_sessions=left_behind + elsewhere,
            latency_ms=scene.brake.latency_ms,
            held=scene.held,
            paused=usage.signals.closed_ms > 0,
        ),
        parties,
    )


def _view_party(scene: Scene, backlog: PartyBacklog, memory: Memory, now: int) -> PartyView:
    rules, name = scene.rules, backlog.party
    use = scene.usage.parties.get(name, _UNUSED)
    party = scene.policy.parties.get(name)
    sessions = _with_kinds(memory.sitting.get(name, ()), party)
    # Claimed lines can be sent by their session only; those of a dead one wait for the rescue.
    in_hand = max(0, backlog.in_hand - memory.outstanding.get(name, 0)) if sessions else 0
    accounts = scene.accounts.get(name, 0)
    barred = 0 if rules.newest_wins else min(accounts, memory.quarantined.get(name, 0))
    limits = party.limits_of(rules.name) if party else None
    sendable = backlog.ready + in_hand
    return PartyView(
        party=name,
        sendable=sendable,
        accounts=accounts - barred,
        open_ms=scene.openings.open_ms(name, scene.clock, now),
        in_hand=in_hand,
        pending=backlog.pending + backlog.unknown,
        quarantined=barred,
        held=name in scene.held_parties,
        weight=limits.weight if limits else 1.0,
        floor=limits.floor if limits else 0.0,
        rate=limits.rate if limits else None,
        burst=limits.burst if limits else None,
        level=use.level - use.outstanding,
        standing=memory.standing(
            name, accounts - barred, scene.usage.gate_at, rules.account_rate, rules.account_burst
        ),
        outstanding=use.outstanding,
        sessions=sessions,
        waiting_since_at=memory.waiting_since(name, now) if sendable else None,
        deadline_open_ms=scene.openings.open_ms_before(name, rules.deadline_at, now),
    )


def _with_kinds(sitting: Sequence[LiveSession], party: PartyRules | None) -> tuple[LiveSession, ...]:
    """Say of each session whether its account is an added one: those are given up first."""
    if not sitting or party is None:
        return tuple(sitting)
    added = {account.id for account in party.accounts if account.kind is AccountKind.ADDED}
    return tuple(replace(session, added=session.account in added) for session in sitting)
