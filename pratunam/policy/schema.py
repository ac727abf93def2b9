"""The vocabulary of the policy file, as msgspec structs: names, types, defaults. Nothing is checked beyond types.

Dates and times are text here: bare ones (TOML knows them) are turned into text before.
"""

from typing import Annotated, Literal

import msgspec

from domain.policy import RegistryRules

_D = RegistryRules("", "", "")

Rate = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]
Count = Annotated[int, msgspec.Meta(ge=0, le=100_000_000)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]


class Brake(msgspec.Struct, forbid_unknown_fields=True):
    """`[registry.NAME.brake]`."""

    floor: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.1
    latency: bool = True


class Window(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """`[[registry.NAME.window]]` and `[[party.ID.window]]`."""

    from_: str
    to: str
    days: str = ""
    dates: str = ""
    since: str = ""
    until: str = ""
    parties: list[str] = []
    registry: str = ""


class Closed(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """`[[registry.NAME.closed]]`."""

    dates: str
    from_: str = "00:00"
    to: str = "24:00"
    reason: str = ""


class Registry(msgspec.Struct, forbid_unknown_fields=True):
    """`[registry.NAME]`; units and meaning stand in policy.md and in `domain.policy.RegistryRules`."""

    profile: str
    endpoint: str
    ca_file: str = ""
    shape: Literal["stream", "batch", "single"] = "stream"
    batch: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = _D.batch
    idempotent: bool = _D.idempotent
    settle_s: Seconds = _D.settle_s
    newest_wins: bool = _D.newest_wins
    rate: Rate = _D.rate
    burst: Count = _D.burst
    sessions: Count = _D.sessions
    account_rate: Rate = _D.account_rate
    account_burst: Count = _D.account_burst
    answer_timeout_s: Annotated[float, msgspec.Meta(gt=0, le=600)] = _D.answer_timeout_s
    guard_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] = _D.guard_s
    turn_s: Annotated[float, msgspec.Meta(gt=0, le=86_400)] = _D.turn_s
    timezone: str = _D.timezone
    holidays: str = ""
    deadline: str = ""
    max_rows: Annotated[int, msgspec.Meta(ge=1, le=100_000_000)] = _D.max_rows
    test_ids: bool = False
    brake: Brake = msgspec.field(default_factory=Brake)
    window: list[Window] = []
    closed: list[Closed] = []


class Account(msgspec.Struct, forbid_unknown_fields=True):
    """`[[party.ID.account]]`."""

    id: str
    kind: Literal["base", "added"]
    secret: str
    registry: str = ""


class Limits(msgspec.Struct, forbid_unknown_fields=True):
    """`[[party.ID.limits]]`: a party's limits at one registry, once there is more than one."""

    registry: str
    weight: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 1.0
    floor: Rate = 0.0
    rate: Rate | None = None
    burst: Count | None = None


class Party(msgspec.Struct, forbid_unknown_fields=True):
    """`[party.ID]`."""

    name: str = ""
    name_en: str = ""
    contact: str = ""
    registry: str = ""
    weight: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 1.0
    floor: Rate = 0.0
    rate: Rate | None = None
    burst: Count | None = None
    account: list[Account] = []
    window: list[Window] = []
    limits: list[Limits] = []


class Notice(msgspec.Struct, forbid_unknown_fields=True):
    """`[notice]`."""

    folder: str = "notices"
    smtp: str = ""
    webhook: str = ""


class Retention(msgspec.Struct, forbid_unknown_fields=True):
    """`[retention]`."""

    results_days: Annotated[float, msgspec.Meta(ge=0, le=36_500)] = 30


class File(msgspec.Struct, forbid_unknown_fields=True):
    """The whole file; `registry` and `party` are read table by table, so that each one's faults are told."""

    format: int
    registry: dict[str, object]
    party: dict[str, object] = {}
    notice: object = None
    retention: object = None


TABLES: dict[str, type[msgspec.Struct]] = {
    "registry": Registry,
    "party": Party,
    "notice": Notice,
    "retention": Retention,
    "brake": Brake,
    "window": Window,
    "closed": Closed,
    "account": Account,
    "limits": Limits,
}
