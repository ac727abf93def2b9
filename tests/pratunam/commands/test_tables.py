"""Lists on screens of any width: nothing that people copy is ever cut."""

from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from pratunam.commands.tables import show_table

_NAMES = ("job", "file", "rows", "done")
_ROWS = [
    ("JGFRENDKDAHHH", "สมาชิก พรรค 2.csv", "4,000", "done in about 2 min (20:57)\nเสร็จในประมาณ 2 นาที"),
    ("JO6I5WGKGOD6H", "[red]a-very-long-name-of-a-file[/red].csv", "1,234,567", ""),
]


def shown(width: int, *, terminal: bool = True, rows: list[tuple[str, ...]] | None = None) -> list[str]:
    """Return the lines that a console of this width shows."""
    page = StringIO()
    console = Console(file=page, width=width, force_terminal=terminal, color_system=None, soft_wrap=True)
    show_table(console, _NAMES, _ROWS if rows is None else rows)
    return page.getvalue().splitlines()


@pytest.mark.parametrize("width", [30, 60, 80, 132, 240])
def test_no_word_is_cut_however_narrow_the_terminal(width: int) -> None:
    """Every cell is there whole, and no line is longer than the screen."""
    lines = shown(width)
    text = " ".join(" ".join(lines).split())
    assert "…" not in text
    for word in ("JGFRENDKDAHHH", "4,000", "1,234,567", "(20:57)", "เสร็จในประมาณ"):
        assert word in text
    assert "[red]" in text
    assert all(cell_len(line) <= width for line in lines)


def test_a_wide_terminal_shows_a_line_of_names_and_a_narrow_one_names_each_cell() -> None:
    """The table needs its room; below that a row is a paragraph."""
    assert shown(132)[0].split() == ["job", "file", "rows", "done"]
    assert "rows: 4,000" in "\n".join(shown(60))


def test_what_another_program_reads_is_a_table_at_any_width() -> None:
    """A row that is wider than its page makes the page wider."""
    lines = shown(20, terminal=False)
    assert lines[0].split() == ["job", "file", "rows", "done"]
    assert any("1,234,567" in line and "JO6I5WGKGOD6H" in line for line in lines)


def test_an_empty_list_still_names_its_columns() -> None:
    """So that people see what was asked for."""
    assert shown(12, rows=[])[0].startswith("job")
    assert shown(80, rows=[])[0].split() == ["job", "file", "rows", "done"]
