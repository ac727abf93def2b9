"""Every command as the parser knows it, with words that fit: so that a new command meets the tests of bad input by itself."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from pratunam.cli import pratunam
from tests.pratunam.desk import SECRET, Desk, Told

#: words that fit, by the parameter's name, where neither "1" nor a file does; `FILE` and `DIR` stand for paths that a test has at hand
FITTING = {
    "file": "FILE",
    "folder": "DIR",
    "out": "DIR",
    "party": "P001",
    "registry": "party-members",
    "job": "JOB",
    "row": "2",
    "verdict": "accepted",
    "reason": "a test",
    "author": "a test",
    "account": "P001-01",
    "version": "1",
    "base": "1",
    "at": "2026-11-22T07:00:00+07:00",
    "deadline": "2026-11-22T07:00:00+07:00",
    "removed": "P009",
    "operation": "ADD",
    "sheet": "all",
    "ignored": "note",
    "priority": "1",
    "max_invalid": "5",
    "port": "0",
    "name": "it",
    "action": "verify",
    "subject": "P001",
    "home": "HOME",
    "address": "postgresql://gate@127.0.0.1:1/gate",
    "password_file": "FILE",
    "new": "HOME",
}
#: what names something that must be there
IDS = {"party", "registry", "job", "account", "version"}


@dataclass(frozen=True)
class Every:
    """One command: its words, and its parameters."""

    words: tuple[str, ...]
    command: click.Command

    @property
    def name(self) -> str:
        """Return it as people type it."""
        return " ".join(self.words)

    def line(self, **other: str) -> list[str]:
        """Return the command line with all that is required, and with `other`, by the parameters' names."""
        line = list(self.words)
        for parameter in self.command.params:
            name = str(parameter.name)
            if not parameter.required and name not in other:
                continue
            word = other[name] if name in other else _fitting(parameter)
            line += [word] if isinstance(parameter, click.Argument) else [parameter.opts[0], word]
        return line

    def names(self, *kinds: type[click.ParamType[Any]]) -> list[str]:
        """Return its parameters that are read as one of `kinds`."""
        return [str(each.name) for each in self.command.params if isinstance(each.type, kinds)]

    def texts(self) -> list[str]:
        """Return its parameters that are any text."""
        return [str(each.name) for each in self.command.params if each.type.name == "text"]


def _fitting(parameter: click.Parameter) -> str:
    if isinstance(parameter.type, click.Path):
        return FITTING.get(str(parameter.name), "FILE")
    return FITTING.get(str(parameter.name), "1")


def every_command() -> Iterator[Every]:
    """Yield every command; groups have none of their own."""
    context = click.Context(pratunam)
    for name in pratunam.list_commands(context):
        found = pratunam.get_command(context, name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from (Every((name, word), each) for word, each in found.commands.items())
        else:
            yield Every((name,), found)


COMMANDS = {each.name: each for each in every_command()}
#: need no home, and make their own way: nothing of a home can be wrong for them
HOMELESS = {"policy check", "registrar", "demo"}
#: make the home where there is none
MAKERS = {"up", "migrate", "policy plan", "policy apply"}
#: look at what runs before, or beside, the ledger
ALIVE = {"doctor", "worker", "scheduler", "up"}


def with_parameter(*names: str) -> list[Every]:
    """Return the commands that have one of these parameters."""
    return [each for each in COMMANDS.values() if {str(one.name) for one in each.command.params} & {*names}]


def line_of(each: Every, desk: Desk, **other: str) -> list[str]:
    """Return a command's line with paths that are there: a policy or a party's file, and a folder to make."""
    file = desk.policy() if each.name.startswith(("policy", "up")) else desk.members()
    paths = {"FILE": file, "DIR": str(desk.folder / "new")}
    return [paths.get(word, word) for word in each.line(**other)]


def refused(told: Told, *codes: int) -> str:
    """Hold what every refusal has in common; returns its words."""
    words = told.out + told.err
    assert told.code in (codes or (2,)), told
    assert told.err.strip(), "nothing was said"
    assert "Traceback" not in words
    assert "should not have happened" not in words, words
    assert any("\u0e00" <= letter <= "\u0e7f" for letter in told.err), f"no Thai: {told.err}"
    assert SECRET not in words
    return words


def refused_as_json(told: Told, *codes: int) -> None:
    """The same with --json: one value on standard output, with message and remedy in both languages."""
    refused(told, *codes)
    value = json.loads(told.out)
    assert {"error", "message_en", "message_th", "remedy_en", "remedy_th"} <= set(value)
    assert value["error"]
    assert value["message_en"]
    assert value["remedy_en"], value
    assert value["remedy_th"], value


def traces(folder: Path) -> dict[str, str]:
    """Name what lies in a folder, with its digest, and the jobs that have a key; what an engine keeps for its own use apart."""
    passing = ("-wal", "-shm", "-journal", ".lock", ".commits", "keys.db")
    return _keys_in(folder / "keys.db") | {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        # the places at which files to be taken in queue up are empty, and stay
        if path.is_file() and not path.name.endswith(passing) and path.parent.name != "places"
    }


def _keys_in(store: Path) -> dict[str, str]:
    if not store.exists():
        return {}
    with closing(sqlite3.connect(store)) as base:
        return {
            name: "a key"
            for (name,) in base.execute(
                "SELECT name FROM keys WHERE name LIKE 'job:%' AND wrapped IS NOT NULL"
            )
        }
