"""Accounts as events have left them. The policy says which there are (`ledger/policy_book.py`); events say which may be used."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, Row, bindparam, insert, select, update

from domain.errors import Conflict, NotFound
from domain.jobs import By
from domain.policy import Policy
from domain.states import AccountKind, AccountState
from ledger.audit import note
from ledger.driver import HotStatement
from ledger.keystore import KeyStore
from ledger.locks import lock_chain
from ledger.notices import write_notices
from ledger.sealing import aad
from ledger.tables import accounts
from ledger.values import AccountRow, NoticeDraft

_OUT_OF_USE = (AccountState.SET_ASIDE, AccountState.SUSPENDED, AccountState.WITHDRAWN)


def _those(*bounds: ColumnElement[bool]) -> HotStatement:
    columns = (
        accounts.c.registry,
        accounts.c.party,
        accounts.c.account,
        accounts.c.kind,
        accounts.c.state,
        accounts.c.reason,
        accounts.c.since_at,
    )
    withdrawn = accounts.c.state == AccountState.WITHDRAWN.value
    order = (withdrawn, accounts.c.registry, accounts.c.place, accounts.c.account)
    return HotStatement(select(*columns).where(*bounds).order_by(*order))


_HERE = accounts.c.registry == bindparam("at_registry")
_OF_PARTY = accounts.c.party == bindparam("at_party")
# asked for by every session that begins, and by every scheduler once a second
_ACCOUNTS = {
    (False, False): _those(),
    (True, False): _those(_HERE),
    (False, True): _those(_OF_PARTY),
    (True, True): _those(_HERE, _OF_PARTY),
}
_SECRET = HotStatement(select(accounts.c.secret).where(_HERE, accounts.c.account == bindparam("at_account")))


def read_accounts(connection: Connection, registry: str | None, party: str | None) -> Sequence[AccountRow]:
    """Return accounts in the policy's order, withdrawn ones last."""
    statement = _ACCOUNTS[registry is not None, party is not None]
    return [
        AccountRow(found, whose, account, AccountKind(kind), AccountState(state), reason, since_at)
        for found, whose, account, kind, state, reason, since_at in statement.rows(
            connection, at_registry=registry, at_party=party
        )
    ]


def read_secret(connection: Connection, registry: str, account: str, keys: KeyStore) -> str:
    """Return an account's secret in clear; raises NotFound when there is none."""
    found = _SECRET.first(connection, at_registry=registry, at_account=account)
    if found is None:
        raise _unknown(registry, account)
    (sealed,) = found
    if sealed is None:
        raise NotFound(
            f"Account {account} has no secret here.",
            message_th=f"รหัสผู้ใช้งาน {account} ยังไม่มีรหัสผ่านในระบบ",
            remedy_en=f"Give it one: pratunam account secret {account}",
            remedy_th=f"กำหนดรหัสผ่าน: pratunam account secret {account}",
        )
    return keys.secret_sealer().open(sealed, aad("account", registry, account)).decode()


def seal_secret(keys: KeyStore, registry: str, account: str, secret: str) -> bytes:
    """Seal an account's secret for its place."""
    return keys.secret_sealer().seal(secret.encode(), aad("account", registry, account))


def set_aside(
    connection: Connection,
    registry: str,
    account: str,
    reason: str,
    notices: Sequence[NoticeDraft],
    by: By,
    now: int,
    *,
    suspended: bool = False,
) -> bool:
    """Take an account out of use until people act; False when it already was."""
    lock_chain(connection)
    if _row(connection, registry, account).state in _OUT_OF_USE:
        return False
    state = AccountState.SUSPENDED if suspended else AccountState.SET_ASIDE
    _move(connection, registry, account, state, reason, now)
    note(connection, f"account.{state.value}", account, {"registry": registry, "reason": reason}, by, now)
    write_notices(connection, notices, now)
    return True


def rest_accounts(
    connection: Connection, registry: str, chosen: Sequence[str], reason: str, by: By, now: int
) -> None:
    """Rest added accounts because of load; raises Conflict for a base one, and then rests none."""
    lock_chain(connection)
    rows = [_row(connection, registry, account) for account in chosen]
    for row in rows:
        if row.kind == AccountKind.BASE:
            raise Conflict(
                f"Account {row.account} is a base account: load never rests those.",
                message_th=f"รหัสผู้ใช้งาน {row.account} เป็นรหัสหลัก จึงพักเพราะภาระงานไม่ได้",
                remedy_en="Name added accounts only; to take a base one out, change the policy.",
                remedy_th="ระบุเฉพาะรหัสที่เพิ่ม หากต้องการถอนรหัสหลักให้แก้นโยบาย",
            )
    for row in rows:
        if row.state == AccountState.ACTIVE:
            _move(connection, registry, row.account, AccountState.RESTED, reason, now)
            note(connection, "account.rested", row.account, {"registry": registry, "reason": reason}, by, now)


