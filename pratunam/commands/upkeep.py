"""`pratunam doctor` and `backup`: what is wrong with this installation, and a consistent copy of it."""

import asyncio
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from pratunam.commands.arguments import check_folder
from pratunam.commands.endings import FAILED
from pratunam.commands.frame import Frame, at_home, framed
from pratunam.parts import Parts


@click.command("doctor")
@framed
def doctor(frame: Frame) -> int | None:
    """Say what is wrong with this installation. Ends with 1 when something is."""
    from pratunam.doctor import examine, settings_told

    found = asyncio.run(examine(frame.settings))
    settings = settings_told(frame.settings)
    wrong = [each for each in found if not each.ok]

    def render(console: Console) -> None:
        for each in found:
            console.print(f"{'ok   ' if each.ok else 'WRONG'}  {each.text}", markup=False)
            if not each.ok and each.remedy:
                console.print(f"       {each.remedy}", markup=False)
        console.print("Settings:")
        for one in settings:
            console.print(f"  {one['name']}={one['value']}  ({one['help']}; {one['unit']})", markup=False)
        console.print(f"{len(wrong)} things are wrong." if wrong else "Nothing is wrong.")

    frame.tell({"ok": not wrong, "findings": [asdict(each) for each in found], "settings": settings}, render)
    return FAILED if wrong else None


@click.command("backup")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--with-keys",
    is_flag=True,
    help="Copy the key store too: whoever has it and the master key can read all.",
)
@at_home
async def backup(frame: Frame, parts: Parts, *, folder: Path, with_keys: bool) -> None:
    """Write a consistent copy of the home into DIR. The gate may run meanwhile."""
    from pratunam.backup import back_up

    check_folder(folder.parent)
    made = await back_up(parts, folder, with_keys=with_keys)
    lines = [f"{folder}: {len(made.files)} files, {sum(each.bytes for each in made.files):,} bytes."]
    lines.append(f"The audit chain had {made.audit_lines} lines, its head is {made.audit_head}")
    if not with_keys:
        lines.append(
            "The keys are not in it: without keys.db and the master key nobody can read it. Keep those apart."
        )
    frame.tell(asdict(made) | {"folder": str(folder)}, "\n".join(lines))
