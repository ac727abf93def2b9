"""Reads the pages under docs/ for the tests that hold them: sections by heading, tables, blocks of code."""

import re
from collections.abc import Iterator

from tests.source import ROOT


def page(name: str) -> str:
    """The text of a page."""
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def sections(text: str, level: int = 3) -> dict[str, str]:
    """What stands below each heading of this level, until the next heading of this or a higher one."""
    found: dict[str, str] = {}
    marks = list(
        re.finditer(
            r"^(#{1,6}) (.+)$", re.sub(r"(?m)^```.*?^```", _blank, text, flags=re.DOTALL), re.MULTILINE
        )
    )
    for at, mark in enumerate(marks):
        if len(mark[1]) == level:
            end = next((m.start() for m in marks[at + 1 :] if len(m[1]) <= level), len(text))
            found[mark[2]] = text[mark.end() : end]
    return found


def rows(text: str) -> list[list[str]]:
    """The cells of every row of the tables in a text, heads and rules left out."""
    found: list[list[str]] = []
    for at, line in enumerate(lines := text.splitlines()):
        is_rule = set(line) <= set("|-: ") and "-" in line
        is_head = at + 1 < len(lines) and set(lines[at + 1]) <= set("|-: ") and "-" in lines[at + 1]
        if line.startswith("|") and not is_rule and not is_head:
            found.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return found


def blocks(text: str, language: str) -> Iterator[str]:
    """The blocks of code in this language."""
    for match in re.finditer(rf"(?m)^```{language}\n(.*?)^```", text, flags=re.DOTALL):
        yield match[1]


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])
