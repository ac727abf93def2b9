"""Made-up registries and parties, and hypothesis' strategies of them."""

from hypothesis import strategies as st

from scheduler.snapshot import LiveSession, PartyView, RegistryView, Snapshot

NOW = 1_800_000_000_000


def registry(
    rate: float = 800, burst: int = 0, sessions: int = 1000, account_rate: float = 20, brake: float = 1.0
) -> RegistryView:
    """A registry whose bucket is empty."""
    return RegistryView("members", rate, burst, sessions, account_rate, 20, brake=brake)


def live(party: str, count: int, since_at: int = NOW) -> tuple[LiveSession, ...]:
    """So many sessions of a party."""
    return tuple(LiveSession(f"{party}-{number:02}", since_at) for number in range(count))


def party(
    name: str,
    sendable: int = 1_000_000,
    accounts: int = 1,
    *,
    open_ms: int = 60_000,
    weight: float = 1.0,
    floor: float = 0.0,
    rate: float | None = None,
    seated: bool = True,
) -> PartyView:
    """A party that is open and sits on all its accounts."""
    sessions = live(name, accounts) if seated else ()
    return PartyView(
        name,
        sendable,
        accounts,
        open_ms,
        pending=sendable,
        weight=weight,
        floor=floor,
        rate=rate,
        sessions=sessions,
    )


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Any world: held, closed, idle and busy parties, scarce or plenty of sessions, full or empty buckets."""
    count = draw(st.integers(0, 12))
    parties = tuple(draw(party_views(f"P{number:03}")) for number in range(count))
    return Snapshot(
        RegistryView(
            "members",
            rate=draw(st.sampled_from([0.0, 1.0, 40.0, 800.0])),
            burst=draw(st.integers(1, 800)),
            sessions=draw(st.integers(0, 40)),
            account_rate=draw(st.sampled_from([0.0, 1.0, 20.0])),
            account_burst=draw(st.integers(1, 20)),
            brake=draw(st.sampled_from([0.1, 0.5, 1.0])),
            available=draw(st.floats(-100, 900)),
            lost_sessions=draw(st.integers(0, 2)),
            held=draw(st.integers(0, 9)) == 0,
            is_fluid=draw(st.booleans()),
        ),
        parties,
    )


@st.composite
def party_views(draw: st.DrawFn, name: str) -> PartyView:
    """Any party."""
    accounts = draw(st.integers(0, 5))
    sitting = draw(st.integers(0, accounts))
    sendable = draw(st.sampled_from([0, 1, 9, 100, 10**6]))
    return PartyView(
        name,
        sendable,
        accounts,
        open_ms=draw(st.sampled_from([0, 3, 400, 60_000])),
        pending=sendable,
        held=draw(st.integers(0, 9)) == 0,
        weight=draw(st.sampled_from([0.0, 0.5, 1.0, 3.0])),
        floor=draw(st.sampled_from([0.0, 0.0, 5.0, 100.0])),
        rate=draw(st.sampled_from([None, None, 0.0, 7.5, 60.0])),
        level=draw(st.floats(-5, 40)),
        standing=draw(st.floats(0, 100)),
        sessions=live(name, sitting, NOW - draw(st.integers(0, 30_000))),
        waiting_since_at=draw(st.none() | st.integers(NOW - 60_000, NOW)),
        deadline_open_ms=draw(st.sampled_from([0, 0, 10**5, 10**9])),
    )
