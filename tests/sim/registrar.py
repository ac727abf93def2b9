"""A central system in the simulator: sessions (the newest of an account wins), keys, effects, and a log of every arrival.

It refuses nothing because of pace: whether the promises were kept is read from its log afterwards. It must know nothing of the gate.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from domain.wire import Answer, End, LoginRefused, OpenSession, Scope, SessionLimits, Verdict


@dataclass(frozen=True, slots=True)
class Arrival:
    """One record, or question, at the door: `left_at` is when its bytes left the gate's host (s)."""

    at: float
    left_at: float
    account: str
    party: str
    key: str
    natural: str
    what: str


@dataclass(slots=True)
class Session:
    """One session as the registrar has it; `closed_at` None while it is open.

    `left_at`: when the last of it left the gate's host, beginning with the log-in. `by_someone_else`: who logged in had the code from
    elsewhere, whatever ends it. `host`: the machine that logged in.
    """

    name: str
    account: str
    party: str
    opened_at: float
    last_at: float
    left_at: float
    closed_at: float | None = None
    why: str = ""
    by_someone_else: bool = False
    host: str = ""


@dataclass
class Trouble:
    """What is wrong with it, until when (virtual s)."""

    overloaded: float = 0.0
    slow: float = 0.0
    failing_after: float = 0.0
    busy: float = 0.0
    garbled: float = 0.0
    load: str = "normal"


@dataclass(frozen=True, slots=True)
class Record:
    """What the body of a simulated record says: person, its place among that person's records, and whether it is right."""

    natural: str
    person: str
    order: int
    is_good: bool

    def body(self) -> bytes:
        """Return it as it travels."""
        return f"{self.natural}|{self.person}|{self.order}|{int(self.is_good)}".encode()

    @classmethod
    def of(cls, body: bytes) -> "Record":
        """Read it."""
        natural, person, order, good = body.decode().split("|")
        return cls(natural, person, int(order), good == "1")


@dataclass
class Registrar:
    """The whole of it.

    `idempotent`: one effect a key; `strict`: without that, a second try is told "already-member", else it counts twice.
    `can_be_asked`: it tells what became of a key; where it does not, people must. `most_lines`: of one request.
    """

    now: Callable[[], float]
    wall: Callable[[], float]
    rng: random.Random
    idempotent: bool
    strict: bool
    newest_wins: bool
    can_be_asked: bool
    most_lines: int | None
    expires_s: float
    party_of: dict[str, str]
    is_open: Callable[[str], bool]
    log: list[Arrival] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)
    effects: Counter[str] = field(default_factory=Counter)
    persons: dict[str, list[int]] = field(default_factory=dict)
    decided: dict[str, Answer] = field(default_factory=dict)
    trouble: Trouble = field(default_factory=Trouble)
    seen: Counter[str] = field(default_factory=Counter)
    #: when it said slow down to all, and until when that holds, as far as somebody heard it (s)
    told_off: list[tuple[float, float]] = field(default_factory=list)
    on_end: Callable[[Session], None] = lambda session: None

    def log_in(self, account: str, left_at: float, host: str = "") -> OpenSession | LoginRefused:
        """Open a session, asked for by a host at `left_at`; the account's older one ends."""
        party = self.party_of[account]
        if self.now() < self.trouble.overloaded:
            self.seen["login overloaded"] += 1
            return LoginRefused("overloaded", retry_after_ms=self.rng.choice([500, 2_000, 6_000]))
        if not self.is_open(party):
            return LoginRefused("window-closed", scope=Scope.PARTY)
        older = [one for one in self.sessions.values() if one.account == account and self.is_live(one)]
        if older and not self.newest_wins:
            return LoginRefused("too-many-sessions", retry_after_ms=1_000)
        for one in older:
            self.end(one, "superseded")
        name = f"s{len(self.sessions)}"
        self.sessions[name] = Session(name, account, party, self.now(), self.now(), left_at, host=host)
        return OpenSession(name, account, party, self.expires_s, SessionLimits(max_in_flight=64))

    def is_live(self, session: Session) -> bool:
        """Say whether a session is open; one that was idle for too long ended when it became so."""
        if session.closed_at is None and self.now() - session.last_at >= self.expires_s:
            session.closed_at, session.why = session.last_at + self.expires_s, "expired"
        return session.closed_at is None

    def end(self, session: Session, why: str) -> None:
        """Close a session."""
        if self.is_live(session):
            session.closed_at, session.why = self.now(), why
            self.on_end(session)

    def take(self, name: str, key: str, body: bytes, left_at: float) -> Answer | End | None:
        """Take one line of a session: its answer, an end, or None where the answer is never given although the effect happened."""
        session, now = self.sessions[name], self.now()
        if not self.is_live(session):
            return End("session-ended", Scope.ACCOUNT)
        session.last_at, session.left_at = now, max(session.left_at, left_at)
        record = Record.of(body)
        note = (now, left_at, session.account, session.party, key, record.natural)
        if now < self.trouble.overloaded:
            self.log.append(Arrival(*note, "refused"))
            return End("overloaded", Scope.REGISTRY, retry_after_ms=self.rng.choice([300, 1_500, 6_000]))
        if not self.is_open(session.party):
            self.log.append(Arrival(*note, "refused"))
            return End("window-closed", Scope.PARTY, retry_after_ms=1_000)
        if now < self.trouble.busy and self.rng.random() < 0.3:
            self.log.append(Arrival(*note, "retry"))
            return Answer(key, Verdict.RETRY, code="busy", retry_after_ms=self.rng.choice([100, 900]))
        answer = self._decide(key, record)
        self.log.append(Arrival(*note, answer.code or answer.verdict.value))
        if now < self.trouble.failing_after and self.rng.random() < 0.2:
            self.seen["500 after the effect"] += 1
            return None
        return answer

    def ask(self, name: str, key: str, left_at: float) -> Answer | End:
        """Tell what became of a key."""
        session = self.sessions[name]
        if not self.is_live(session):
            return End("session-ended", Scope.ACCOUNT)
        session.last_at, session.left_at = self.now(), max(session.left_at, left_at)
        self.log.append(Arrival(self.now(), left_at, session.account, session.party, key, "", "asked"))
        if self.now() < self.trouble.overloaded:
            return End("overloaded", Scope.REGISTRY, retry_after_ms=700)
        if not self.is_open(session.party):
            return End("window-closed", Scope.PARTY)
        if not self.can_be_asked:
            return End("not-offered")
        return self.decided.get(key, Answer(key, Verdict.ABSENT))

    def heard(self, end: End) -> None:
        """Note that the gate has read its word to all."""
        if end.code == "overloaded" and end.scope is Scope.REGISTRY and end.retry_after_ms:
            self.told_off.append((self.now(), self.now() + end.retry_after_ms / 1000))

    def think_s(self) -> float:
        """Return how long it thinks before it answers."""
        return self.rng.uniform(0.001, 0.01) * (60 if self.now() < self.trouble.slow else 1)

    def _decide(self, key: str, record: Record) -> Answer:
        before = self.decided.get(key)
        if before is not None and self.idempotent:
            self.seen["duplicate"] += 1
            return before
        if not record.is_good:
            answer = Answer(key, Verdict.REJECTED, code="bad-address", message_en="no such tambon")
        elif self.effects[record.natural] and self.strict:
            return Answer(key, Verdict.REJECTED, code="already-member")
        else:
            self.effects[record.natural] += 1
            self.persons.setdefault(record.person, []).append(record.order)
            answer = Answer(key, Verdict.ACCEPTED, receipt=f"R-{record.natural}")
        self.decided.setdefault(key, answer)
        return answer
