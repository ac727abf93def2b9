"""Rules of the tree that no linter knows: sizes, names, docstrings, who may import what, and words that may not stand."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.source import (
    ROOMS,
    ROOT,
    code_lines,
    comments_of,
    function_lines,
    functions_of,
    imports_of,
    name_of,
    python_files,
    text_files,
    tree_of,
)

LONGEST_FILE = 300
LONGEST_FUNCTION = 60
BANNED_WORDS = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "base"}
SQL_LIBRARIES = {"sqlalchemy", "sqlite3", "alembic", "asyncpg", "aiosqlite", "psycopg"}
#: Split in two, so that this file does not hold what it forbids.
REGISTRY_HOSTS = (
    "pypi." + "org",
    "python" + "hosted",
    "registry.np" + "mjs",
    "deb.deb" + "ian",
    "snapshot.deb" + "ian",
)
A_MACHINE = re.compile(r"(^|[^\w/.])/(wor" + "k|far" + "m|ro" + r"ot|Us" + r"ers)/\w")


def project() -> dict[str, object]:
    """The project table and the tools' tables of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def matching(pattern: str) -> Iterator[str]:
    """`file:line` of every line of Python that matches, this file apart."""
    for file in python_files():
        if file != Path(__file__):
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                if re.search(pattern, line):
                    yield f"{name_of(file)}:{number}"


def test_no_file_has_outgrown_its_subject() -> None:
    """No Python file has more than 300 lines, docstrings and comments not counted."""
    assert {name_of(f): code_lines(f) for f in python_files() if code_lines(f) > LONGEST_FILE} == {}


def test_no_function_has_outgrown_a_screen() -> None:
    """No function has more than 60 lines, its docstring not counted; a migration's list of tables is data."""
    long = [
        f"{name_of(file)}:{function.lineno} {function.name} {function_lines(function)}"
        for file in python_files()
        for function in functions_of(file)
        if function_lines(function) > LONGEST_FUNCTION and file.parent.name != "migrations"
    ]
    assert long == []


def test_names_of_files_say_what_is_in_them() -> None:
    """No file or folder is called by one of the words that say nothing."""
    paths = [
        f
        for tree in (*ROOMS, "tests", "benchmarks")
        for f in (ROOT / tree).rglob("*")
        if "__pycache__" not in f.parts
    ]
    assert [name_of(p) for p in paths if BANNED_WORDS & set(re.split(r"[_\W]+", p.stem.lower()))] == []


def test_every_test_says_in_a_sentence_what_it_shows() -> None:
    """Each test function has a docstring of one sentence that ends with a full stop."""
    silent = [
        f"{name_of(file)}:{function.lineno} {function.name}"
        for file in python_files("tests")
        for function in functions_of(file)
        if function.name.startswith("test_")
        and not (ast.get_docstring(function) or "").rstrip().endswith(".")
    ]
    assert silent == []


def test_every_test_file_mirrors_a_room() -> None:
    """Below tests/ stand rooms, data and scenarios only, each room under its own name."""
    allowed = {
        *ROOMS,
        "benchmarks",
        "data",
        "scenarios",
        "sim",
        "soak",
        "sweep",
        "overload",
        "gauntlet",
        "end_to_end",
        "__pycache__",
    }
    assert {p.name for p in (ROOT / "tests").iterdir() if p.is_dir()} <= allowed


def test_nothing_is_left_to_be_done_in_a_comment() -> None:
    """No comment puts work off: it is done, or it is an issue."""
    later = re.compile(r"#\s*(TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b")
    found = [f"{name_of(f)}:{n}" for f in python_files() for n, text in comments_of(f) if later.search(text)]
    assert found == []


def test_every_waiver_has_its_reason() -> None:
    """A comment that silences a check names the rule and says why in the same comment."""
    waiver = re.compile(r"#\s*(type:\s*ignore|noqa)\b")
    rules = r"(type:\s*ignore\[[\w,\s-]+\]|noqa:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*)"
    reasoned = re.compile(rules + r"(?![\w,]).*\w{3}")  # a word of reason after the rules
    bare = [
        f"{name_of(f)}:{n}"
        for f in python_files()
        for n, text in comments_of(f)
        if waiver.search(text) and not reasoned.search(text)
    ]
    assert bare == []


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    """Nothing is skipped, and nothing is expected to fail: a test runs or does not exist."""
    assert list(matching(r"pytest\.(skip|xfail|importorskip)\(|mark\.(skip|skipif|xfail)\b")) == []


def test_no_test_sleeps_in_place_of_a_signal() -> None:
    """No code and no test blocks in the clock's sleep; tests wait on signals, loops have their sleeper."""
    assert list(matching(r"\btime\.sleep\(")) == []


def test_no_exception_is_swallowed_without_a_word() -> None:
    """No handler of every exception passes over it."""
    silent = [
        f"{name_of(file)}:{node.lineno}"
        for file in python_files()
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})
        )
        and all(
            isinstance(s, ast.Pass) or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
            for s in node.body
        )
    ]
    assert silent == []


def test_no_text_names_a_package_registry() -> None:
    """No file names a registry's host: where packages come from is the machine's own setting."""
    named = [
        name_of(f) for f in text_files() if any(h in f.read_text("utf-8", "replace") for h in REGISTRY_HOSTS)
    ]
    assert named == []


def test_no_text_names_a_folder_of_one_machine() -> None:
    """No file holds an absolute path of the machine on which it was written."""
    named = [
        f"{name_of(f)}:{n}"
        for f in text_files()
        for n, line in enumerate(f.read_text("utf-8", "replace").splitlines(), 1)
        if A_MACHINE.search(line)
    ]
    assert named == []


def test_sql_stands_in_the_ledger_only() -> None:
    """No room but the ledger imports a database library."""
    outside = [f for room in ROOMS if room != "ledger" for f in python_files(room)]
    assert [name_of(f) for f in outside if imports_of(f) & SQL_LIBRARIES] == []


@pytest.mark.parametrize("room", ["domain"])
def test_the_domain_imports_the_standard_library_only(room: str) -> None:
    """Nothing in domain/ imports anything but the standard library and domain/ itself."""
    foreign = {name_of(f): imports_of(f) - set(sys.stdlib_module_names) - {room} for f in python_files(room)}
    assert {name: found for name, found in foreign.items() if found} == {}


def test_every_lua_file_says_its_contract() -> None:
    """Each Lua script begins with its purpose and names KEYS, ARGV, its reply and whether it may be repeated."""
    for script in (ROOT / "quotas").rglob("*.lua"):
        head = "\n".join(line for line in script.read_text("utf-8").splitlines() if line.startswith("--"))
        missing = [w for w in ("KEYS", "ARGV", "eply", "epeat") if w not in head]
        assert (name_of(script), missing) == (name_of(script), [])


def test_the_rooms_are_named_alike_everywhere() -> None:
    """The packaging, the import rules and the tree name the same packages."""
    tool = project()["tool"]
    assert isinstance(tool, dict)
    assert [f"{room}*" for room in ROOMS] == tool["setuptools"]["packages"]["find"]["include"]
    assert sorted(tool["importlinter"]["root_packages"]) == sorted(ROOMS)
    assert [r for r in ROOMS if not (ROOT / r / "__init__.py").exists()] == []


def test_every_ignored_lint_rule_has_its_reason() -> None:
    """Each line of pyproject.toml that switches a rule off says why beside it."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = text[text.index("\nignore = [") : text.index("[tool.ruff.lint.pydocstyle]")]
    bare = [line for line in block.splitlines() if re.search(r'"[A-Z]+\d*"', line) and "# " not in line]
    assert bare == []
