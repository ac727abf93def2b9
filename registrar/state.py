"""Registries, parties and accounts as they are now: built from the configuration, changed by control.

It must hold no sessions and no records.
"""

from dataclasses import dataclass, field

from registrar.config import Account, Config, Party, Registry
from registrar.limits import Limit
from registrar.windows import WindowSet


@dataclass(slots=True)
class AccountState:
    """One user code now; `index` numbers it in the arrival log."""

    id: str
    index: int
    party: "PartyState"
    secret: str
    limit: Limit
    suspended: bool = False
    removed: bool = False
    logins: int = 0


@dataclass(slots=True)
class PartyState:
    """One party now; its accounts by id."""

    id: str
    registry: "RegistryState"
    limit: Limit
    windows: WindowSet | None
    accounts: dict[str, AccountState] = field(default_factory=dict)

    @property
    def hours(self) -> WindowSet:
        """The party's own hours, else the registry's."""
        return self.windows or self.registry.windows

    @property
    def allowed_sessions(self) -> int:
        """How many sessions it may have open: one for each account that is neither removed nor suspended."""
        return sum(not (account.removed or account.suspended) for account in self.accounts.values())


@dataclass(slots=True)
class RegistryState:
    """One registry now; its parties by id."""

    name: str
    rules: Registry
    limit: Limit
    windows: WindowSet
    session_cap: int | None
    parties: dict[str, PartyState] = field(default_factory=dict)


class Rolls:
    """Everyone the registrar knows."""

    def __init__(self, config: Config) -> None:
        self.registries: dict[str, RegistryState] = {}
        self.accounts: dict[str, AccountState] = {}
        self.by_index: list[AccountState] = []
        for name, rules in config.registries.items():
            limit = Limit(rules.rate, rules.burst, rules.burst_s)
            windows = WindowSet(rules.windows, rules.utc_offset_min)
            registry = RegistryState(name, rules, limit, windows, rules.sessions)
            self.registries[name] = registry
            for party_id, party in rules.parties.items():
                self.add_party(registry, party_id, party)

    def add_party(self, registry: RegistryState, party_id: str, party: Party, at_ns: int = 0) -> PartyState:
        """A party and its accounts from now on."""
        rules = registry.rules
        windows = None if party.windows is None else WindowSet(party.windows, rules.utc_offset_min)
        state = PartyState(party_id, registry, Limit(party.rate, party.burst, rules.burst_s, at_ns), windows)
        registry.parties[party_id] = state
        for account in party.accounts:
            self.add_account(state, account, at_ns)
        return state

    def add_account(self, party: PartyState, account: Account, at_ns: int = 0) -> AccountState:
        """An account from now on; raises `ValueError` for an id in use."""
        if account.id in self.accounts:
            raise ValueError(f"account {account.id} exists")
        rules = party.registry.rules
        own = account.rate is not None
        rate = account.rate if own else rules.account_rate
        burst = account.burst if own or account.burst is not None else rules.account_burst
        limit = Limit(rate, burst, rules.burst_s, at_ns)
        state = AccountState(account.id, len(self.by_index), party, account.secret, limit, account.suspended)
        party.accounts[account.id] = self.accounts[account.id] = state
        self.by_index.append(state)
        return state

    def enrol(self, account_id: str, secret: str, at_ns: int) -> AccountState | None:
        """Take an unknown account into the first registry that enrols; `None` where none does."""
        registry = next((one for one in self.registries.values() if one.rules.enrol), None)
        if registry is None:
            return None
        party_id = account_id.rpartition("-")[0] or account_id
        party = registry.parties.get(party_id) or self.add_party(registry, party_id, Party(), at_ns)
        return self.add_account(party, Account(id=account_id, secret=secret), at_ns)
