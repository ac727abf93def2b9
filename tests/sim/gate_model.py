"""The slow reference model of the gate with what its own tests leave out: generations, the wait after one began, epochs, signals.

The model itself is held to the real scripts, call by call, by `tests/quotas/test_model.py`.
"""

from dataclasses import replace

from domain.quota import AccountQuota, BoundBy, RegistryQuota, Signals
from tests.quotas.model import Model, Refusal
from tests.quotas.model_parts import Account, Bucket, Party

TOKENS_A_GENERATION = 2**32


class GatedModel(Model):
    """The model with what its own tests leave out: generations, the wait after one began, and leaders' epochs."""

    def __init__(self, quota: RegistryQuota, now_us: int, generation: int, wait_ms: int) -> None:
        """Begin a generation; nothing is drawn or refilled for `wait_ms`."""
        super().__init__(quota, now_us)
        self.generation = generation
        self.epoch = 0
        self.braked: float | None = None
        self.signals = Signals()
        self.told: dict[str, Signals] = {}
        self.start = self.at + wait_ms * 1000
        self.bucket.filled = self.start

    def new_bucket(self) -> Bucket:
        """Make a bucket that does not refill before the start."""
        return Bucket(max(self.at, self.start))

    def shut(self, party: Party | None, account: Account) -> Refusal | None:
        """Be shut until the start."""
        if self.at < self.start:
            return BoundBy.STARTING, self.ms(self.start)
        return super().shut(party, account)

    def _has_begun(self) -> bool:
        return self.at >= self.start

    def lease(self, party_name: str, name: str, holder: str) -> int | Refusal:
        """Give tokens of this generation."""
        if self.at < self.start:
            return BoundBy.STARTING, self.ms(self.start)
        token = super().lease(party_name, name, holder)
        live = self.accounts[name].live if isinstance(token, int) else None
        if live is not None:
            live.token = token = self.generation * TOKENS_A_GENERATION + self.counter
        return token

    def begin(self, generation: int, quota: RegistryQuota, wait_ms: int) -> "GatedModel":
        """Begin the next generation where this one stands: clock, epoch, brake, pushback and sessions that may be open go on."""
        fresh = GatedModel(quota, self.seen, generation, 0)
        fresh.at, fresh.start = self.at, self.at + wait_ms * 1000
        fresh.bucket.filled = fresh.start
        fresh.epoch, fresh.blocked, fresh.braked = self.epoch, self.blocked, self.braked
        for account in self.accounts.values():
            self._hand_on(account, fresh)
        fresh.close()
        return fresh

    def _hand_on(self, account: Account, fresh: "GatedModel") -> None:
        """Keep counting a session that may be open, and keep an account out of use."""
        if account.live:
            self._bury(account, 0, account.live.ends, is_open=account.live.renewed)
        if account.linger or account.barred:
            fresh.accounts[account.name] = Account(
                account.name, fresh.new_bucket(), AccountQuota(0, 0), account.party, withdrawn=True,
                barred=account.barred, linger=account.linger,
            )  # fmt: skip
        if account.linger:
            fresh.party(account.party)

    def limit(self, quota: RegistryQuota) -> None:
        """Set the registry's limits under the brake."""
        self.quota = quota
        rate = quota.rate if self.braked is None else min(quota.rate, self.braked)
        self.bucket.limit(rate, quota.burst, self.at)

    def report(self, holder: str, told: Signals) -> None:
        """Add the growth of a holder's totals."""
        before, now = self.told.get(holder, told), self.signals
        seen = replace(
            told,
            answers=max(told.answers, before.answers),
            errors=max(told.errors, before.errors),
            pushbacks=max(told.pushbacks, before.pushbacks),
            latency_ms_sum=max(told.latency_ms_sum, before.latency_ms_sum),
        )
        self.told[holder] = seen
        has_clock = told.clock_offset_ms is not None
        self.signals = Signals(
            now.answers + seen.answers - before.answers,
            now.errors + seen.errors - before.errors,
            now.pushbacks + seen.pushbacks - before.pushbacks,
            now.latency_ms_sum + seen.latency_ms_sum - before.latency_ms_sum,
            told.load_state or now.load_state,
            clock_offset_ms=told.clock_offset_ms if has_clock else now.clock_offset_ms,
            clock_error_ms=told.clock_error_ms if has_clock else now.clock_error_ms,
        )
