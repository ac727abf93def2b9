"""Settings come from the environment, whole or not at all."""

from dataclasses import fields
from pathlib import Path

import pytest

from domain.errors import BadSetting
from pratunam.settings import Settings, read_settings


def test_every_setting_has_a_unit_and_a_line_of_help() -> None:
    """No setting is without words; `doctor` shows them."""
    assert all(entry.metadata["unit"] and entry.metadata["help"] for entry in fields(Settings))


def test_settings_are_read_from_the_environment() -> None:
    """Numbers as numbers, paths as paths, and what is not set by default."""
    found = read_settings(
        None,
        {
            "PRATUNAM_HOME": "/srv/gate",
            "PRATUNAM_WORKER_PROCESSES": "3",
            "PRATUNAM_LOG_FORMAT": "json",
            "OTHER": "x",
        },
    )
    assert (found.home, found.worker_processes, found.log_format) == (Path("/srv/gate"), 3, "json")
    assert found.worker_sessions == Settings().worker_sessions


def test_a_home_that_is_named_wins() -> None:
    """`--home` before PRATUNAM_HOME; a relative one is made absolute."""
    found = read_settings(Path("here"), {"PRATUNAM_HOME": "/srv/gate"})
    assert found.home == Path.cwd() / "here"


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({"PRATUNAM_WORKER_PROCESES": "1"}, "PRATUNAM_WORKER_PROCESSES"),
        ({"PRATUNAM_ZZZ": "1"}, "command-line.md"),
        ({"PRATUNAM_PORT": "http"}, "whole number"),
        ({"PRATUNAM_PORT": "٣"}, "whole number"),
        ({"PRATUNAM_PORT": "65536"}, "from 0 to 65535"),
        ({"PRATUNAM_PORT": "9" * 5000}, "from 0 to 65535"),
        ({"PRATUNAM_WORKER_SESSIONS": "0"}, "from 1 to"),
        ({"PRATUNAM_REDIS_URL": "localhost:6379"}, "redis://"),
        ({"PRATUNAM_HOME": "~nobody-of-this-name/x"}, "PRATUNAM_HOME"),
        ({"PRATUNAM_LOG_LEVEL": "loud"}, "debug"),
        ({"PRATUNAM_LOG_FORMAT": "xml"}, "json"),
        ({"PRATUNAM_HOME": "/srv/gate", "PRATUNAM_MASTER_KEY_FILE": "/srv/gate/key"}, "outside the home"),
        ({"PRATUNAM_HOME": "/srv/gate", "PRATUNAM_MASTER_KEY_FILE": "/srv/gate/a/b"}, "outside the home"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_to_write(environment: dict[str, str], word: str) -> None:
    """The message or its remedy names the way out."""
    with pytest.raises(BadSetting) as caught:
        read_settings(None, environment)
    assert word in str(caught.value)
    assert caught.value.remedy_en
    assert caught.value.remedy_th != caught.value.remedy_en
    assert not {"is", "begins", "from"} & set(caught.value.message_th.split())


def test_the_master_key_lies_beside_the_home_unless_set() -> None:
    """Never inside: a copy of the home does not open itself."""
    assert read_settings(Path("/srv/gate"), {}).master_key_path == Path("/srv/gate.key")
    chosen = read_settings(Path("/srv/gate"), {"PRATUNAM_MASTER_KEY_FILE": "/etc/gate.key"})
    assert chosen.master_key_path == Path("/etc/gate.key")
