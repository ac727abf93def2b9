"""A key's line is found in any shape of TOML, and in a policy of many parties without reading it again and again."""

import tomllib
from unittest import mock

import pytest

from pratunam.policy.locate import LineFinder

TEXT = """\
format = 1
top.dotted = 2

[registry.members]   # a table
rate = 8
words = [
  "a",
  [1],
]
[registry.members.brake]
floor = 0.1
[[party.P1.account]]
id = "P1-1"
note = '''
[no.header]
'''
kind = "base"
[party.P1]
name = "One"
[[party.P1.account]]
id = "P1-2"
[party.P1.account.more]
of = "the second"
["party"."P 2"]
name = "Two"
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (["format"], 1),
        (["top", "dotted"], 2),
        (["registry"], 4),
        (["registry", "members"], 4),
        (["registry", "members", "rate"], 5),
        (["registry", "members", "words"], 9),
        (["registry", "members", "words", 1], 9),
        (["registry", "members", "brake", "floor"], 11),
        (["party", "P1", "account"], 12),
        (["party", "P1", "account", 0, "kind"], 17),
        (["party", "P1", "name"], 19),
        (["party", "P1", "account", 1], 20),
        (["party", "P1", "account", 1, "id"], 21),
        (["party", "P1", "account", 1, "more", "of"], 23),
        (["party", "P 2", "name"], 25),
        (["party", "P 2", "absent"], 24),
        (["no", "such"], 1),
    ],
)
def test_a_path_has_the_line_on_which_it_is_complete(path: list[str | int], line: int) -> None:
    """Tables, arrays of tables and tables in them, dotted and quoted keys, and values over several lines."""
    assert tomllib.loads(TEXT)
    assert LineFinder(TEXT).line_of(path) == line


def test_many_lines_are_found_without_reading_the_text_over_and_over() -> None:
    """What is handed to the reader in all grows as the text does, not as its square."""
    tables = [f'[[party.P{n}.account]]\nid = "{n}"\nsecret = "plain:s"\n' for n in range(500)]
    text = "".join(tables)
    read: list[int] = []
    loads = tomllib.loads

    def counting(part: str) -> dict[str, object]:
        read.append(len(part))
        return loads(part)

    with mock.patch("pratunam.policy.locate.tomllib.loads", counting):
        finder = LineFinder(text)
        lines = [finder.line_of(["party", f"P{n}", "account", 0, "secret"]) for n in range(500)]
    assert lines == [3 * n + 3 for n in range(500)]
    assert sum(read) < 8 * len(text)
