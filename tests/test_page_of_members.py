"""docs/party-members.md tells parties every column, every word and every fault, as the profile has them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from intake.look import TEMPLATES
from intake.results import OWN_COLUMNS
from profiles.party_members import messages, words
from profiles.party_members.fields import ENGLISH, FIELDS, OPERATIONS
from profiles.profile import Need
from tests.pages import page, rows, sections

PAGE = page("party-members.md")
LETTERS = {Need.REQUIRED: "R", Need.OPTIONAL: "O", None: "–"}
FAULTS: dict[str, Mapping[str, messages.Message]] = {
    "Any cell · ทุกช่อง": messages.CELL,
    "Who it is · ตัวบุคคล": messages.IDENTITY,
    "Dates · วันที่": messages.DATES,
    "Address · ที่อยู่": messages.ADDRESS,
    "Membership · สมาชิกภาพ": messages.MEMBERSHIP,
    "Rows against each other · ระหว่างแถว": messages.ACROSS_ROWS,
    "Columns · หัวคอลัมน์": messages.COLUMNS,
}
WORDS: dict[str, Mapping[str, str]] = {
    "operation": words.OPERATION,
    "nationality_kind": words.NATIONALITY,
    "member_kind": words.MEMBER_KIND,
    "end_reason": words.END_REASON,
    "qualification_declared": words.YES_NO,
}


def test_every_column_stands_there_with_its_headers_and_needs() -> None:
    """The table of columns is that of the profile: names, headers, and what each operation wants."""
    told = []
    for field in FIELDS.values():
        english = [f"`{header}`" for header, name in ENGLISH.items() if name == field.name]
        needs = [LETTERS[field.needs.get(operation)] for operation in OPERATIONS]
        told.append([f"`{field.name}`", ", ".join(field.headers), ", ".join(english) or "–", *needs])
    assert rows(sections(PAGE, 2)["Columns · คอลัมน์"]) == told


def test_the_template_has_every_column_under_its_first_header() -> None:
    """Refusals name its folder; whoever fills it in is understood, in every spreadsheet program."""
    text = (Path(__file__).parents[1] / TEMPLATES / "party-members.csv").read_bytes().decode("utf-8-sig")
    assert text.splitlines() == [",".join(f.headers[0] for f in FIELDS.values() if f.name != "row_no")]


@pytest.mark.parametrize("heading", FAULTS)
def test_every_fault_stands_there_in_both_languages(heading: str) -> None:
    """Each table of faults holds the profile's own words, remedy included."""
    told = [[f"`{code}`", m.en, m.th, m.remedy_en, m.remedy_th] for code, m in FAULTS[heading].items()]
    assert rows(sections(PAGE)[heading]) == told


def test_no_fault_is_left_out() -> None:
    """The tables together hold every code of the profile."""
    assert {code for table in FAULTS.values() for code in table} == set(messages.ALL)


def test_every_word_that_is_read_stands_there() -> None:
    """The table of words holds each word of each field, beside the code that it is read as."""
    written = {(row[0], row[1]): row[2] for row in rows(PAGE) if row[0].strip("`") in WORDS and len(row) == 3}
    told: dict[tuple[str, str], list[str]] = {}
    for field, table in WORDS.items():
        for word, code in table.items():
            others = told.setdefault((f"`{field}`", f"`{code}`"), [])
            others.extend([word] if word != code else [])
    assert written == {place: ", ".join(others) for place, others in told.items()}


def test_every_column_of_the_results_stands_there() -> None:
    """The page names each column that the gate adds to results."""
    assert [column for column in OWN_COLUMNS if f"`{column}`" not in PAGE] == []
