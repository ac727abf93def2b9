"""What outlives a lease in the slow model of the gate: records of dead sessions, sessions not known to be closed, what holders owe.

Only the model uses it.
"""

from domain.quota import AccountQuota, Debt, RegistryQuota
from tests.quotas.model_parts import UNIT, Account, Bucket, Party


class Remains:
    """One registry's books, and what dead sessions leave in them."""

    generation = 1

    def __init__(self, quota: RegistryQuota, now_us: int) -> None:
        """Know no account and no party."""
        self.quota = quota
        self.at = now_us
        self.bucket = Bucket(now_us)
        self.bucket.limit(quota.rate, quota.burst, now_us)
        self.accounts: dict[str, Account] = {}
        self.parties: dict[str, Party] = {}
        self.busy: set[str] = set()

    def new_bucket(self) -> Bucket:
        """An empty bucket that fills from now on."""
        return Bucket(self.at)

    def party(self, name: str) -> Party:
        """The party's record, made when it is first named."""
        return self.parties.setdefault(name, Party(name, self.new_bucket()))

    def _debit(self, account: Account, freed: int, answered: int, since: int) -> None:
        for bucket in (account.bucket, self.parties[account.party].bucket, self.bucket):
            bucket.out -= freed
            if answered:
                bucket.to(since)
                bucket.level -= answered * UNIT

    def _bury(self, account: Account, left: int, from_at: int, *, is_open: bool) -> None:
        over = from_at + (self.quota.answer_timeout_ms + self.quota.settle_ms) * 1000
        if left:
            account.dead, account.dead_at = account.dead + left, max(account.dead_at, over)
        if is_open:
            account.linger = max(account.linger, over)
            if not self.quota.newest_wins:
                account.barred = max(account.barred, over)
        self.parties[account.party].served.pop(account.name, None)
        account.live = None

    def owe(self, debt: Debt) -> bool:
        """What an older generation's lease left: reserved until it is answered, fenced, or too old. Says whether any of it is."""
        lease, left = debt.lease, max(0, debt.sent - debt.settled)
        account = self.accounts.get(lease.account)
        if lease.token >> 32 == self.generation:
            return bool(account and (account.dead or (account.live and account.live.token == lease.token)))
        if lease.token not in (account.owed if account else ()):
            return left > 0 and self._reserve(debt, left)
        assert account
        answered = max(0, account.owed[lease.token] - left)
        account.owed[lease.token] -= answered
        self._lay_out(account, answered)
        return account.owed[lease.token] > 0

    def _reserve(self, debt: Debt, left: int) -> bool:
        name = debt.lease.account
        nobody = Account(name, self.new_bucket(), AccountQuota(0, 0), withdrawn=True)
        account = self.accounts.setdefault(name, nobody)
        account.party = account.party or debt.lease.party
        party = self.party(account.party)
        is_fenced = account.has_sent and self.quota.newest_wins
        account.owed[debt.lease.token] = 0 if is_fenced else left
        if is_fenced:
            self._debit(account, 0, left, self.at)
            return False
        for bucket in (account.bucket, party.bucket, self.bucket):
            bucket.out += left
        account.dead, account.dead_at = (
            account.dead + left,
            max(account.dead_at, self.at + debt.for_ms * 1000),
        )
        party.changed_at = self.at
        self.busy.add(party.name)
        return True

    def _has_begun(self) -> bool:
        return True

    def _lay_out(self, account: Account, count: int) -> None:
        if count:
            self._debit(account, count, count if self._has_begun() else 0, self.at)
        account.dead -= count
        if not account.dead:
            account.dead_at = 0

    def _spend(self, account: Account) -> None:
        if account.dead:
            self._lay_out(account, account.dead)
            account.owed = dict.fromkeys(account.owed, 0)

    def _age(self, account: Account) -> None:
        live = account.live
        if live and live.ends <= self.at:
            self._bury(account, live.out, live.ends, is_open=live.renewed)
        if account.dead and account.dead_at <= self.at:
            self._spend(account)
        account.linger = 0 if account.linger <= self.at else account.linger
        account.barred = 0 if account.barred <= self.at else account.barred
