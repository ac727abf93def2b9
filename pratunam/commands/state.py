"""`pratunam status`: load on each registry against what it allows, and backlog and pace of each party."""

import click
from rich.console import Console

from pratunam.commands.frame import Frame, at_home
from pratunam.commands.tables import show_table
from pratunam.gate import open_quotas
from pratunam.local_time import until_en
from pratunam.outlook import NOT_RUNNING, outlook_cell, timezone_of
from pratunam.outlooks import Outlooks, with_outlooks
from pratunam.parts import Parts
from pratunam.status import PartyStatus, Status, read_status


@click.command("status")
@at_home
async def status(frame: Frame, parts: Parts) -> None:
    """Show load, backlog, pace and when it will be done. Load stands against what the registry allows, sessions against accounts."""
    async with open_quotas(frame.settings) as quotas:
        found = await with_outlooks(await read_status(parts, quotas), Outlooks(parts))
    policy, now = await parts.policy(), parts.clock.now()

    def render(console: Console) -> None:
        _registries(console, found)
        zones = {name: timezone_of(policy, name) for name in found.registries}
        _parties(console, found, zones, now)
        if found.restored is not None:
            asked = f"{found.restored.asked:,} records are asked about before they are sent."
            console.print(f"The ledger was put back from a copy: {asked}", markup=False)
        if not any(each.running for each in found.registries.values()):
            console.print(NOT_RUNNING, markup=False)

    frame.tell(found.as_json(now), render)


def _registries(console: Console, found: Status) -> None:
    rows = [
        (
            name,
            f"{each.rate:,.1f} of {each.limit:,g}",
            f"{each.sessions} of {each.session_limit}",
            f"{each.brake:.0%}",
            f"{each.outstanding:,}",
            "held" if each.held else "",
        )
        for name, each in found.registries.items()
    ]
    show_table(console, ("registry", "records/s", "sessions", "brake", "outstanding", ""), rows)


def _parties(console: Console, found: Status, zones: dict[str, str], now: int) -> None:
    several = len(found.registries) > 1
    rows = [
        (
            f"{party} @ {each.registry}" if several else party,
            f"{each.backlog:,}",
            f"{each.rate:,.1f}",
            f"{each.share:,.1f}",
            f"{each.sessions} of {each.accounts}",
            _window(each, zones[each.registry], now),
            each.bound_by,
            outlook_cell(each.outlook, now),
        )
        for party, first in found.parties.items()
        for each in (first, *first.also)
    ]
    names = ("party", "backlog", "records/s", "share", "sessions", "window", "bound by", "done")
    show_table(console, names, rows)


def _window(party: PartyStatus, timezone: str, now: int) -> str:
    word = "open" if party.window_open else "closed"
    return f"{word} until {until_en(party.window_until, timezone, now)}" if party.window_until else word
