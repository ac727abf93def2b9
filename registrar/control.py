"""Turning the registrar's knobs while it runs: for tests, on loopback.

It must only change what a real registrar's operators, or a bad day, could change.
"""

from typing import Any

import msgspec

from registrar.central import Central
from registrar.config import Account, ConfigError, Fault, Party, Window, from_plain
from registrar.misfortunes import end_sessions, hijack, restart
from registrar.state import AccountState, RegistryState
from registrar.windows import WindowSet


class LimitChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another limit for the narrowest scope named; `rate` null: no limit."""

    registry: str | None = None
    party: str | None = None
    account: str | None = None
    rate: float | None = None
    burst: float | None = None
    sessions: int | msgspec.UnsetType | None = msgspec.UNSET  # cap of the registry


class WindowChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Other hours for a registry or a party; null: always open (a party: the registry's), []: never."""

    windows: list[dict[str, Any]] | None
    registry: str | None = None
    party: str | None = None


class AccountChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Suspend, restore, re-key, remove or add an account."""

    id: str
    party: str | None = None  # needed to add one
    registry: str | None = None
    secret: str | None = None
    suspended: bool | None = None
    removed: bool | None = None


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /control`; what is absent stays as it is."""

    reset: bool = False
    mode: str | None = None
    clock_offset_s: float | None = None
    load_state: str | msgspec.UnsetType | None = msgspec.UNSET
    limits: list[LimitChange] = []
    windows: list[WindowChange] = []
    accounts: list[AccountChange] = []
    clear_faults: bool = False
    faults: list[dict[str, Any]] = []
    restart: bool = False  # all sessions are lost and their connections reset
    hijack: str | None = None  # somebody else logs in with this account


decode_control = msgspec.json.Decoder(Control).decode


def apply(central: Central, wish: Control) -> None:
    """Do what is asked, in the order of the fields; raises `ConfigError` for what does not exist."""
    now_ns = central.clock.mono_ns()
    _change_switches(central, wish)
    for limit in wish.limits:
        _change_limit(central, limit, now_ns)
    for hours in wish.windows:
        _change_windows(central, hours)
    for account in wish.accounts:
        _change_account(central, account, now_ns)
    if wish.clear_faults:
        central.faults.clear()
    central.faults.arm([from_plain(fault, Fault, "fault") for fault in wish.faults], now_ns)
    if wish.restart:
        restart(central, now_ns)
    if wish.hijack is not None:
        hijack(central, _account(central, wish.hijack), now_ns)
    if wish.reset:
        central.reset()
    central.sweep()


def _change_switches(central: Central, wish: Control) -> None:
    if wish.mode is not None:
        if wish.mode not in ("enforce", "watch"):
            raise ConfigError(f"mode: {wish.mode!r} is neither enforce nor watch")
        central.enforce = wish.mode == "enforce"
    if wish.clock_offset_s is not None:
        central.clock.offset_s = wish.clock_offset_s
    if wish.load_state is not msgspec.UNSET:
        central.load_state = wish.load_state


def _registry(central: Central, name: str | None) -> RegistryState:
    registries = central.rolls.registries
    if name is None and len(registries) == 1:
        return next(iter(registries.values()))
    if name not in registries:
        raise ConfigError(f"no registry {name!r}; known: {', '.join(registries)}")
    return registries[name]


def _account(central: Central, account_id: str) -> AccountState:
    account = central.rolls.accounts.get(account_id)
    if account is None:
        raise ConfigError(f"no account {account_id!r}")
    return account


def _change_limit(central: Central, change: LimitChange, now_ns: int) -> None:
    registry = _registry(central, change.registry)
    limit, burst_s = registry.limit, registry.rules.burst_s
    if change.sessions is not msgspec.UNSET:
        registry.session_cap = change.sessions
        return
    if change.account is not None:
        limit = _account(central, change.account).limit
    elif change.party is not None:
        limit = _party(registry, change.party).limit
    limit.change(change.rate, change.burst, burst_s, now_ns)


def _party(registry: RegistryState, party_id: str) -> Any:
    if party_id not in registry.parties:
        raise ConfigError(f"no party {party_id!r} in {registry.name}")
    return registry.parties[party_id]


def _change_windows(central: Central, change: WindowChange) -> None:
    registry = _registry(central, change.registry)
    windows = None
    if change.windows is not None:
        windows = [from_plain(one, Window, "window") for one in change.windows]
    hours = WindowSet(windows, registry.rules.utc_offset_min)
    if change.party is None:
        registry.windows = hours
    else:
        _party(registry, change.party).windows = None if windows is None else hours


def _change_account(central: Central, change: AccountChange, now_ns: int) -> None:
    account = central.rolls.accounts.get(change.id)
    if account is None:
        if change.party is None:
            raise ConfigError(f"no account {change.id!r}; to add one, name its party")
        registry = _registry(central, change.registry)
        party = registry.parties.get(change.party)
        party = party or central.rolls.add_party(registry, change.party, Party(), now_ns)
        account = central.rolls.add_account(party, Account(id=change.id), now_ns)
    if change.secret is not None:
        account.secret = change.secret
    if change.suspended is not None:
        account.suspended = change.suspended
    if change.removed is not None:
        account.removed = change.removed
    if account.suspended or account.removed:
        end_sessions(central, account, now_ns)
