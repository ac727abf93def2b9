"""What the links' faults know of what they do: which keys the registrar meets again when bytes are delivered twice."""

import msgspec
import pytest

from tests.gauntlet.bad_links import keys_of
from workers.wires.connecting import door_of


@pytest.mark.parametrize(
    ("method", "path", "body", "keys"),
    [
        ("POST", "/records/stream", b'{"key": "a-1", "x": 1}\n{"key":"a-2"}\n', ["a-1", "a-2"]),
        ("GET", "/records/a-1", b"", ["a-1"]),
        ("PUT", "/records/a-3", msgspec.json.encode({"national_id": "x"}), ["a-3"]),
        ("POST", "/sessions", b"{}", []),
    ],
)
def test_keys_are_known_of_records_and_of_questions(
    method: str, path: str, body: bytes, keys: list[str]
) -> None:
    """A body names the keys of its records, a path that of the one record that it is about."""
    head = door_of("http://127.0.0.1:1").head(method, f"/v1/registries/members{path}", {})
    assert keys_of(head + body) == keys
