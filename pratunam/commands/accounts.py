"""`pratunam account …`: list, restore, secret."""

import sys
from pathlib import Path

import click
from rich.console import Console

from domain.errors import NotFound, Refused
from ledger.values import AccountRow
from pratunam.commands.arguments import read_file
from pratunam.commands.frame import Frame, at_home
from pratunam.commands.stopping import unknown_party
from pratunam.commands.tables import show_table
from pratunam.doorbells import wake_scheduler
from pratunam.parts import Parts


@click.group("account")
def account_group() -> None:
    """The user codes that the registrar granted."""


@account_group.command("list")
@click.option("--party", default=None, help="Only this party's.")
@at_home
async def list_accounts(frame: Frame, parts: Parts, party: str | None) -> None:
    """List accounts and their states."""
    rows = list(await parts.ledger.accounts(party=party))
    if not rows and party is not None:
        raise unknown_party(party, await parts.policy())
    frame.tell([_account(row) for row in rows], lambda console: _render(console, rows))


@account_group.command("restore")
@click.argument("account")
@click.option("--registry", default=None, help="Which, where the account is in several.")
@at_home
async def restore(frame: Frame, parts: Parts, account: str, registry: str | None) -> None:
    """Bring back an account that was set aside."""
    row = await _find(parts, account, registry)
    await parts.ledger.restore_account(row.registry, row.account, frame.by, parts.clock.now())
    await wake_scheduler(frame.settings)
    frame.tell({"account": account, "state": "active"}, f"Account {account} is back in use.")


@account_group.command("secret")
@click.argument("account")
@click.option("--registry", default=None, help="Which, where the account is in several.")
@click.option("--file", "file", type=click.Path(path_type=Path), default=None, help="Read it from a file.")
@at_home
async def secret(frame: Frame, parts: Parts, account: str, registry: str | None, file: Path | None) -> None:
    """Give an account a new password. It is asked for, or read from a file or standard input; the account comes back into use."""
    row = await _find(parts, account, registry)
    text = _secret_text(frame, account, file)
    if not text:
        raise Refused(
            "The new password is empty.",
            message_th="รหัสผ่านว่างเปล่า",
            remedy_en="Nothing was changed; give it on a terminal, by standard input, or with --file.",
            remedy_th="ยังไม่มีการเปลี่ยนแปลง โปรดพิมพ์ทางเทอร์มินัล ส่งทาง standard input หรือใช้ --file",
        )
    await parts.ledger.rekey_account(row.registry, row.account, text, frame.by, parts.clock.now())
    await wake_scheduler(frame.settings)
    frame.tell(
        {"account": account, "state": "active"}, f"Account {account} has a new password and is in use."
    )


def _secret_text(frame: Frame, account: str, file: Path | None) -> str:
    if file is not None:
        return read_file(file).strip()
    if frame.is_terminal:
        asked: str = click.prompt(f"New password of {account}", hide_input=True, confirmation_prompt=True)
        return asked
    try:
        text = sys.stdin.readline().strip()
        text.encode()
    except UnicodeError:
        raise Refused(
            "The new password is not UTF-8 text.",
            message_th="รหัสผ่านไม่ใช่ข้อความ UTF-8",
            remedy_en="Nothing was changed; write it as UTF-8.",
            remedy_th="ยังไม่มีการเปลี่ยนแปลง โปรดใช้ข้อความ UTF-8",
        ) from None
    return text


async def _find(parts: Parts, account: str, registry: str | None) -> AccountRow:
    rows = [row for row in await parts.ledger.accounts(registry=registry) if row.account == account]
    if not rows:
        at = f" @ {registry}" if registry else ""
        raise NotFound(
            f"There is no account {account}{at}.",
            message_th=f"ไม่พบรหัสผู้ใช้งาน {account}{at}",
            remedy_en="`pratunam account list` names them.",
            remedy_th="ดูรายชื่อด้วย `pratunam account list`",
        )
    if len(rows) > 1:
        names = ", ".join(row.registry for row in rows)
        raise NotFound(
            f"Account {account} is in several registries: {names}.",
            message_th=f"รหัสผู้ใช้งาน {account} มีในหลายระบบทะเบียน: {names}",
            remedy_en="Add --registry NAME.",
            remedy_th="ระบุ --registry ชื่อระบบ",
        )
    return rows[0]


def _account(row: AccountRow) -> dict[str, object]:
    return {
        "account": row.account,
        "party": row.party,
        "registry": row.registry,
        "kind": row.kind.value,
        "state": row.state.value,
        "reason": row.reason,
    }


def _render(console: Console, rows: list[AccountRow]) -> None:
    told = [
        (row.account, row.party, row.registry, row.kind.value, row.state.value, row.reason) for row in rows
    ]
    show_table(console, ("account", "party", "registry", "kind", "state", "why"), told)
