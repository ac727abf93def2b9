"""A book adds up what several runs on one build have seen."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.sim.running import Report
from tests.soak.__main__ import main
from tests.soak.book import TESTED, Book, build_digest, keep_book, open_book

ROOT = Path(__file__).resolve().parents[2]


def test_a_soak_goes_on_where_the_last_one_of_the_build_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seeds are counted once, in order; an hour that the book has is not run again."""
    path = tmp_path / "book.json"
    keep_book(Book(build_digest(), 12, seconds=3_600.0, seeds=3, broken=[11]), path)
    assert main(["--hours", "1", "--from", "9", "--jobs", "1", "--book", str(path)]) == 1
    book = open_book(path, 0)
    assert (book.next_seed, book.seeds, book.broken) == (13, 4, [11])
    assert book.records > 0
    assert book.seconds > 3_600
    assert capsys.readouterr().out.splitlines()[-1].startswith("4 seeds, ")


def test_a_book_of_another_build_is_begun_anew(tmp_path: Path) -> None:
    """What another build has shown proves nothing of this one."""
    path = tmp_path / "book.json"
    keep_book(Book("another", 5_000, seconds=1.0, seeds=4_999), path)
    assert open_book(path, 7) == Book(build_digest(), 7)


def test_a_build_is_known_by_what_a_seed_runs(tmp_path: Path) -> None:
    """A changed line of the engine or of the simulator is another build; a page of the documents is not."""
    for folder in ("workers", "tests/sim", "docs"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.py").write_text("x = 1\n")
    first = build_digest(tmp_path)
    (tmp_path / "docs" / "a.py").write_text("x = 2\n")
    assert build_digest(tmp_path) == first
    (tmp_path / "tests/sim" / "a.py").write_text("x = 2\n")
    assert build_digest(tmp_path) != first


def test_a_seed_runs_nothing_that_a_book_does_not_know() -> None:
    """Whatever of ours the simulator loads is part of the digest."""
    told = subprocess.run(
        [sys.executable, "-c", "import sys, tests.sim.__main__; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split()
    ours = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}
    loaded = {name.replace(".", "/") for name in told if name.split(".")[0] in ours and name != "tests"}
    assert loaded
    assert not [name for name in loaded if not name.startswith(TESTED)]


def test_seeds_are_added_up() -> None:
    """With what they reached, and those that broke a promise by name."""
    book = Book("build", 1)
    for seed, broken in ((1, ()), (2, ("a limit",))):
        book.count(Report(seed, broken, "", Counter({"fault: x": 2}), 600, 10, 60.0, 1.0))
    assert (book.next_seed, book.seeds, book.records, book.faults) == (3, 2, 1_200, 20)
    assert (book.broken, book.sometimes) == ([2], {"fault: x": 4})
