"""The scripts as text: their parts are found, and none makes a key of its own."""

import re
from pathlib import Path

import quotas
from quotas.scripts import operations, script

LUA = Path(quotas.__file__).parent / "lua"


def test_every_part_is_in_its_place() -> None:
    """No include is left open, each part stands once, and the digest is that of the whole text."""
    for name in operations():
        text = script(name).text
        assert "-- include:" not in text, name
        assert text.count("local function open_gate()") == (0 if name == "lead" else 1), name
        assert len(script(name).sha) == 40


def test_every_part_is_used() -> None:
    """No file of Lua lies about unused."""
    parts = {file.relative_to(LUA).with_suffix("").as_posix() for file in LUA.glob("parts/*.lua")}
    included = {
        found for file in LUA.rglob("*.lua") for found in re.findall(r"-- include: (\S+)", file.read_text())
    }
    assert included == parts


def test_no_key_is_made_in_lua() -> None:
    """Every command names a key that was given (KEYS, or `key` handed on from there)."""
    calls = [
        (file.name, first)
        for file in LUA.rglob("*.lua")
        for command, first in re.findall(r"redis\.call\('(\w+)'(?:, ([^,)]+))?", file.read_text())
        if command not in {"TIME", "INFO"}  # of the server, not of a key
    ]
    assert len(calls) > 15
    assert [(file, first) for file, first in calls if not re.fullmatch(r"KEYS\[(\d|i)\]?|key", first)] == []
