"""A home that is not as it should be: every command says what is wrong with it and what to do, and leaves it as it is."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pratunam.settings import read_settings
from tests.pratunam.commands.every import (
    ALIVE,
    COMMANDS,
    HOMELESS,
    MAKERS,
    line_of,
    refused,
    refused_as_json,
    traces,
)
from tests.pratunam.desk import Desk


def _junk_ledger(home: Path) -> None:
    for path in home.glob("ledger.db*"):
        path.unlink()
    (home / "ledger.db").write_bytes(bytes(range(256)) * 32)


def _junk_keys(home: Path) -> None:
    (home / "keys.db").write_bytes(bytes(range(256)) * 32)


def _newer(home: Path) -> None:
    with closing(sqlite3.connect(home / "ledger.db")) as base:
        base.execute("UPDATE alembic_version SET version_num = '9999'")
        base.commit()


def _a_file(home: Path) -> None:
    shutil.rmtree(home)
    home.write_text("a file")


def _key_is_a_folder(home: Path) -> None:
    read_settings(home).master_key_path.unlink()
    read_settings(home).master_key_path.mkdir()


def _other_key(home: Path) -> None:
    path = read_settings(home).master_key_path
    path.unlink()
    path.write_bytes(bytes(32))
    path.chmod(0o400)


def _short_key(home: Path) -> None:
    path = read_settings(home).master_key_path
    path.chmod(0o600)
    path.write_bytes(b"short")


#: what may be wrong with a home, and a word that must be said of it
BAD_HOMES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a file": (_a_file, "home"),
    "junk for a ledger": (_junk_ledger, "ledger.db"),
    "junk for keys": (
        _junk_keys,
        "keys.db",
    ),
    "a newer version": (_newer, "newer"),
    "another master key": (_other_key, "PRATUNAM_MASTER_KEY_FILE"),
    "a short master key": (_short_key, "32 bytes"),
    "a folder for a key": (_key_is_a_folder, "PRATUNAM_MASTER_KEY_FILE"),
    "a key for all": (lambda home: read_settings(home).master_key_path.chmod(0o444), "chmod 0400"),
}


@pytest.mark.parametrize("kind", BAD_HOMES)
def test_what_is_wrong_with_a_home_is_said_by_every_command(desk: Desk, kind: str, server: str) -> None:
    """Each names the place and the remedy, and leaves the home as it is."""
    spoil, word = BAD_HOMES[kind]
    lines = {name: line_of(COMMANDS[name], desk) for name in sorted(set(COMMANDS) - HOMELESS)}
    spoil(desk.home)
    before = traces(desk.folder)
    for name, line in lines.items():
        told = desk.run(*line, "--json", say="secret\n")
        if name == "doctor":
            assert told.code == 1
            assert any(not one["ok"] and one["remedy"] for one in told.json["findings"])
        else:
            refused_as_json(told)
            assert word in told.err, (name, told.err)
    assert traces(desk.folder) == before


def test_a_home_that_is_not_there_is_not_made_by_looking(bare: Desk) -> None:
    """The message says how to make one."""
    for name in sorted(set(COMMANDS) - HOMELESS - MAKERS - {"doctor", "worker", "scheduler"}):
        assert "pratunam up" in refused(bare.run(*line_of(COMMANDS[name], bare), say="secret\n")), name
    assert not bare.home.exists()
    assert not bare.home.with_name("home.key").exists()


def test_a_wrong_policy_makes_no_home(bare: Desk) -> None:
    """What is wrong with the file is said first."""
    file = bare.write("wrong.toml", "format = 1\n[registry.party-members]\nrat = 3\n")
    for line in (["policy", "plan"], ["policy", "apply", "--reason", "x"], ["up", "--policy"]):
        assert "line 3" in refused(bare.run(*line, file))
    assert not bare.home.exists()
    assert not bare.home.with_name("home.key").exists()


def test_where_nothing_runs_a_process_that_needs_it_ends_with_4(desk: Desk) -> None:
    """No Redis is known."""
    for name in ("worker", "scheduler"):
        refused(desk.run(name), 4)


def test_an_address_that_is_none_is_a_setting_that_is_wrong(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the command would have done with it."""
    monkeypatch.setenv("PRATUNAM_REDIS_URL", "nonsense")
    for name in sorted(set(COMMANDS) - {"demo"}):
        assert "PRATUNAM_REDIS_URL" in refused(desk.run(*line_of(COMMANDS[name], desk)))


def test_a_redis_that_is_away_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What must run ends at once; the ledger is left alone, and what does not need it works."""
    monkeypatch.setenv("PRATUNAM_REDIS_URL", f"unix://{desk.folder}/nobody.sock")
    before = traces(desk.home)
    for name in ("up", "worker", "scheduler"):
        assert "PRATUNAM_REDIS_URL" in refused(desk.run(name))
    assert traces(desk.home) == before
    assert [desk.run(*words).code for words in (["status"], ["jobs"], ["hold", "--reason", "x"])] == [0, 0, 0]


def test_a_ledger_that_somebody_else_has_locked_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup program, an SQL shell: nothing is changed, and the message says what to do."""
    monkeypatch.setattr("ledger.sqlite.BUSY_MS", 20)
    lines = [line_of(COMMANDS[name], desk) for name in sorted(set(COMMANDS) - HOMELESS - ALIVE)]
    with closing(sqlite3.connect(desk.home / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for line in lines:
            refused(desk.run(*line, say="secret\n"), 1)
        other.execute("ROLLBACK")


def test_the_tables_name_what_is_there() -> None:
    """A name that went out of use would exclude nothing."""
    assert set(COMMANDS) >= HOMELESS | MAKERS | ALIVE
