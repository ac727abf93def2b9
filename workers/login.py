"""Taking a lease, and logging in under it: only straight after the lease was taken or renewed. It must send no records."""

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from domain.errors import GateLost, WireFault
from domain.policy import RegistryRules
from domain.quota import AccountQuota, BoundBy, Lease, LeaseRefused
from domain.states import AccountState
from domain.wire import LoginRefused, OpenSession
from workers.station import Station

#: refusals that would meet the party's other accounts as well
_FOR_ALL = frozenset({BoundBy.STARTING, BoundBy.WINDOW, BoundBy.HOLD})
#: a lease that was asked for so short a time ago (ms) need not be renewed before the log-in
FRESH_MS = 500


async def take_lease(station: Station, party: str) -> Lease | None:
    """Take a free account of the party; None when there is none that may be used now. Until its session ends it is `in_hand`."""
    for row in await station.ledger.accounts(station.registry, party):
        # those in hand here would be refused: sessions that begin together each ask for an account of its own
        if row.state is not AccountState.ACTIVE or row.account in station.in_hand:
            continue
        station.in_hand.add(row.account)
        lease: Lease | LeaseRefused | None = None
        try:
            lease = await station.quotas.lease(station.registry, party, row.account, station.holder)
        finally:
            if not isinstance(lease, Lease):
                station.in_hand.discard(row.account)
        if isinstance(lease, Lease):
            return lease
        if lease.bound_by in _FOR_ALL:
            return None
    return None


async def log_in(station: Station, lease: Lease, leased_at: int) -> OpenSession | LoginRefused:
    """Open a session under a lease that was asked for at `leased_at` (monotonic ms); tell the gate what the answer means for its books."""
    answer = await _try_log_in(station, lease, leased_at)
    if isinstance(answer, OpenSession):
        try:
            await station.quotas.fenced(lease)
            quota = told_quota(answer, station.rules)
            if quota is not None:
                await station.quotas.limit_account(lease, quota)
        except GateLost:
            # nobody else knows of this session: it must not stay open behind a lease that is given back
            return LoginRefused("unreachable", maybe_open=not await station.wire.log_out(answer))
    return answer


def told_quota(session: OpenSession, rules: RegistryRules) -> AccountQuota | None:
    """Return the lower of what the registrar told and what policy says, or None when it told nothing lower."""
    rate, burst = session.limits.rate, session.limits.burst
    lower = (rate is not None and rate < rules.account_rate) or (
        burst is not None and burst < rules.account_burst
    )
    if not lower:
        return None
    return AccountQuota(
        rules.account_rate if rate is None else min(rate, rules.account_rate),
        rules.account_burst if burst is None else min(burst, rules.account_burst),
    )


async def _try_log_in(station: Station, lease: Lease, leased_at: int) -> OpenSession | LoginRefused:
    """Try a few times where the registrar was certainly not reached; anything else is its answer."""
    secret = await station.ledger.secret(station.registry, lease.account)
    try:
        async for attempt in AsyncRetrying(
            stop=stop_after_attempt(3),
            wait=wait_random_exponential(multiplier=0.2, max=2),
            retry=retry_if_exception(
                lambda error: isinstance(error, WireFault) and not error.maybe_delivered
            ),
            reraise=True,
        ):
            with attempt:
                is_fresh = station.clock.monotonic() - leased_at < FRESH_MS
                if not is_fresh and not await station.quotas.renew(lease):
                    return LoginRefused("lease-lost")
                return await station.wire.log_in(lease.account, secret)
    except WireFault as fault:
        station.signals.errors += 1
        return LoginRefused("unreachable", maybe_open=fault.maybe_delivered)
    return LoginRefused("unreachable")
