"""docs/command-line.md names every command, argument, option and setting that there is, with its default, and no other."""

from collections.abc import Iterator
from dataclasses import fields

import click
import pytest

from pratunam.cli import pratunam
from pratunam.settings import Settings
from tests.pages import page, rows, sections

PAGE = page("command-line.md")
FOR_ALL = {"--home", "--json"}


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its whole name."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for each in command.list_commands(context):
        below = command.get_command(context, each)
        assert below is not None
        yield from commands(below, f"{name} {each}")


COMMANDS = dict(commands(pratunam, "pratunam"))


def heading_of(name: str) -> str:
    """The heading under which a command stands: its name, then its arguments."""
    arguments = [p for p in COMMANDS[name].params if isinstance(p, click.Argument)]
    words = [p.metavar or p.human_readable_name for p in arguments]
    marked = [w if p.required else f"[{w}]" for p, w in zip(arguments, words, strict=True)]
    return f"`{' '.join([name, *marked])}`"


def default_of(option: click.Option) -> str:
    """An option's default as the page writes it."""
    if option.required:
        return "required"
    if option.is_flag:
        return "off"
    default = option.get_default(click.Context(click.Command("any")))
    if option.multiple or (not default and default != 0):
        return "–"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def test_every_command_stands_there_and_no_other() -> None:
    """The headings of the page are the commands with their arguments."""
    assert set(sections(PAGE)) == {heading_of(name) for name in COMMANDS}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_stands_there_with_its_default(name: str) -> None:
    """Below each command stand its options and their defaults, but for those that every command has."""
    options = [p for p in COMMANDS[name].params if isinstance(p, click.Option)]
    assert {p.opts[0] for p in options} >= FOR_ALL
    written = {row[0].strip("`").split()[0]: row[1] for row in rows(sections(PAGE)[heading_of(name)])}
    assert written == {p.opts[0]: default_of(p) for p in options if p.opts[0] not in FOR_ALL}


def test_every_setting_stands_there_with_default_unit_and_help() -> None:
    """The page lists each field of the settings as the code tells it."""
    written = [[row[0].strip("`"), *row[1:]] for row in rows(sections(PAGE, 2)["Settings"])]
    told = [
        [
            f"PRATUNAM_{field.name.upper()}",
            f"`{field.default}`" if field.default not in (None, "") else "none",
            field.metadata["unit"].replace("|", " or "),
            field.metadata["help"],
        ]
        for field in fields(Settings)
    ]
    assert written == told
