"""Sessions: who is logged in. One account, one session; the newest wins where the registry says so.

It must decide nothing about records. Ended sessions stay for the judge.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from registrar.clock import NS_PER_S
from registrar.judge import SessionSpan
from registrar.state import AccountState, PartyState, RegistryState, Rolls

#: Why a session ends when the registrar forgets all of them: its connections are reset.
RESTART = "restart"
#: Called with a code when a session ends under an open request.
Stop = Callable[[str], None]


@dataclass(slots=True, eq=False)
class Session:
    """One log-in; `ended` says why it is over (`None`: it is not)."""

    token: str
    account: AccountState
    opened_ns: int
    last_ns: int
    allowed: int
    serial: int
    foreign: bool = False  # somebody else used the code
    closed_ns: int | None = None
    ended: str | None = None
    most_in_flight: int = 0
    watchers: set[Stop] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a log-in was not let in; `retry_after_s` and `opens_at_us` where known."""

    code: str
    retry_after_s: float | None = None
    opens_at_us: int | None = None


class SessionBook:
    """All sessions, open and ended."""

    def __init__(self, rolls: Rolls) -> None:
        self._rolls = rolls
        self._by_token: dict[str, Session] = {}
        self._open: dict[str, list[Session]] = {}
        self.history: list[Session] = []
        self.refused: Counter[str] = Counter()

    def log_in(self, account_id: str, secret: str, now_ns: int, wall_us: int) -> Session | Refused:
        """Open a session, or say why not."""
        account = self._rolls.accounts.get(account_id) or self._rolls.enrol(account_id, secret, now_ns)
        refusal = self._refusal(account, secret, now_ns, wall_us)
        if account is None or refusal is not None:
            refusal = refusal or Refused("bad-credentials")
            self.refused[refusal.code] += 1
            return refusal
        return self.open(account, now_ns)

    def _refusal(
        self, account: AccountState | None, secret: str, now_ns: int, wall_us: int
    ) -> Refused | None:
        if (
            account is None
            or account.removed
            or not secrets.compare_digest(account.secret.encode(), secret.encode())
        ):
            return Refused("bad-credentials")
        if account.suspended:
            return Refused("account-suspended")
        hours, rules = account.party.hours, account.party.registry.rules
        if not hours.is_open(wall_us):
            return Refused("window-closed", opens_at_us=hours.opens_at_us(wall_us))
        own = self._live(account, now_ns)
        if own and not rules.newest_wins and rules.refuse_second:
            return Refused("too-many-sessions", rules.expires_in_s)
        cap = account.party.registry.session_cap
        others = self.count(account.party.registry, now_ns) - (len(own) if rules.newest_wins else 0)
        return Refused("too-many-sessions", 1.0) if cap is not None and others >= cap else None

    def open(self, account: AccountState, now_ns: int, *, foreign: bool = False) -> Session:
        """Open a session without asking; ends the account's older ones where the newest wins."""
        if account.party.registry.rules.newest_wins:
            for older in list(self._live(account, now_ns)):
                self.end(older, "session-ended", now_ns)
        session = Session(
            secrets.token_urlsafe(18),
            account,
            now_ns,
            now_ns,
            account.party.allowed_sessions,
            len(self.history),
            foreign,
        )
        account.logins += 1
        self._by_token[session.token] = session
        self._open.setdefault(account.id, []).append(session)
        self.history.append(session)
        return session

    def end(self, session: Session, why: str, now_ns: int) -> None:
        """End a session at once and tell its open requests; again is harmless."""
        if session.ended is not None:
            return
        session.ended, session.closed_ns = "session-ended" if why == RESTART else why, now_ns
        self._open[session.account.id].remove(session)
        for stop in list(session.watchers):
            stop(why)

    def find(self, token: str, now_ns: int) -> Session | None:
        """The session of a bearer, ended or not; one that has outlived `expires_in` ends here."""
        session = self._by_token.get(token)
        if session is not None and session.ended is None and self._expired(session, now_ns):
            self.end(session, "session-ended", now_ns)
        return session

    def _expired(self, session: Session, now_ns: int) -> bool:
        lasts_ns = round(session.account.party.registry.rules.expires_in_s * NS_PER_S)
        return now_ns - session.last_ns >= lasts_ns

    def _live(self, account: AccountState, now_ns: int) -> list[Session]:
        for session in list(self._open.get(account.id, ())):
            if self._expired(session, now_ns):
                self.end(session, "session-ended", now_ns)
        return self._open.get(account.id, [])

    def sweep(self, now_ns: int) -> None:
        """End what has expired."""
        for session in list(self.live()):
            if self._expired(session, now_ns):
                self.end(session, "session-ended", now_ns)

    def live(self) -> Iterator[Session]:
        """Every open session."""
        for sessions in self._open.values():
            yield from sessions

    def count(self, registry: RegistryState, now_ns: int) -> int:
        """Sessions open now in a registry."""
        self.sweep(now_ns)
        return sum(session.account.party.registry is registry for session in self.live())

    def reset(self) -> None:
        """Forget ended sessions; open ones go on."""
        self.history = [session for session in self.history if session.ended is None]
        self.refused.clear()

    def spans(self, scope: AccountState | PartyState | RegistryState) -> list[SessionSpan]:
        """The sessions of a scope for the judge, each with what was allowed at its log-in."""
        return [
            SessionSpan(session.opened_ns, session.closed_ns, allowed)
            for session in list(self.history)
            if (allowed := _allowed(session, scope)) is not _NOT_IN_SCOPE
        ]


_NOT_IN_SCOPE = -1


def _allowed(session: Session, scope: AccountState | PartyState | RegistryState) -> int | None:
    if scope is session.account:
        return 1
    if scope is session.account.party:
        return session.allowed
    return (
        scope.session_cap
        if isinstance(scope, RegistryState) and scope is session.account.party.registry
        else -1
    )
