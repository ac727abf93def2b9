"""Whatever the ledger refuses is said in Thai and English, each with what to do."""

import ast
from pathlib import Path

import pytest

from domain import errors
from tests.source import ROOT

#: what tells a remedy of its own accord
TOLD = {errors.Busy}
KINDS = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.PratunamError) and kind not in TOLD
}
NEEDED = {"message_th", "remedy_en", "remedy_th"}


@pytest.mark.parametrize("file", sorted((ROOT / "ledger").glob("*.py")), ids=lambda file: file.name)
def test_every_error_has_its_words_and_its_remedy(file: Path) -> None:
    """Wherever one is made: both messages, both remedies."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    imported = {
        name.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == "domain.errors"
        for name in node.names
    }
    made = [
        node
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS & imported
    ]
    assert [
        (node.lineno, missing) for node in made if (missing := NEEDED - {word.arg for word in node.keywords})
    ] == []
