"""Reads one table of the policy file into its struct: every unknown name with a suggestion, the first wrong type with its line."""

from collections.abc import Mapping
from typing import Literal, TypeVar, get_args, get_origin

import msgspec

from pratunam.policy.faults import Faults
from pratunam.policy.locate import Path
from pratunam.policy.schema import TABLES, File

Table = TypeVar("Table", bound=msgspec.Struct)


def read_table(raw: object, kind: type[Table], path: Path, faults: Faults) -> Table | None:
    """Return the table at `path`, or None when it has faults (all noted)."""
    if not isinstance(raw, Mapping):
        faults.add(path, "must be a table", "ต้องเป็นตาราง")
        return None
    before = len(faults.faults)
    _note_unknown(raw, kind, path, faults)
    if len(faults.faults) > before:
        return None
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        message, inner = _split(str(error))
        words = _words_of(kind, inner) if message.startswith("Invalid enum value") else ""
        if words:
            faults.add([*path, *inner], f"must be one of {words}", f"ต้องเป็นหนึ่งใน {words}")
            return None
        faults.add([*path, *inner], message, f"ค่าไม่ถูกต้อง ({message})")
        return None


def _words_of(kind: type[msgspec.Struct], inner: list[str | int]) -> str:
    """Return the words that may stand at a place, for a field that takes a word from a list."""
    for struct in (kind, *TABLES.values()):
        for field in msgspec.structs.fields(struct):
            if inner and field.encode_name == inner[-1] and get_origin(field.type) is Literal:
                return ", ".join(get_args(field.type))
    return ""


def _note_unknown(raw: Mapping[str, object], kind: type[msgspec.Struct], path: Path, faults: Faults) -> None:
    known = [field.encode_name for field in msgspec.structs.fields(kind)]
    for name, value in raw.items():
        if name not in known:
            faults.unknown([*path, name], known)
        elif name in TABLES and kind is not File:  # the file's own tables are read one by one
            _note_unknown_below(value, TABLES[name], [*path, name], faults)


def _note_unknown_below(value: object, kind: type[msgspec.Struct], path: Path, faults: Faults) -> None:
    if isinstance(value, Mapping):
        _note_unknown(value, kind, path, faults)
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            if isinstance(entry, Mapping):
                _note_unknown(entry, kind, [*path, index], faults)


def _split(text: str) -> tuple[str, list[str | int]]:
    """Split msgspec's "Expected `int`, got `str` - at `$.window[0].from`" into message and path."""
    message, _, where = text.partition(" - at `$")
    steps: list[str | int] = []
    for piece in where.rstrip("`").replace("[", ".[").split("."):
        if piece.startswith("["):
            inside = piece.strip("[]")
            steps.append(int(inside) if inside.isdigit() else inside)
        elif piece:
            steps.append(piece)
    return message, [step for step in steps if step != "..."]
