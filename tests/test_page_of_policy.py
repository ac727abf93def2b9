"""docs/policy-file.md holds the whole vocabulary of the policy file, with its defaults, and examples that can be read."""

import msgspec
import pytest

from pratunam.policy import schema
from pratunam.policy.read import read_policy
from tests.pages import blocks, page, rows, sections

PAGE = page("policy-file.md")
HEADINGS: dict[str, type[msgspec.Struct]] = {
    "The file itself": schema.File,
    "`[registry.NAME]`": schema.Registry,
    "`[registry.NAME.brake]`": schema.Brake,
    "`[[registry.NAME.window]]` and `[[party.ID.window]]`": schema.Window,
    "`[[registry.NAME.closed]]`": schema.Closed,
    "`[party.ID]`": schema.Party,
    "`[[party.ID.account]]`": schema.Account,
    "`[[party.ID.limits]]`": schema.Limits,
    "`[notice]`": schema.Notice,
    "`[retention]`": schema.Retention,
}


def default_of(field: msgspec.structs.FieldInfo) -> str:
    """A field's default as the page writes it."""
    if field.required:
        return "required"
    if field.default is msgspec.NODEFAULT:
        return "see below" if field.default_factory is schema.Brake else "none"
    if field.default is None or field.default in ([], {}):
        return "none"
    if isinstance(field.default, str):
        return f'`"{field.default}"`'
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    return f"`{field.default:g}`" if field.default < 1000 else f"`{field.default}`"


@pytest.mark.parametrize("heading", HEADINGS)
def test_every_name_of_a_table_stands_there_with_its_default(heading: str) -> None:
    """Each table of the page lists the names that its struct knows, in any order, with their defaults, and no other."""
    written = {row[0].strip("`"): row[1] for row in rows(sections(PAGE)[heading])}
    assert written == {f.encode_name: default_of(f) for f in msgspec.structs.fields(HEADINGS[heading])}


def test_every_table_of_the_vocabulary_has_its_heading() -> None:
    """No struct of the schema is left out of the page."""
    assert {schema.File, *schema.TABLES.values()} == set(HEADINGS.values())


@pytest.mark.parametrize("example", list(blocks(PAGE, "toml")))
def test_every_example_is_read_without_a_warning(example: str) -> None:
    """Each example of the page is a whole policy file that the gate takes."""
    assert read_policy(example).warnings == ()
