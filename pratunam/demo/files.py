"""Writes each player's file in its own format: made-up members with real place names, IDs of nobody, and about 2 % bad rows."""

from pathlib import Path

import polars as pl
import xlsxwriter

from pratunam.demo.cast import BAD_SHARE, Player
from profiles.party_members.made_up import made_up_members
from profiles.party_members.made_up_faults import KINDS

#: kinds of bad rows whose characters Windows-874 does not have
_BEYOND_CP874 = frozenset({"turned-name"})


def write_file(player: Player, number: int, folder: Path) -> Path:
    """Write one player's file; returns its path. `number` seeds the members, so that no two parties share one."""
    kinds = [kind for kind in KINDS if player.encoding != "cp874" or kind not in _BEYOND_CP874]
    members = made_up_members(player.rows, number, faults=dict.fromkeys(kinds, BAD_SHARE / len(kinds)))
    path = folder / f"{player.party}-members.{player.suffix}"
    if player.encoding == "xlsx":
        _write_workbook(members, path)
    else:
        text = members.write_csv(separator=player.delimiter)
        path.write_bytes(text.encode(player.encoding))
    return path


def _write_workbook(members: pl.DataFrame, path: Path) -> None:
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("สมาชิก")
        sheet.write_row(0, 0, members.columns)
        for number, row in enumerate(members.iter_rows(), start=1):
            sheet.write_row(number, 0, row)
