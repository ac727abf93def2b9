"""What the documents promise exists: commands, files, states, words, locked packages."""

import re
import tomllib
from pathlib import Path

import click
import pytest

import run
from domain import states
from pratunam import __version__
from pratunam.cli import pratunam
from pratunam.demo.cast import PLAYERS
from tests.source import ROOT, name_of

DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    ROOT / "registrar" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_command_of_a_document_exists(document: Path) -> None:
    """Each `python3 run.py X` in a document is a command of run.py."""
    named = set(re.findall(r"python3 run\.py (\w+)", document.read_text(encoding="utf-8")))
    assert named <= {*run.COMMANDS, "help"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_word_of_the_command_line_exists(document: Path) -> None:
    """Each `pratunam X` in a document, in code, is a command, and each second word of a group is one of its own."""
    text = document.read_text(encoding="utf-8")
    code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    context = click.Context(pratunam)
    for first, second in re.findall(
        r"(?:^|/|\s)pratunam ([a-z]+)(?: ([a-z-]+))?", "\n".join(code), re.MULTILINE
    ):
        assert first in pratunam.list_commands(context)
        command = pratunam.get_command(context, first)
        assert not isinstance(command, click.Group) or second in command.list_commands(context)


def test_the_version_is_told_once() -> None:
    """The version in the code is the one in pyproject.toml, and the changelog knows what is not released yet."""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert data["project"]["version"] == __version__
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    """Each relative link in a document leads to a file of the clone."""
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_to_a_heading_finds_it(document: Path) -> None:
    """Each link to a place within a page leads to a heading that is there."""
    links = re.findall(r"\]\((?!https?:|mailto:)([^)#\s]*)#([^)\s]+)\)", document.read_text(encoding="utf-8"))
    lost = [
        f"{link}#{place}"
        for link, place in links
        if place not in anchors_of(document.parent / link if link else document)
    ]
    assert lost == []


def anchors_of(document: Path) -> set[str]:
    """The places in a page that links can lead to: its headings, in lower case, without signs, spaces as dashes."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\u0e00-\u0e7f -]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


def test_every_page_can_be_reached_from_the_front() -> None:
    """README.md, or a page that it links to, links to each page under docs/."""
    reached = [ROOT / "README.md"]
    for document in reached:
        links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", document.read_text(encoding="utf-8"))
        pages = [(document.parent / link).resolve() for link in links if link.endswith(".md")]
        reached += [page for page in pages if page not in reached]
    assert set((ROOT / "docs").rglob("*.md")) - set(reached) == set()


def test_the_excerpt_of_the_demo_is_of_its_cast() -> None:
    """What README.md shows of the demo's end names parties of its cast, with their rows, and its verdict."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(
        r"^(P\d+)   (.+?) +([\d,]+) +([\d,]+) +([\d,]+) +([\d,]+) +0  finished$", text, re.MULTILINE
    )
    cast = {player.party: player for player in PLAYERS}
    assert len(shown) == 3
    for party, name, rows, *counts in shown:
        assert (cast[party].name_en, cast[party].rows) == (name, int(rows.replace(",", "")))
        assert sum(int(count.replace(",", "")) for count in counts) == cast[party].rows
    assert "Verdict: every promise kept." in text
    assert "every promise kept" in (ROOT / "pratunam" / "demo" / "story.py").read_text(encoding="utf-8")


def test_every_state_is_drawn() -> None:
    """docs/states.md names each state of jobs, slices, records and accounts, and each move between them."""
    text = (ROOT / "docs" / "states.md").read_text(encoding="utf-8")
    names = [s.value for kind in (states.JobState, states.SliceState, states.AccountState) for s in kind]
    names += [state.name.lower() for state in states.RecordState]
    assert [name for name in names if not re.search(rf"\b{name}\b", text)] == []
    moves = [(a.value, b.value) for a, after in states.JOB_MOVES.items() for b in after]
    moves += [(a.name.lower(), b.name.lower()) for a, after in states.RECORD_MOVES.items() for b in after]
    assert [
        f"{a} --> {b}" for a, b in moves if not re.search(rf"^\s*{a} --> {b}\b", text, re.MULTILINE)
    ] == []


@pytest.mark.parametrize("lock", LOCKS, ids=name_of)
def test_a_lock_holds_hashes_and_no_address(lock: Path) -> None:
    """Every locked package is pinned to one version with its hashes, and no address stands in a lock."""
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text)
    assert [b.splitlines()[0] for b in blocks if "==" not in b or "--hash=sha256:" not in b] == []


def test_every_dependency_is_locked() -> None:
    """Each dependency of pyproject.toml stands in the lock that environment.py installs, and each runtime one in its own."""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = data["project"]["dependencies"]
    groups = data["dependency-groups"]
    for lock, wanted in {
        "runtime.lock": runtime,
        "dev.lock": [*runtime, *groups["dev"]],
        "peers.lock": groups["peers"],
        "uv.lock": groups["installer"],
    }.items():
        locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements" / lock).read_text(), re.MULTILINE))
        names = {re.split(r"[\[<>=! ]", item)[0].lower().replace("_", "-") for item in wanted}
        assert (lock, names - locked) == (lock, set())


def test_every_dependency_has_its_line_of_why() -> None:
    """docs/decisions/0001-dependencies.md tells of each dependency what it is for."""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = data["dependency-groups"]
    wanted = [*data["project"]["dependencies"], *groups["dev"], *groups["peers"]]
    text = (ROOT / "docs" / "decisions" / "0001-dependencies.md").read_text(encoding="utf-8").lower()
    names = {re.split(r"[\[<>=! ]", item)[0].lower() for item in wanted}
    assert sorted(n for n in names if f"| {n} |" not in text and f"`{n}`" not in text) == []
