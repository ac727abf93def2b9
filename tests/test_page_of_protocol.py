"""docs/protocol.md agrees with the reference registrar, which speaks the protocol, and with the gate's own reading of it."""

import json
import re

import pytest

from domain.states import Shape
from registrar.answers import PROBLEMS
from tests.pages import blocks, page, rows, sections
from workers.wires.reading import read_line

PAGE = page("protocol.md")


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_problem_stands_there_beside_its_status(code: str) -> None:
    """Each code that a request can be refused with is told on one line with its status."""
    status = str(PROBLEMS[code][0])
    assert [line for line in PAGE.splitlines() if f"`{code}`" in line and status in line] != []


def test_every_status_of_a_line_can_be_read() -> None:
    """Each status of the table of answer lines, with the members beside it, is one that the gate understands."""
    table = [row for row in rows(sections(PAGE, 2)["Records"]) if len(row) == 3]
    assert len(table) == 5
    members = {"receipt": "r", "code": "c", "field": "f", "message_th": "m", "message_en": "m", "key": "k"}
    for status, others, _ in table:
        line = {name: members[name] for name in re.findall(r"`(\w+)`", others) if name in members}
        read_line(json.dumps({"status": status.strip("`"), **line}).encode())


def test_every_shape_stands_there() -> None:
    """The table of shapes is the gate's own list."""
    assert [row[0] for row in rows(sections(PAGE, 2)["Three shapes"])] == [f"`{shape}`" for shape in Shape]


def test_every_body_of_an_example_is_json() -> None:
    """Each body shown on the page, line by line where it is ndjson, can be read as JSON."""
    shown = 0
    for block in blocks(PAGE, "http"):
        head, _, body = block.partition("\n\n")
        for text in body.strip().splitlines() if "ndjson" in head else [body]:
            assert isinstance(json.loads(text), dict)
            shown += 1
    assert shown == 4
