"""The Lua scripts: one operation a file, shared parts included by name when loaded. Only reads files; talks to nobody."""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "lua"
_INCLUDE = re.compile(r"^-- include: ([\w/]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Script:
    """One operation: its text with all parts in it, and the digest under which the server keeps it."""

    name: str
    text: str
    sha: str


@cache
def script(name: str) -> Script:
    """Return the operation `name` (the file quotas/lua/<name>.lua)."""
    text = _text(name)
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def operations() -> list[str]:
    """Return the names of all operations."""
    return sorted(file.stem for file in _FOLDER.glob("*.lua"))


@cache
def _text(name: str) -> str:
    """Return a file with the parts that it includes in their places."""
    return _INCLUDE.sub(lambda found: _text(found[1]), (_FOLDER / f"{name}.lua").read_text(encoding="utf-8"))
