"""Bad input for each command: a message that names the place and the remedy, an exit code that is not 0, and nothing half done.

The commands come from the parser, so a new one is met here without a line; one whose words must be of a kind has them in `every`.
"""

from collections.abc import Callable
from pathlib import Path

import click
import pytest

from tests.pratunam.commands.every import (
    COMMANDS,
    HOMELESS,
    IDS,
    line_of,
    refused,
    refused_as_json,
    traces,
    with_parameter,
)
from tests.pratunam.desk import Desk


def test_an_option_that_is_not_there_ends_with_2(bare: Desk) -> None:
    """It is named, and where the help is; nothing is made."""
    for name, each in COMMANDS.items():
        words = refused(bare.run(*each.line(), "--colour", "red"))
        assert "--colour" in words
        assert f"pratunam {name} --help" in words
        refused_as_json(bare.run(*each.line(), "--colour", "--json"))
    assert not bare.home.exists()


def test_a_word_too_many_ends_with_2(bare: Desk) -> None:
    """Nobody's typing is taken for something else."""
    for name, each in COMMANDS.items():
        refused(bare.run(*each.line(), *(["verify"] if name == "audit" else []), "superfluous"))
    assert not bare.home.exists()


def test_what_is_required_and_missing_is_named(bare: Desk) -> None:
    """The first that is missing, by the name that the help gives it; also as JSON."""
    for each in COMMANDS.values():
        required = [one for one in each.command.params if one.required]
        if required:
            words = refused(bare.run(*each.words))
            assert any(
                one.make_metavar(click.Context(each.command)) in words or one.opts[0] in words
                for one in required
            )
            refused_as_json(bare.run(*each.words, "--json"))


def test_numbers_and_words_from_a_list_are_held_to_what_they_may_be(bare: Desk) -> None:
    """No number, too large a number, a word that is not in the list."""
    for each in COMMANDS.values():
        for parameter in each.names(click.types.IntParamType, click.types.FloatParamType, click.Choice):
            for wrong in ("nonsense", "", "-99999999999999999999", "99999999999999999999"):
                refused(bare.run(*each.line(**{parameter: wrong})))
    assert not bare.home.exists()


def test_a_reason_of_blanks_is_none(desk: Desk) -> None:
    """What everybody reads, or the audit keeps, must say something."""
    before = traces(desk.home)
    for each in with_parameter("reason"):
        assert "--reason" in refused(desk.run(*line_of(each, desk, reason=" ")))
    assert traces(desk.home) == before


def test_an_instant_is_rfc_3339_with_its_offset(desk: Desk) -> None:
    """A time without an offset would mean another moment on another machine."""
    before = traces(desk.home)
    for each in with_parameter("at", "deadline"):
        (parameter,) = {str(one.name) for one in each.command.params} & {"at", "deadline"}
        for wrong in ("tomorrow", "2026-13-01T00:00:00+07:00", "2026-11-22T07:00:00", "99999-01-01"):
            refused(desk.run(*line_of(each, desk, **{parameter: wrong})))
    assert traces(desk.home) == before


def test_an_id_of_nothing_is_named_with_what_to_do(desk: Desk) -> None:
    """Job, party, registry, account, version: one after the other is unknown, and nothing changes."""
    before = traces(desk.home)
    for each in with_parameter(*IDS):
        for parameter in {str(one.name) for one in each.command.params} & IDS:
            wrong = "77" if parameter == "version" else "NOPE"
            line = line_of(each, desk, **{parameter: wrong})
            assert wrong in refused(desk.run(*line, say="secret\n")), line
            refused_as_json(desk.run(*line, "--json", say="secret\n"))
    assert traces(desk.home) == before
    assert not (desk.folder / "new").exists()


def test_bytes_that_are_no_text_are_refused(desk: Desk) -> None:
    """A terminal of another encoding hands in what no id can be; nothing is done with half of it."""
    before = traces(desk.home)
    for name in sorted(set(COMMANDS) - HOMELESS):
        for parameter in COMMANDS[name].texts():
            line = line_of(COMMANDS[name], desk, **{parameter: "\udcfe\udcff"})
            assert "UTF-8" in refused(desk.run(*line)), line
    assert traces(desk.home) == before


#: what may stand where a file of text is expected
BAD_FILES: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "behind a file": lambda path: None,
    "empty": lambda path: path.write_bytes(b""),
    "junk": lambda path: path.write_bytes(bytes(range(256)) * 9),
    "zeros": lambda path: path.write_bytes(bytes(900)),
    "Windows-874": lambda path: path.write_bytes("ชื่อ=ก\nข,ค\n".encode("cp874")),
    "a picture": lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99)),
    "a link in a circle": lambda path: path.symlink_to(path),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_file_that_cannot_be_read_is_named(desk: Desk, kind: str) -> None:
    """Whatever stands in its place; the exit code is 2 and nothing is kept."""
    path = desk.folder / "it" / "bad"
    path.parent.mkdir()
    if kind == "behind a file":
        path.parent.rmdir()
        path.parent.write_text("a file")
    BAD_FILES[kind](path)
    before = traces(desk.home)
    for each in with_parameter("file"):
        if (each.name, kind) in {("account secret", "zeros"), ("up", "empty"), ("up", "zeros")}:
            continue  # a password may be any text; a home with a policy keeps its own
        words = refused(desk.run(*each.line(file=str(path))))
        assert "bad" in words or kind not in ("missing", "a folder", "a link in a circle"), words
        refused_as_json(desk.run(*each.line(file=str(path)), "--json"))
    assert traces(desk.home) == before


def test_a_folder_that_cannot_be_written_is_named_before_any_work(desk: Desk) -> None:
    """A file stands there, or in its way; nothing of it is made."""
    file = Path(desk.write("taken", "a file"))
    job = desk.submitted(desk.members())
    desk.check(job)
    for each in with_parameter("folder", "out"):
        (parameter,) = {str(one.name) for one in each.command.params} & {"folder", "out"}
        for place in (file, file / "below" / "it"):
            told = desk.run(*line_of(each, desk, **{parameter: str(place), "job": job}))
            assert "taken" in refused(told)
    assert file.read_text() == "a file"
