"""The command line as a whole: names, version, help, exit codes."""

import subprocess
import sys

import click
import pytest

from pratunam import __version__
from pratunam.cli import pratunam
from tests.pratunam.desk import Desk

COMMANDS = pratunam.list_commands(click.Context(pratunam))


def test_the_version_is_told(bare: Desk) -> None:
    """As the code says, without any package's metadata."""
    assert bare.run("--version").out.split() == ["pratunam", __version__]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_home_and_json(bare: Desk, command: str) -> None:
    """A sentence of help, and `--home` and `--json` after each command or each word of a group."""
    found = pratunam.get_command(click.Context(pratunam), command)
    assert found is not None
    words = [found.commands[name] for name in found.commands] if isinstance(found, click.Group) else [found]
    for word in words:
        assert word.help
        options = {name for parameter in word.params for name in parameter.opts}
        assert {"--home", "--json"} <= options
    assert bare.run(command, "--help").code == 0
    assert not bare.home.exists()


def test_a_command_that_is_not_there_ends_with_2(bare: Desk) -> None:
    """Unknown commands and options are faults of the command line."""
    told = bare.run("sumbit")
    assert told.code == 2
    assert "'submit'" in told.err
    assert "หมายถึง submit หรือไม่" in told.err
    assert bare.run("jobs", "--colour").code == 2


def test_a_misspelt_setting_is_refused_with_a_suggestion(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is opened, as JSON too."""
    monkeypatch.setenv("PRATUNAM_REDIS_ULR", "x")
    told = desk.run("jobs", "--json")
    assert told.code == 2
    assert told.json["error"] == "bad-setting"
    assert "PRATUNAM_REDIS_URL" in told.json["remedy_en"]


def test_the_home_can_be_named_after_the_command(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--home` wins over the environment."""
    monkeypatch.delenv("PRATUNAM_HOME")
    assert desk.run("jobs", "--home", str(desk.home), "--json").json == []
    assert "no home" in desk.run("jobs", "--home", str(desk.folder / "other")).err


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        ("jobs state stopping submitting", {"polars", "dramatiq", "fastexcel", "aiohttp", "holidays"}),
        ("policies processes .up", {"polars", "geothai", "dramatiq", "fastexcel"}),
    ],
)
def test_starting_loads_neither_polars_nor_dramatiq(modules: str, heavy: set[str]) -> None:
    """`--help`, and the modules behind commands and behind what keeps the processes running, leave heavy libraries alone."""
    program = (
        "import importlib, sys, pratunam.cli\n"
        f"for name in {modules.split()}: importlib.import_module('.' + name, 'pratunam.commands')\n"
        f"sys.exit(' '.join({heavy} & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
