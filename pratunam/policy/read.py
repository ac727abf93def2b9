"""Reads a policy file into `domain.policy.Policy`: all faults at once, each with its line; warnings beside it.

Secrets are not read here: `secret_ref` says where each comes from, and `secrets.py` fetches them when a policy is applied.
"""

import tomllib
from dataclasses import dataclass

from domain.errors import BadPolicy
from domain.policy import AccountRules, NoticeRules, PartyLimits, PartyRules, Policy
from domain.states import AccountKind
from pratunam.policy import schema
from pratunam.policy.faults import Faults, PolicyFault
from pratunam.policy.locate import LineFinder, Path
from pratunam.policy.moments import plain
from pratunam.policy.registries import read_registry, read_windows
from pratunam.policy.rules import check_rules
from pratunam.policy.tables import read_table
from pratunam.policy.toml_words import not_toml


@dataclass(frozen=True, slots=True)
class PolicyReading:
    """A policy as read, with what `policy check` warns of."""

    policy: Policy
    warnings: tuple[PolicyFault, ...]


def read_policy(text: str) -> PolicyReading:
    """Read a policy file's text; raises BadPolicy naming every wrong line."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise not_toml(error, text) from None
    except RecursionError:
        raise BadPolicy(
            "The policy file is nested too deep.",
            message_th="ไฟล์นโยบายมีวงเล็บซ้อนกันลึกเกินไป",
            remedy_en="docs/policy-file.md shows what may stand in it.",
            remedy_th="ดูรูปแบบได้ใน docs/policy-file.md",
        ) from None
    faults = Faults(LineFinder(text))
    policy = _read_document(plain(document), faults)
    if policy is not None:
        check_rules(policy, faults)
    faults.refuse_if_any()
    assert policy is not None
    return PolicyReading(policy, tuple(faults.warnings))


def _read_document(document: object, faults: Faults) -> Policy | None:
    file = read_table(document, schema.File, [], faults)
    if file is None:
        return None
    if file.format != 1:
        faults.add(["format"], "this gate reads format = 1 only", "ระบบนี้อ่านได้เฉพาะ format = 1")
    registries = {
        name: rules
        for name, raw in file.registry.items()
        if (rules := read_registry(name, raw, faults)) is not None
    }
    parties = {
        name: party
        for name, raw in file.party.items()
        if (party := _read_party(name, raw, tuple(file.registry), faults)) is not None
    }
    notice = read_table(file.notice or {}, schema.Notice, ["notice"], faults)
    retention = read_table(file.retention or {}, schema.Retention, ["retention"], faults)
    if notice is None or retention is None:
        return None
    return Policy(
        registries, parties, NoticeRules(notice.folder, notice.smtp, notice.webhook), retention.results_days
    )


def _read_party(name: str, raw: object, known: tuple[str, ...], faults: Faults) -> PartyRules | None:
    path: Path = ["party", name]
    table = read_table(raw, schema.Party, path, faults)
    if table is None:
        return None

    def registry_of(named: str, at: Path) -> str:
        return _registry_of(named or table.registry, known, at, faults)

    windows: dict[str, list[tuple[int, schema.Window]]] = {}
    for index, window in enumerate(table.window):
        registry = registry_of(window.registry, [*path, "window", index])
        windows.setdefault(registry, []).append((index, window))
    limits = {registry_of(entry.registry, [*path, "limits"]): _limits(entry) for entry in table.limits}
    if not table.limits and known:
        own = _limits(table)
        limits = {registry_of("", path): own} if own != PartyLimits() or len(known) == 1 else {}
    return PartyRules(
        id=name,
        name=table.name,
        name_en=table.name_en,
        contact=table.contact,
        accounts=tuple(
            AccountRules(
                account.id,
                registry_of(account.registry, [*path, "account", index]),
                AccountKind(account.kind),
                account.secret,
            )
            for index, account in enumerate(table.account)
        ),
        limits=limits,
        windows={
            registry: read_windows(listed, [*path, "window"], faults) for registry, listed in windows.items()
        },
    )


def _limits(table: schema.Party | schema.Limits) -> PartyLimits:
    return PartyLimits(table.weight, table.floor, table.rate, table.burst)


def _registry_of(named: str, known: tuple[str, ...], at: Path, faults: Faults) -> str:
    if named in known:
        return named
    if not named and len(known) == 1:
        return known[0]
    if named:
        faults.unknown([*at, named], known)
    else:
        faults.add(
            at,
            f"say which registry this is for: registry = one of {', '.join(known)}",
            f"โปรดระบุระบบทะเบียน: registry = {', '.join(known)}",
        )
    return named
