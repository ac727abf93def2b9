"""The gate as one would tell it, slowly and without Redis: the judge of the scripts.

Plain objects, every call looks at everything, shares are dealt one record at a time. It says what each call must answer; it
must not look like the Lua, so that both do not err alike. Time and units: µs of gate time, 10**10 units a record.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from domain.quota import (
    AccountQuota,
    BoundBy,
    PartyUse,
    Permit,
    RegistryQuota,
    SessionUse,
    Share,
    TickLine,
)
from tests.quotas.model_parts import UNIT, Account, Live, Party, dealt
from tests.quotas.model_remains import Remains

Refusal = tuple[BoundBy, int]


class Model(Remains):
    """One registry's gate."""

    def __init__(self, quota: RegistryQuota, now_us: int) -> None:
        """Begin the first generation."""
        super().__init__(quota, now_us)
        self.seen = now_us
        self.held = False
        self.blocked = 0
        self.sent = 0
        self.counter = 0
        self.tick_nos: dict[str, int] = {}
        self._live: dict[str, int] = {}

    def call(self, now_us: int) -> None:
        """What every call does first: time goes on by 300 ms at most, and what is over is over."""
        self.at += min(max(now_us - self.seen, 0), 300_000)
        self.seen = now_us
        for account in self.accounts.values():
            self._age(account)
        self.close()

    def close(self) -> None:
        """What every call does last: notice which parties' sessions changed in number."""
        counts = Counter(account.party for account in self.accounts.values() if account.counts())
        for name, party in self.parties.items():
            count = counts[name]
            if count != self._live.get(name, 0):
                self._live[name] = count
                party.changed_at = self.at
                if count:
                    self.busy.add(name)

    def sessions(self, party: str | None = None) -> int:
        """How many sessions may be open."""
        return sum(a.counts() for a in self.accounts.values() if party in {None, a.party})

    def configure(self, quotas: Mapping[str, AccountQuota]) -> None:
        """Set accounts; the others are withdrawn."""
        for name, quota in quotas.items():
            account = self.accounts.setdefault(name, Account(name, self.new_bucket(), quota))
            account.quota = quota
            account.limit(self.at)
        for account in self.accounts.values():
            account.withdrawn = account.name not in quotas

    def set_shares(self, shares: Mapping[str, Share], rate: float) -> None:
        """Write shares."""
        self.bucket.limit(min(rate, self.quota.rate), self.quota.burst, self.at)
        for name, share in shares.items():
            party = self.party(name)
            party.bucket.limit(share.rate, share.burst, self.at)
            length = min(share.open_until_ms, 5000) * 1000
            party.open_at, party.wall_at, party.sessions = (
                self.at + length,
                self.seen + length,
                share.sessions,
            )

    def ms(self, at: int) -> int:
        """Milliseconds until `at`."""
        return max(0, -(-(at - self.at) // 1000))

    def open_us(self, party: Party) -> int:
        """How long the party may still draw."""
        return min(party.open_at - self.at, party.wall_at - self.seen)

    def shut(self, party: Party | None, account: Account) -> Refusal | None:
        """What shuts the gate."""
        if self.held or (party and party.held):
            return BoundBy.HOLD, 1000
        if party is None or self.open_us(party) <= 0:
            return BoundBy.WINDOW, 250
        if self.bucket.rate == 0:
            return BoundBy.REGISTRY, 1000
        if party.bucket.rate == 0:
            return BoundBy.PARTY, 250
        if account.bucket.rate == 0:
            return BoundBy.ACCOUNT, 1000
        blocked = max(self.blocked, party.blocked, account.blocked)
        return (BoundBy.PUSHBACK, self.ms(blocked)) if blocked > self.at else None

    def lease(self, party_name: str, name: str, holder: str) -> int | Refusal:
        """A token, or what binds."""
        account, party = self.accounts.get(name), self.parties.get(party_name)
        if account is None or account.withdrawn:
            return BoundBy.ACCOUNT, 1000
        if account.live:
            return BoundBy.ACCOUNT, self.ms(account.live.ends)
        if account.barred > self.at:
            return BoundBy.QUARANTINE, self.ms(account.barred)
        closed = self.shut(party, account)
        if closed or party is None:
            return closed or (BoundBy.WINDOW, 250)
        own = int(account.linger > 0)
        full = self.sessions() - own >= self.quota.sessions
        if full or 0 < party.sessions <= self.sessions(party_name) - own:
            return BoundBy.SESSIONS, 250
        self.counter += 1
        account.live = Live(2**32 + self.counter, holder, self.at + self.quota.lease_ms * 1000)
        account.party, account.told, account.has_sent = party_name, None, False
        account.limit(self.at)
        return account.live.token

    def held_by(self, name: str, token: int) -> tuple[Account, Live] | None:
        """The account and its lease, if the token is the live one's."""
        account = self.accounts.get(name)
        if account and account.live and account.live.token == token:
            return account, account.live
        return None

    def renew(self, name: str, token: int) -> bool:
        """Renew for a log-in."""
        found = self.held_by(name, token)
        if not found or found[1].ending or found[0].withdrawn:
            return False
        found[1].ends, found[1].renewed = self.at + self.quota.lease_ms * 1000, True
        return True

    def fenced(self, name: str, token: int) -> None:
        """A log-in was answered."""
        found = self.held_by(name, token)
        if found and self.quota.newest_wins:
            self._spend(found[0])
            found[0].linger = 0

    def release(self, line: TickLine, *, logged_out: bool) -> None:
        """Give back."""
        found = self.held_by(line.lease.account, line.lease.token)
        if found:
            account, live = found
            left = max(0, line.sent - line.settled)
            self._bring(account, live, line, left, self.at)
            self._bury(account, left, self.at, is_open=live.renewed and not logged_out)
            self._age(account)

    def tick(self, holder: str, number: int, lines: list[TickLine]) -> list[Permit]:
        """Settle all, then draw in turn."""
        is_late = number <= self.tick_nos.get(holder, -1)
        answers: dict[int, Permit] = {}
        for i, line in enumerate(lines):
            found = self.held_by(line.lease.account, line.lease.token)
            if not found:
                answers[i] = Permit(False, 0, 0, 0, BoundBy.LEASE_LOST, 0)
            elif is_late:
                answers[i] = Permit(True, 0, 0, self.ms(found[1].ends), BoundBy.NOTHING, 20)
            else:
                account, live = found
                left = max(0, line.granted - line.lapsed - line.settled)
                since = max(account.bucket.filled, self.at - line.answered_ms_ago * 1000)
                self._bring(account, live, line, left, since)
                whole = self.quota.lease_ms * 1000
                if not live.renewed or live.ends - self.at < whole * 5 / 6:
                    live.ends, live.renewed = self.at + whole, True
        waiting = [i for i in range(len(lines)) if i not in answers]
        for step in range(len(waiting)):
            i = waiting[(number + step) % len(waiting)]
            answers[i] = self._answer(lines[i])
        if not is_late:
            self.tick_nos[holder] = number
        return [answers[i] for i in range(len(lines))]

    def uses(self) -> tuple[list[SessionUse], dict[str, PartyUse]]:
        """Sessions (sorted) and parties as usage shows them; forgets parties that were quiet for ten seconds."""
        sessions = []
        for a in self.accounts.values():
            if a.live:
                x = a.live
                sessions.append(
                    SessionUse(a.party, a.name, x.holder, x.token, self.ms(x.ends), x.out, x.sent, x.settled)
                )
            elif a.linger or a.barred or a.dead:
                left = self.ms(max(a.linger, a.barred, a.dead_at))
                sessions.append(SessionUse(a.party, a.name, "", 0, left, a.dead, 0, 0, quarantined=True))
        for name in list(self.busy):
            p = self.parties[name]
            if not self.sessions(name) and not p.bucket.out and p.changed_at < self.at - 10_000_000:
                self.busy.discard(name)
        uses = {
            name: PartyUse(
                p.bucket.level_at(self.at) / UNIT,
                p.bucket.out,
                p.sent,
                p.bound,
                round(p.bucket.rate / 9999, 3),
            )
            for name, p in self.parties.items()
            if name in self.busy
        }
        return sorted(sessions, key=lambda s: s.account), uses

    def _answer(self, line: TickLine) -> Permit:
        account = self.accounts[line.lease.account]
        live, party = account.live, self.parties[account.party]
        assert live
        ending = live.ending or account.withdrawn
        closed, granted, valid = self.shut(party, account), 0, 0
        word, wait = closed or (BoundBy.NOTHING, 0)
        if not closed and not ending:
            valid = min(400, min(self.open_us(party), live.ends - self.at) // 1000)
            if line.want and valid:
                granted, word, wait = self._draw(account, party, line.want)
                live.out += granted
        if line.want:
            party.bound = word
        return Permit(True, granted, valid, self.ms(live.ends), word, wait, ending)

    def _draw(self, account: Account, party: Party, want: int) -> tuple[int, BoundBy, int]:
        buckets = account.bucket, party.bucket, self.bucket
        mine, part, everyones = (b.room(self.at) for b in buckets)
        served, claims = party.claims(account.name, self.at) if self._is_contended(party) else (None, [])
        if served is not None and claims and min(mine, part, everyones):
            part = dealt(part, served, claims)
        granted = min(want, mine, part, everyones)
        for bucket in buckets if granted else ():
            bucket.out += granted
        if granted:
            account.bucket.to(self.at)
        is_short = granted < want and part < mine and part <= everyones
        if served is not None or (is_short and self._live.get(party.name, 0) > 1):
            party.note(account.name, served, granted, self.at, is_short=is_short)
        if granted == want:
            return granted, BoundBy.NOTHING, 0
        if is_short:
            return granted, BoundBy.PARTY, party.bucket.wait_ms(self.at)
        if mine <= everyones:
            return granted, BoundBy.ACCOUNT, account.bucket.wait_ms(self.at)
        return granted, BoundBy.REGISTRY, self.bucket.wait_ms(self.at)

    def _is_contended(self, party: Party) -> bool:
        return self._live.get(party.name, 0) > 1 and party.short_at > self.at - 200_000

    def _bring(self, account: Account, live: Live, line: TickLine, left: int, since: int) -> None:
        sent, answered = max(0, line.sent - live.sent), max(0, line.settled - live.settled)
        self._debit(account, live.out - left, answered, since)
        live.out, live.sent, live.settled = left, live.sent + sent, live.settled + answered
        account.has_sent = live.sent > 0
        self.parties[account.party].sent += sent
        self.sent += sent

    def tell_to_end(self, names: Iterable[str]) -> None:
        """Tell live leases to end."""
        for name in names:
            account = self.accounts.get(name)
            if account and account.live:
                account.live.ending = True