def restore_account(connection: Connection, registry: str, account: str, by: By, now: int) -> None:
    """Bring an account back into use; raises Conflict for one that the policy withdrew."""
    lock_chain(connection)
    row = _row(connection, registry, account)
    _refuse_withdrawn(row)
    if row.state != AccountState.ACTIVE:
        _move(connection, registry, account, AccountState.ACTIVE, "", now)
        note(connection, "account.restored", account, {"registry": registry, "was": row.state}, by, now)


def rekey_account(
    connection: Connection, registry: str, account: str, secret: str, keys: KeyStore, by: By, now: int
) -> None:
    """Seal a new secret and bring the account back into use; raises Conflict for one that the policy withdrew."""
    lock_chain(connection)
    _refuse_withdrawn(_row(connection, registry, account))
    _move(connection, registry, account, AccountState.ACTIVE, "", now)
    sealed = seal_secret(keys, registry, account, secret)
    connection.execute(update(accounts).where(_named(registry, account)).values(secret=sealed))
    note(connection, "account.rekeyed", account, {"registry": registry}, by, now)


def enact_accounts(
    connection: Connection, policy: Policy, secrets: Mapping[tuple[str, str], bytes], version: int, now: int
) -> None:
    """Make the accounts those of the policy: new ones active, withdrawn ones back in use, missing ones withdrawn.

    They keep the policy's order, but for a party's base accounts, which come before its added ones: so they are taken into use.
    What events did to an account that stays is left as it is.
    """
    known = {(row.registry, row.account): row for row in connection.execute(select(accounts))}
    wanted = {
        (one.registry, one.id): (party.id, one.kind)
        for party in policy.parties.values()
        for one in sorted(party.accounts, key=lambda account: account.kind is AccountKind.ADDED)
    }
    for place, ((registry, account), (party, kind)) in enumerate(wanted.items()):
        row = known.get((registry, account))
        values: dict[str, object] = {"party": party, "kind": kind, "place": place}
        if (registry, account) in secrets:
            values["secret"] = secrets[registry, account]
        if row is None or row.state == AccountState.WITHDRAWN:
            values |= {"state": AccountState.ACTIVE, "reason": "", "since_at": now}
        if row is None:
            connection.execute(insert(accounts).values(registry=registry, account=account, **values))
        else:
            connection.execute(update(accounts).where(_named(registry, account)).values(values))
    for (registry, account), row in known.items():
        if (registry, account) not in wanted and row.state != AccountState.WITHDRAWN:
            _move(connection, registry, account, AccountState.WITHDRAWN, f"policy version {version}", now)


def _row(connection: Connection, registry: str, account: str) -> Row[tuple[object, ...]]:
    row = connection.execute(select(accounts).where(_named(registry, account))).first()
    if row is None:
        raise _unknown(registry, account)
    return row


def _unknown(registry: str, account: str) -> NotFound:
    return NotFound(
        f"There is no account {account} at {registry}.",
        message_th=f"ไม่พบรหัสผู้ใช้งาน {account} ใน {registry}",
        remedy_en="`pratunam account list` names them.",
        remedy_th="ดูรายชื่อด้วย `pratunam account list`",
    )


def _refuse_withdrawn(row: Row[tuple[object, ...]]) -> None:
    if row.state == AccountState.WITHDRAWN:
        raise Conflict(
            f"Account {row.account} was withdrawn by the policy.",
            message_th=f"รหัสผู้ใช้งาน {row.account} ถูกถอนตามนโยบาย",
            remedy_en="Put it into the policy file again and apply that.",
            remedy_th="เพิ่มกลับในแฟ้มนโยบายแล้วประกาศใช้ใหม่",
        )


def _move(
    connection: Connection, registry: str, account: str, state: AccountState, reason: str, now: int
) -> None:
    connection.execute(
        update(accounts).where(_named(registry, account)).values(state=state, reason=reason, since_at=now)
    )


def _named(registry: str, account: str) -> ColumnElement[bool]:
    return (accounts.c.registry == registry) & (accounts.c.account == account)
