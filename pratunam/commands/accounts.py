"""`pratunam account …`: list, restore, secret."""

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from domain.errors import NotFound
from ledger.values import AccountRow
from pratunam.commands.frame import Frame, at_home
from pratunam.doorbells import wake_scheduler
from pratunam.parts import Parts


@click.group("account")
def account_group() -> None:
    """The user codes that the registrar granted."""


@account_group.command("list")
@click.option("--party", default=None)
@at_home
async def list_accounts(frame: Frame, parts: Parts, party: str | None) -> None:
    """List accounts and their states."""
    rows = list(await parts.ledger.accounts(party=party))
    frame.tell([_account(row) for row in rows], lambda console: _render(console, rows))


@account_group.command("restore")
@click.argument("account")
@click.option("--registry", default=None)
@at_home
async def restore(frame: Frame, parts: Parts, account: str, registry: str | None) -> None:
    """Bring back an account that was set aside."""
    row = await _find(parts, account, registry)
    await parts.ledger.restore_account(row.registry, row.account, frame.by, parts.clock.now())
    await wake_scheduler(frame.settings)
    frame.tell({"account": account, "state": "active"}, f"Account {account} is back in use.")


@account_group.command("secret")
@click.argument("account")
@click.option("--registry", default=None)
@click.option(
    "--file", "file", type=click.Path(path_type=Path, exists=True), default=None, help="Read it from a file."
)
@at_home
async def secret(frame: Frame, parts: Parts, account: str, registry: str | None, file: Path | None) -> None:
    """Give an account a new password (asked for, or read from a file or standard input) and bring it back into use."""
    row = await _find(parts, account, registry)
    text = _secret_text(frame, account, file)
    if not text:
        raise NotFound(
            "The new password is empty.", message_th="รหัสผ่านว่างเปล่า", remedy_en="Nothing was changed."
        )
    await parts.ledger.rekey_account(row.registry, row.account, text, frame.by, parts.clock.now())
    await wake_scheduler(frame.settings)
    frame.tell(
        {"account": account, "state": "active"}, f"Account {account} has a new password and is in use."
    )


def _secret_text(frame: Frame, account: str, file: Path | None) -> str:
    if file is not None:
        return file.read_text("utf-8").strip()
    if frame.is_terminal:
        asked: str = click.prompt(f"New password of {account}", hide_input=True, confirmation_prompt=True)
        return asked
    return sys.stdin.readline().strip()


async def _find(parts: Parts, account: str, registry: str | None) -> AccountRow:
    rows = [row for row in await parts.ledger.accounts(registry=registry) if row.account == account]
    if not rows:
        raise NotFound(f"There is no account {account}.", remedy_en="`pratunam account list` names them.")
    if len(rows) > 1:
        raise NotFound(f"Account {account} is in several registries.", remedy_en="Add --registry NAME.")
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
    table = Table("account", "party", "registry", "kind", "state", "why", box=None)
    for row in rows:
        table.add_row(row.account, row.party, row.registry, row.kind.value, row.state.value, row.reason)
    console.print(table)
