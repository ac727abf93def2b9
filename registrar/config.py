"""What a reference registrar is told: its registries, parties, accounts, limits, hours, rules and faults.

Values only. Everything has a default, everything can come from a TOML file, unknown names are errors.
"""

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

T = TypeVar("T")

ALL_DAYS = (0, 1, 2, 3, 4, 5, 6)


class ConfigError(ValueError):
    """The registrar's configuration can't be used; the text says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Open hours: either instants (`from_at`, `to_at`: ms since the epoch or RFC 3339) or a daily span."""

    from_at: int | str | None = None
    to_at: int | str | None = None
    daily_from: str | None = None  # HH:MM[:SS[.mmm]] at the registry's offset
    daily_to: str | None = None  # at or before daily_from: ends on the next day
    days: tuple[int, ...] = ALL_DAYS  # Monday is 0; of the day on which the span begins


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One user code; limits in records/s and records, `None`: the registry's `account_rate`."""

    id: str
    secret: str = "secret"  # noqa: S105 - a sample for tests, nobody's password
    rate: float | None = None
    burst: float | None = None
    suspended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A party's accounts, its own ceiling (`None`: none) and its own hours (`None`: the registry's)."""

    accounts: tuple[Account, ...] = ()
    rate: float | None = None
    burst: float | None = None
    windows: tuple[Window, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A record whose `field` equals, or ends with, a value is rejected with `code`.

    Messages may quote the record's fields in braces, as real registrars' messages do.
    """

    field: str
    code: str
    equals: str | int | float | bool | None = None
    ends_with: str | None = None
    message_th: str = "นายทะเบียนไม่รับรายการนี้"
    message_en: str = "The registrar does not take this record."


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Who belongs to which party: a second ADD is `already-member`, one elsewhere `other-party`."""

    person: str = "national_id"
    operation: str = "operation"
    joins: tuple[str, ...] = ("ADD",)
    leaves: tuple[str, ...] = ("RESIGN", "TERMINATE")
    members_only: tuple[str, ...] = ()  # operations that are `not-a-member` for anybody else


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A scripted fault: `kind` as in `faults.KINDS`; strikes while count, probability and time allow."""

    kind: str
    on: Literal["records", "sessions", "ask"] = "records"
    count: int | None = None  # strikes left; None: no end
    probability: float = 1.0
    duration_s: float | None = None  # from when it was armed; None: no end
    after: int = 0  # records of a request, or requests, that pass before it strikes
    registry: str | None = None
    party: str | None = None
    account: str | None = None
    retry_after_s: float | None = 1.0
    http_date: bool = False  # Retry-After as an HTTP date
    factor: float = 10.0  # of latency
    delay_s: float = 1.0  # of a stall, a slow login, a late effect
    code: str = "overloaded"  # of an `end` line
    scope: str | None = None  # of an `end` line
    status: Literal[500, 502, 503, 504] = 500  # of an error; all but 500 as a proxy in front says them


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """One registry's rules; rates in records/s, bursts in records (`None`: rate × `burst_s`)."""

    rate: float | None = None
    burst: float | None = None
    burst_s: float = 1.0
    account_rate: float | None = None
    account_burst: float | None = None
    sessions: int | None = None
    windows: tuple[Window, ...] | None = None  # None: always open; empty: never
    utc_offset_min: int = 420
    parties: Mapping[str, Party] = field(default_factory=dict)
    enrol: bool = False  # unknown accounts are taken as they come, party = the part before the last "-"
    max_in_flight: int = 64
    expires_in_s: float = 900.0
    show_limits: bool = True
    service_ms: float = 0.0
    knee_rate: float | None = None  # records/s above which answers take longer
    knee_slope: float = 4.0  # service time × (1 + slope × (pace / knee - 1))
    idempotent: bool = True
    asking: bool = True
    newest_wins: bool = True
    refuse_second: bool = False  # with newest_wins off: a second log-in is refused instead of let in
    required: tuple[str, ...] = ()
    natural_key: tuple[str, ...] = ("operation", "national_id")
    digest_key: str = ""
    membership: Membership | None = None
    rules: tuple[Rule, ...] = ()
    max_body_bytes: int = 8_000_000
    max_line_bytes: int = 64_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything a reference registrar is told."""

    registries: Mapping[str, Registry]
    mode: Literal["enforce", "watch"] = "enforce"
    clock_offset_s: float = 0.0
    load_endpoint: bool = True
    control: bool = True
    log_file: str | None = None
    faults: tuple[Fault, ...] = ()
    seed: int = 1


def default_config() -> Config:
    """A registry `party-members` that enrols whoever comes, with the policy's sample limits."""
    registry = Registry(
        rate=800,
        account_rate=20,
        sessions=60,
        service_ms=5,
        enrol=True,
        required=("operation", "national_id"),
        membership=Membership(),
    )
    return Config(registries={"party-members": registry})


def load_config(path: Path) -> Config:
    """Read a TOML file; raises `ConfigError` with the place of what is wrong."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    return config_from(raw, str(path))


def config_from(raw: Mapping[str, Any], where: str = "config") -> Config:
    """Build a configuration from plain values; raises `ConfigError`."""
    return from_plain(raw, Config, where)


def from_plain(raw: Any, kind: type[T], where: str) -> T:
    """Build one of this module's values from plain ones; unknown names and wrong types raise `ConfigError`."""
    _refuse_unknown(raw, kind, where)
    try:
        return msgspec.convert(raw, kind)
    except (msgspec.ValidationError, ValueError) as error:
        raise ConfigError(f"{where}: {error}") from error


def _refuse_unknown(raw: Any, kind: Any, where: str) -> None:
    """Walk plain values beside the dataclasses and refuse names that these don't have."""
    if dataclasses.is_dataclass(kind) and isinstance(raw, Mapping):
        hints = get_type_hints(kind)
        for name, value in raw.items():
            if name not in hints:
                raise ConfigError(f"{where}: unknown name {name!r}; known: {', '.join(hints)}")
            _refuse_unknown(value, hints[name], f"{where}.{name}")
    elif isinstance(raw, Mapping) and get_origin(kind) is Mapping:
        for name, value in raw.items():
            _refuse_unknown(value, get_args(kind)[1], f"{where}.{name}")
    elif isinstance(raw, (list, tuple)):
        for index, value in enumerate(raw):
            _refuse_unknown(value, next(iter(get_args(kind)), None), f"{where}[{index}]")
    elif kind is not None and isinstance(raw, Mapping):
        for option in get_args(kind):
            _refuse_unknown(raw, option, where)
