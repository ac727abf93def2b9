"""Which accounts may be used now: those that the policy in force grants and that nothing has taken out of use."""

from collections.abc import Iterable

from domain.policy import Policy
from domain.states import AccountState
from ledger.values import AccountRow

_OUT_OF_USE = frozenset({AccountState.RESTED, AccountState.SET_ASIDE, AccountState.SUSPENDED})


def out_of_use(rows: Iterable[AccountRow]) -> frozenset[str]:
    """Return the accounts that are rested, set aside or suspended; whether one is withdrawn, the policy in force says."""
    return frozenset(row.account for row in rows if row.state in _OUT_OF_USE)


def usable_accounts(policy: Policy, registry: str, unusable: frozenset[str]) -> dict[str, list[str]]:
    """Return each party's usable accounts at one registry."""
    return {
        party.id: [account.id for account in party.accounts_of(registry) if account.id not in unusable]
        for party in policy.parties.values()
    }
