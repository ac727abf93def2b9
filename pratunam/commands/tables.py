"""Prints a list to people: a table where it fits, else a paragraph a row. Nothing is ever cut: people copy ids and numbers."""

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

#: a cell of words is folded, never to less than this (columns)
_WORDS_FROM = 20
#: wide enough to measure what a table wants
_ENDLESS = 10_000


def show_table(console: Console, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under the names of their columns; the first column names its row."""
    table = Table(box=None)
    for place, name in enumerate(names):
        words = any(" " in row[place] for row in rows)
        table.add_column(name, no_wrap=not words, min_width=min(_WORDS_FROM, _widest(place, rows)))
    for row in rows:
        table.add_row(*map(Text, row))
    needed = console.measure(table, options=console.options.update(width=_ENDLESS)).minimum
    if needed > console.width and console.is_terminal:
        _paragraphs(console, names, rows)
        return
    console.width = max(console.width, needed)
    console.print(table)


def _widest(place: int, rows: Sequence[Sequence[str]]) -> int:
    return max((Text(row[place]).cell_len for row in rows), default=0)


def _paragraphs(console: Console, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        console.print(Text(" · ".join(filter(None, names)), "bold"), soft_wrap=False)
    for row in rows:
        told = (_pair(name, cell) for name, cell in zip(names[1:], row[1:], strict=True) if cell)
        console.print(Text(row[0], "bold"), soft_wrap=False, overflow="fold")
        console.print(
            Padding(Text(" · ".join(told), overflow="fold"), (0, 0, 0, 2), expand=False), soft_wrap=False
        )


def _pair(name: str, cell: str) -> str:
    return f"{name}: {cell}" if name else cell
