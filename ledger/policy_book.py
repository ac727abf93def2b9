"""Versions of the registrar's rules: the change, its accounts, its audit line and its notices are one transaction."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)

from domain.errors import Conflict, NotFound
from domain.jobs import By
from domain.policy import Policy, PolicyVersion
from domain.states import OPEN_JOB_STATES, AccountState
from ledger.accounts import enact_accounts, seal_secret
from ledger.audit import GATE, note
from ledger.driver import HotStatement
from ledger.keystore import KeyStore
from ledger.locks import lock_chain
from ledger.notices import write_notices
from ledger.policy_code import decode_policy, encode_policy, newest_policy
from ledger.tables import accounts, jobs, policy_versions
from ledger.values import PolicyDraft


def _has_come(at: int | BindParameter[int]) -> ColumnElement[bool]:
    """Whether a version's time has come.

    One that was applied to be in force at once is so by the clock of whoever applied it: a reader whose clock is behind must not take it
    for one of the future. Only what was applied for later waits for the reader's clock.
    """
    columns = policy_versions.c
    return or_(columns.effective_at <= columns.applied_at, columns.effective_at <= at)


# every process asks for it once or twice a second
_IN_FORCE = HotStatement(
    select(policy_versions.c.version, policy_versions.c.enacted)
    .where(_has_come(bindparam("at")))
    .order_by(policy_versions.c.version.desc())
    .limit(1)
)
_decode_secrets = msgspec.msgpack.Decoder(list[tuple[str, str, bytes]]).decode


def policy_in_force(connection: Connection, now: int) -> PolicyVersion | None:
    """Return the newest version whose time has come (`now`: the reader's clock), or None for a new home."""
    row = _in_force(connection, now)
    return None if row is None else _version(row)


def which_is_in_force(connection: Connection, now: int) -> tuple[int, bool] | None:
    """Return the number of the version in force, and whether the accounts are already those of it; None for a new home."""
    found = _IN_FORCE.first(connection, at=now)
    return None if found is None else (found[0], bool(found[1]))


def enact_due(connection: Connection, now: int) -> None:
    """Make the accounts those of the version in force, once its time has come; safe to repeat."""
    lock_chain(connection)
    row = _in_force(connection, now)
    if row is not None and not row.enacted:
        _enact(connection, row.version, decode_policy(row.policy), row.secrets, now)
        note(connection, "policy.in-force", str(row.version), {}, GATE, now)


def policy_version(connection: Connection, version: int) -> PolicyVersion:
    """Return one version; raises NotFound."""
    row = connection.execute(select(policy_versions).where(policy_versions.c.version == version)).first()
    if row is None:
        raise NotFound(
            f"There is no policy version {version}.",
            message_th=f"ไม่พบนโยบายฉบับที่ {version}",
            remedy_en="`pratunam policy history` lists them.",
            remedy_th="ดูรายการด้วย `pratunam policy history`",
        )
    return _version(row)


def policy_history(connection: Connection) -> Sequence[PolicyVersion]:
    """Return all versions, newest first."""
    rows = connection.execute(select(policy_versions).order_by(policy_versions.c.version.desc()))
    return [_version(row) for row in rows]


def apply_policy(
    connection: Connection, draft: PolicyDraft, keys: KeyStore, by: By, now: int
) -> PolicyVersion:
    """Write a version and everything that belongs to it; raises Conflict, and then nothing has changed."""
    lock_chain(connection)
    newest = connection.execute(select(func.max(policy_versions.c.version))).scalar() or 0
    if draft.base is not None and draft.base != newest:
        raise Conflict(
            f"Version {newest} has come between; this change was planned on version {draft.base}.",
            message_th=f"มีนโยบายฉบับที่ {newest} ประกาศใช้แทรกก่อนแล้ว แผนนี้ทำจากฉบับที่ {draft.base}",
            remedy_en="Plan again on the newest version, then apply.",
            remedy_th="จัดทำแผนใหม่จากฉบับล่าสุดแล้วประกาศใช้อีกครั้ง",
        )
    before = newest_policy(connection)
    _refuse_lost_work(connection, before, draft)
    _refuse_moving_unknown(connection, before, draft, now)
    version = newest + 1
    secrets = _sealed(draft, keys)
    connection.execute(
        insert(policy_versions).values(
            version=version, applied_at=now, effective_at=draft.effective_at, author=draft.author, reason=draft.reason,
            document=draft.document, policy=encode_policy(draft.policy), secrets=secrets, enacted=False,
        )
    )  # fmt: skip
    if draft.effective_at <= now:
        _enact(connection, version, draft.policy, secrets, now)
    detail = {
        "reason": draft.reason,
        "author": draft.author,
        "effective_at": draft.effective_at,
        "base": newest,
    }
    note(connection, "policy.applied", str(version), detail | {"removed": sorted(draft.removed)}, by, now)
    known = [policy for policy in (draft.policy, before) if policy is not None]
    write_notices(connection, draft.notices, now, version=version, policies=known)
    return policy_version(connection, version)


def _in_force(connection: Connection, now: int) -> Row[tuple[object, ...]] | None:
    due = select(policy_versions).where(_has_come(now))
    return connection.execute(due.order_by(policy_versions.c.version.desc()).limit(1)).first()


def _enact(connection: Connection, version: int, policy: Policy, secrets: bytes, now: int) -> None:
    sealed = {(registry, account): secret for registry, account, secret in _decode_secrets(secrets)}
    enact_accounts(connection, policy, sealed, version, now)
    # what was overtaken before its time came is never enacted
    connection.execute(
        update(policy_versions)
        .where(policy_versions.c.version <= version)
        .values(enacted=True, secrets=_NO_SECRETS)
    )


_NO_SECRETS = msgspec.msgpack.encode([])


def _sealed(draft: PolicyDraft, keys: KeyStore) -> bytes:
    return msgspec.msgpack.encode(
        [
            (registry, account, seal_secret(keys, registry, account, secret))
            for (registry, account), secret in draft.secrets.items()
        ]
    )


def _refuse_lost_work(connection: Connection, before: Policy | None, draft: PolicyDraft) -> None:
    open_jobs = select(jobs.c.party, jobs.c.registry).where(jobs.c.state.in_(OPEN_JOB_STATES)).distinct()
    at_work = {(party, registry) for party, registry in connection.execute(open_jobs)}
    busy = {party for party, _ in at_work}
    kept = {(one.registry, one.id) for party in draft.policy.parties.values() for one in party.accounts}
    going = {
        party
        for party in (before.parties if before else ())
        if party not in draft.policy.parties and party in busy
    }
    standing = select(accounts).where(accounts.c.state != AccountState.WITHDRAWN)
    for row in connection.execute(standing):
        is_needed = (row.party, row.registry) in at_work and row.party not in going | draft.removed
        if is_needed and (row.registry, row.account) not in kept:
            going.add(row.account)
    left = sorted(going - draft.removed)
    if left:
        raise Conflict(
            f"Open jobs still need: {', '.join(left)}.",
            message_th=f"ยังมีงานที่ต้องใช้: {', '.join(left)}",
            remedy_en=f"Wait, or say so: --remove {' '.join(left)}",
            remedy_th=f"รอให้งานเสร็จ หรือระบุ --remove {' '.join(left)}",
        )


def _refuse_moving_unknown(
    connection: Connection, before: Policy | None, draft: PolicyDraft, now: int
) -> None:
    for name, rules in (before.registries if before else {}).items():
        new = draft.policy.registries.get(name)
        if new is not None and (new.endpoint, new.profile) == (rules.endpoint, rules.profile):
            continue
        if draft.effective_at > now:
            # nobody can say now what will be unknown then
            raise Conflict(
                f"The endpoint and profile of {name} change at once or not at all: no time can be set for it.",
                message_th=f"การเปลี่ยนปลายทางหรือชนิดข้อมูลของ {name} ต้องมีผลทันที จึงกำหนดเวลาล่วงหน้าไม่ได้",
                remedy_en="Apply this change without --at, when no record is unknown or in hand.",
                remedy_th="ประกาศใช้โดยไม่ระบุ --at เมื่อไม่มีรายการที่ยังไม่ทราบผลหรืออยู่ระหว่างส่ง",
            )
        of_registry = jobs.c.registry == name
        unknown, in_hand = connection.execute(
            select(
                func.coalesce(func.sum(jobs.c.unknown), 0), func.coalesce(func.sum(jobs.c.in_hand), 0)
            ).where(of_registry)
        ).one()
        if unknown or in_hand:
            raise Conflict(
                f"At {name}, {unknown} records are unknown and {in_hand} in hand: its endpoint and profile stay until they are known.",
                message_th=f"ใน {name} มี {unknown} รายการที่ยังไม่ทราบผล และ {in_hand} รายการอยู่ระหว่างส่ง "
                "จึงยังเปลี่ยนปลายทางหรือชนิดข้อมูลไม่ได้",
                remedy_en="Hold the registry and wait until they are known, or resolve them: pratunam records unknown",
                remedy_th="พักการส่งแล้วรอจนทราบผล หรือแก้ไขผลด้วย pratunam records unknown",
            )


def _version(row: Row[tuple[object, ...]]) -> PolicyVersion:
    return PolicyVersion(
        row.version,
        row.applied_at,
        row.effective_at,
        row.author,
        row.reason,
        row.document,
        decode_policy(row.policy),
    )
