"""The blind index: equal for the same person of the same party and registry under one key, and telling nothing otherwise."""

from pathlib import Path

import polars as pl
import pytest

from intake.frames import TableChunk
from intake.persons import Persons
from ledger.boxes import INDEX_BYTES, PERSON_BYTES

KEY = b"k" * 32
PEOPLE = ["1101700203450", "3100600123452", "ก" * 40, ""]


def blind(
    folder: Path, people: list[str], key: bytes = KEY, registry: str = "r", party: str = "P1"
) -> list[bytes]:
    """Return what the index keeps of these persons."""
    folder.mkdir()
    persons = Persons(folder, key, registry, party, len(people))
    good = pl.DataFrame(
        {"_position": range(len(people)), "operation": "ADD", "person": people, "member_no": people},
        schema_overrides={"_position": pl.UInt32},
    )
    rows = pl.Series("_row", range(len(people)), dtype=pl.UInt32)
    persons.add(good, [b"{}"] * len(people), TableChunk(0, len(people), "", False, b""), rows)
    index = (folder / "index").read_bytes()
    return [index[at : at + PERSON_BYTES] for at in range(0, len(index), INDEX_BYTES)]


def test_the_same_person_is_found_again(tmp_path: Path) -> None:
    """In another file, at another place of it, whoever stands beside."""
    assert blind(tmp_path / "a", PEOPLE) == blind(tmp_path / "b", PEOPLE[::-1])[::-1]
    assert len(set(blind(tmp_path / "c", PEOPLE))) == len(PEOPLE)


@pytest.mark.parametrize("other", [{"key": b"K" * 32}, {"registry": "r2"}, {"party": "P2"}])
def test_nobody_learns_from_it_who_is_in_two_parties(tmp_path: Path, other: dict[str, str]) -> None:
    """Under another key, in another registry, for another party the same person looks like somebody else."""
    here, there = blind(tmp_path / "a", PEOPLE), blind(tmp_path / "b", PEOPLE, **other)  # type: ignore[arg-type]  # by name
    assert not set(here) & set(there)
    assert not any(person.encode() in entry for person in PEOPLE[:2] for entry in here)
