"""Reads one table of the policy file into its struct: every unknown, missing or wrong name with its line, and what to do."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from pratunam.policy.faults import Faults
from pratunam.policy.locate import Path
from pratunam.policy.schema import TABLES, File
from pratunam.policy.value_words import missing, must_be, wrong_value

Table = TypeVar("Table", bound=msgspec.Struct)


def read_table(raw: object, kind: type[Table], path: Path, faults: Faults) -> Table | None:
    """Return the table at `path`, or None when it cannot be read; all its faults are noted.

    Names that nobody knows are left out, so that what else is wrong with the file is told at the same time.
    """
    _note_wrong(raw, kind, path, faults)
    known = {field.encode_name for field in msgspec.structs.fields(kind)}
    if isinstance(raw, Mapping):
        raw = {name: value for name, value in raw.items() if name in known}
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError:
        return None


def _note_wrong(raw: object, kind: type[msgspec.Struct], path: Path, faults: Faults) -> None:
    if not isinstance(raw, Mapping):
        faults.add(path, *must_be(raw, kind))
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name, value in raw.items():
        at = [*path, name]
        if name not in fields:
            faults.unknown(at, fields)
        elif name in TABLES and kind is not File and isinstance(value, Mapping | list):
            _note_wrong_below(value, TABLES[name], fields[name].type, at, faults)
        elif (words := wrong_value(value, fields[name].type)) is not None:
            faults.add(at, *words)
    for name, field in fields.items():
        if field.required and name not in raw:
            faults.add(path, *missing(name))


def _note_wrong_below(
    value: Mapping[str, object] | list[object],
    kind: type[msgspec.Struct],
    whole: object,
    path: Path,
    faults: Faults,
) -> None:
    """Look into a table, or a list of tables, that stands in another; `whole` is the type of the place."""
    if isinstance(value, list) and all(isinstance(entry, Mapping) for entry in value):
        for index, entry in enumerate(value):
            _note_wrong(entry, kind, [*path, index], faults)
    elif isinstance(value, Mapping) and whole is kind:
        _note_wrong(value, kind, path, faults)
    elif (words := wrong_value(value, whole)) is not None:
        faults.add(path, *words)
