"""`pratunam keys rewrap`: another master key."""

import asyncio
from pathlib import Path

import click

from pratunam.commands.frame import Frame, framed


@click.group("keys")
def keys_group() -> None:
    """The master key, which wraps the key of every job."""


@keys_group.command("rewrap")
@click.option(
    "--to",
    "new",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file of the new master key, outside the home; made where there is none.",
)
@click.option("--dry-run", is_flag=True, help="Open every key, count them, and change nothing.")
@framed
def rewrap(frame: Frame, *, new: Path, dry_run: bool) -> None:
    """Wrap all keys with another master key. Nothing may run meanwhile; safe to repeat after a crash."""
    from pratunam.rewrap import rewrap as rewrap_keys

    new = new.expanduser().absolute()
    done = asyncio.run(rewrap_keys(frame.settings, new, frame.by, dry_run=dry_run))
    told = {
        "jobs": done.jobs, "from": str(done.present), "to": str(done.new), "made": done.made, "already": done.already,
        "dry_run": done.dry_run,
    }  # fmt: skip
    if dry_run:
        words = f"{done.jobs:,} job keys open, and would be wrapped with {new}. Nothing was changed."
        if done.already:
            words = f"The keys are wrapped with {new} already."
        frame.tell(told, words)
        return
    already = " already" if done.already else ""
    frame.tell(
        told,
        f"{done.jobs:,} job keys are{already} wrapped with {new}.\n"
        f"From now on: PRATUNAM_MASTER_KEY_FILE={new} (or put it in the place of {done.present}, mode 0400).\n"
        "Keep a copy of it in a safe place, and the old key as long as copies of the old key store are kept.",
    )
