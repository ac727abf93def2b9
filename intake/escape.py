"""What a spreadsheet would take for a formula gets an apostrophe in front, and loses it when the file comes back: exactly undone."""

import re

import polars as pl

_RISKY = r"[=+\-@\t\r\n＝＋－＠]"


def escaped(cells: pl.Expr) -> pl.Expr:
    """Return texts that no spreadsheet program reads as a formula (OWASP, CSV injection)."""
    return cells.str.replace(rf"^('*{_RISKY})", "'$1")


def escaped_name(name: str) -> str:
    """Return a column's name that no spreadsheet program reads as a formula; a safe one stays, however often it goes round."""
    return re.sub(rf"^({_RISKY})", r"'\1", name)


def unescaped_name(name: str) -> str:
    """Return a column's name as it was before `escaped_name`."""
    return re.sub(rf"^'({_RISKY})", r"\1", name)


def unescaped(cells: pl.Expr) -> pl.Expr:
    """Return the texts as they were before `escaped`."""
    return cells.str.replace(rf"^'('*{_RISKY})", "$1")
