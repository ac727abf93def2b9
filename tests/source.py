"""The tree as the tests of the tree see it: its files, their parsed text, their imports. Reads; judges nothing."""

import ast
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = (
    "pratunam", "console", "workers", "planner", "scheduler", "quotas", "intake", "ledger", "profiles",
    "metrics", "domain", "registrar",
)  # fmt: skip
TREES = (*ROOMS, "tests", "benchmarks")

type_of_function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(*trees: str) -> list[Path]:
    """All Python files under the named top-level folders, and those beside them when no folder is named."""
    found = [f for tree in trees or TREES for f in sorted((ROOT / tree).rglob("*.py"))]
    return found if trees else [*sorted(ROOT.glob("*.py")), *found]


def text_files() -> Iterator[Path]:
    """Every file of the clone that people write: no caches, no environment, no binary files."""
    generated = {"__pycache__", "node_modules", "htmlcov", "build", "dist"}
    for top in sorted(ROOT.iterdir()):
        hidden = top.name.startswith(".") and top.name not in {".ci", ".gitignore", ".pre-commit-config.yaml"}
        if hidden or top.name in generated:
            continue
        for file in [top] if top.is_file() else sorted(top.rglob("*")):
            if file.is_file() and not generated & set(file.parts) and b"\0" not in file.read_bytes()[:4096]:
                yield file


@cache
def tree_of(file: Path) -> ast.Module:
    """The parsed text of one file."""
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def functions_of(file: Path) -> Iterator[type_of_function]:
    """Every function and method of a file, nested ones too."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imports_of(file: Path) -> set[str]:
    """The top-level names that a file imports, wherever in it the import stands."""
    found: set[str] = set()
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@cache
def comments_of(file: Path) -> list[tuple[int, str]]:
    """Line number and text of every comment."""
    with file.open("rb") as handle:
        return [
            (token.start[0], token.string)
            for token in tokenize.tokenize(handle.readline)
            if token.type == tokenize.COMMENT
        ]


def docstring_lines(node: ast.AST) -> set[int]:
    """The line numbers that docstrings of the node and of everything in it take."""
    lines: set[int] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Module | ast.ClassDef | type_of_function) and ast.get_docstring(
            part, clean=False
        ):
            first = part.body[0]
            lines |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines


def code_lines(file: Path) -> int:
    """Lines of a file without its docstrings and the lines that hold only a comment."""
    lines = file.read_text(encoding="utf-8").splitlines()
    told = docstring_lines(tree_of(file))
    return sum(1 for n, line in enumerate(lines, 1) if n not in told and not line.lstrip().startswith("#"))


def function_lines(function: type_of_function) -> int:
    """Lines of a function from its name to its end, without its docstrings."""
    return (function.end_lineno or 0) - function.lineno + 1 - len(docstring_lines(function))


def name_of(file: Path) -> str:
    """A file's path inside the clone, for messages."""
    return str(file.relative_to(ROOT))
