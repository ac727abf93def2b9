"""The registrar's rules as values: what a policy file says once it has been read (policy.md).

No reading of files, no clocks: `pratunam/policy/` makes these from TOML, everything else only reads them.
Rates are records a second; 0 closes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.states import AccountKind, Shape
from domain.windows import ClosedRule, WindowRule


@dataclass(frozen=True, slots=True)
class BrakeRules:
    """How far the brake may go: `floor` is a share of the registry's rate; `latency` says whether latency counts."""

    floor: float = 0.1
    latency: bool = True


@dataclass(frozen=True, slots=True)
class RegistryRules:
    """What one registry bears, and how it is reached."""

    name: str
    profile: str
    endpoint: str
    ca_file: str = ""
    shape: Shape = Shape.STREAM
    batch: int = 200
    idempotent: bool = True
    settle_s: float = 120
    newest_wins: bool = True
    rate: float = 800
    burst: int = 800
    sessions: int = 60
    account_rate: float = 20
    account_burst: int = 20
    answer_timeout_s: float = 10
    guard_s: float = 1
    turn_s: float = 10
    timezone: str = "Asia/Bangkok"
    holidays: str = ""
    deadline_at: int | None = None
    max_rows: int = 3_000_000
    test_ids: bool = False
    brake: BrakeRules = BrakeRules()
    windows: tuple[WindowRule, ...] = ()
    closed: tuple[ClosedRule, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountRules:
    """One user code that the registrar granted; its secret is kept sealed in the ledger, never here.

    `secret_ref` says where the secret comes from (env:NAME, file:PATH, plain:***).
    """

    id: str
    registry: str
    kind: AccountKind
    secret_ref: str = ""


@dataclass(frozen=True, slots=True)
class PartyLimits:
    """A party's own part in one registry: weight for each active account, floor, and a ceiling beside its accounts'."""

    weight: float = 1.0
    floor: float = 0.0
    rate: float | None = None
    burst: int | None = None


@dataclass(frozen=True, slots=True)
class PartyRules:
    """One party: its names, its contact, its accounts, and per registry its limits and its own windows (if any)."""

    id: str
    name: str = ""
    name_en: str = ""
    contact: str = ""
    accounts: tuple[AccountRules, ...] = ()
    limits: Mapping[str, PartyLimits] = field(default_factory=dict)
    windows: Mapping[str, tuple[WindowRule, ...]] = field(default_factory=dict)

    def accounts_of(self, registry: str) -> tuple[AccountRules, ...]:
        """Return the party's accounts at one registry, base ones first, in the file's order."""
        mine = [account for account in self.accounts if account.registry == registry]
        return tuple(sorted(mine, key=lambda account: account.kind is AccountKind.ADDED))

    def limits_of(self, registry: str) -> PartyLimits:
        """Return the party's limits at one registry (the defaults where the file says nothing)."""
        return self.limits.get(registry, PartyLimits())


@dataclass(frozen=True, slots=True)
class NoticeRules:
    """Where notices go: always a folder, and SMTP and a signed webhook where set."""

    folder: str = "notices"
    smtp: str = ""
    webhook: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole of the registrar's rules at one version."""

    registries: Mapping[str, RegistryRules]
    parties: Mapping[str, PartyRules]
    notice: NoticeRules = NoticeRules()
    results_days: float = 30

    def windows_of(self, registry: str, party: str) -> tuple[WindowRule, ...]:
        """Return the rules that open the registry for the party.

        Its own ones, and blocks that name it, are one scope and replace the common ones.
        """
        common = self.registries[registry].windows
        own = self.parties[party].windows.get(registry, ()) + tuple(
            rule for rule in common if party in rule.parties
        )
        return own or tuple(rule for rule in common if not rule.parties)


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One applied version: number (from 1), when it was written and when it takes effect, who and why, text and value."""

    version: int
    applied_at: int
    effective_at: int
    author: str
    reason: str
    document: str
    policy: Policy
