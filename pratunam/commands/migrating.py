"""`pratunam migrate`: the ledger's tables brought to this version, and a home's ledger taken into PostgreSQL."""

import asyncio
from dataclasses import asdict
from pathlib import Path

import click

from pratunam.commands.frame import Frame, framed, say_new_key
from pratunam.parts import open_parts


@click.command("migrate")
@click.option(
    "--to",
    "address",
    default=None,
    metavar="URL",
    help="Take this stopped home into an empty PostgreSQL database.",
)
@click.option(
    "--password-file",
    type=click.Path(path_type=Path),
    default=None,
    help="The database's password (default: PRATUNAM_LEDGER_PASSWORD_FILE).",
)
@click.option("--dry-run", is_flag=True, help="With --to: count what would be taken, and change nothing.")
@framed
def migrate(frame: Frame, address: str | None, password_file: Path | None, *, dry_run: bool) -> None:
    """Bring the ledger to this version's schema. Opening it does so, too; with --to it is moved into PostgreSQL."""
    if address is None:
        asyncio.run(_bring_up(frame))
        return
    from ledger.database import read_database
    from pratunam.moving import move_home

    settings = frame.settings
    database = read_database(address, password_file or settings.ledger_password_file)
    moved = move_home(settings, database, dry_run=dry_run)
    rows = sum(one.rows for one in moved.tables)
    if dry_run:
        text = (
            f"{rows:,} rows of {len(moved.tables)} tables would be taken. Nothing was changed.\n"
            f"จะย้ายข้อมูล {rows:,} แถว ยังไม่มีการเปลี่ยนแปลงใด ๆ"
        )
    else:
        text = (
            f"{rows:,} rows of {len(moved.tables)} tables are in PostgreSQL; counts and digests agree. This home is locked now.\n"
            f"Set PRATUNAM_LEDGER_URL={address} and start.\n"
            f"ย้ายข้อมูล {rows:,} แถวแล้ว จำนวนและค่าตรวจสอบตรงกัน ข้อมูลเดิมถูกล็อก โปรดกำหนด PRATUNAM_LEDGER_URL แล้วเริ่มระบบ"
        )
    told = {
        "migrated": not dry_run,
        "to": address,
        "rows": rows,
        "digest": moved.digest,
        "again": moved.again,
    }
    frame.tell(told | {"tables": [asdict(one) for one in moved.tables]}, text)


async def _bring_up(frame: Frame) -> None:
    has_key = frame.settings.master_key_path.exists()
    async with open_parts(frame.settings) as parts:
        if not has_key:
            say_new_key(frame.settings)
        history = await parts.ledger.policy_history()
    told = {"migrated": True, "policy_versions": len(history)}
    frame.tell(told, "The ledger has this version's schema.")
