"""The master key: made once, readable by its owner alone."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from domain.errors import BadSetting
from pratunam.master_key import make_master_key, read_master_key


def test_a_key_is_made_once(tmp_path: Path) -> None:
    """32 bytes, mode 0400; a second making changes nothing."""
    path = tmp_path / "deep" / "gate.key"
    assert make_master_key(path)
    key = read_master_key(path)
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o400
    assert not make_master_key(path)
    assert read_master_key(path) == key
    assert [each.name for each in path.parent.iterdir()] == ["gate.key"]


def test_many_at_once_make_one_key(tmp_path: Path) -> None:
    """Exactly one of them made it, and no draft is left."""
    path = tmp_path / "gate.key"
    with ThreadPoolExecutor(16) as threads:
        made = list(threads.map(make_master_key, [path] * 32))
    assert sum(made) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["gate.key"]


@pytest.mark.parametrize(
    ("content", "mode", "word"),
    [(None, 0, "no master key"), (b"k" * 32, 0o440, "chmod 0400"), (b"short", 0o400, "32 bytes")],
)
def test_a_key_that_will_not_do_is_refused(
    tmp_path: Path, content: bytes | None, mode: int, word: str
) -> None:
    """Missing, readable by others, or of the wrong length: the message says so and never the key."""
    path = tmp_path / "gate.key"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(BadSetting) as caught:
        read_master_key(path)
    assert word in str(caught.value)
    assert "kkk" not in str(caught.value)
