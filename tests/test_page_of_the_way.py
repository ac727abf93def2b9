"""docs/how-it-works.md names functions and files that there are."""

import ast
import re
from pathlib import Path

import pytest

from tests.pages import page
from tests.source import ROOT

PAGE = page("how-it-works.md")
PLACES = sorted(set(re.findall(r"`([a-z_/0-9]+\.(?:py|lua))(?::([\w.]+))?`", PAGE)))


def names_of(file: Path) -> set[str]:
    """The functions, classes and methods (`Class.method`) of a file."""
    found: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = (n for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
            found.update(f"{node.name}.{method.name}" for method in methods)
    return found


@pytest.mark.parametrize(("file", "name"), PLACES)
def test_every_place_that_is_named_exists(file: str, name: str) -> None:
    """Each `room/file.py` is there, and each function behind the colon is in it."""
    assert (ROOT / file).is_file()
    assert not name or name in names_of(ROOT / file)


def test_the_way_leads_through_every_room_that_a_record_passes() -> None:
    """The page names at least one place in each of these rooms."""
    passed = {
        "pratunam",
        "intake",
        "profiles",
        "ledger",
        "scheduler",
        "quotas",
        "workers",
        "planner",
        "registrar",
    }
    assert passed <= {file.split("/")[0] for file, _ in PLACES}
