"""Fixtures of the command line's tests."""

from functools import partial
from pathlib import Path

import pytest
import redis

from intake.parts import IntakeParts
from pratunam import intake_parts
from pratunam.commands.frame import Frame
from pratunam.embedded import EmbeddedServer
from tests.intake.thread_child import thread_child
from tests.pratunam.desk import Desk


@pytest.fixture
def bare(home: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A place where no home has been made yet; files are read in processes of their own, as in earnest."""
    desk = Desk(home)
    monkeypatch.setenv("PRATUNAM_HOME", str(desk.home))
    monkeypatch.setenv("P002_01", "another-secret")
    return desk


@pytest.fixture
def desk(bare: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """An installation with a policy; nothing runs, and files are read in a thread."""
    monkeypatch.setattr(intake_parts, "IntakeParts", partial(IntakeParts, start_child=thread_child))
    bare.apply()
    return bare


@pytest.fixture
def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have commands believe that a person sits in front of them."""
    monkeypatch.setattr(Frame, "is_terminal", property(lambda frame: not frame.as_json))


@pytest.fixture
def server(valkey_server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """The gate's Redis, empty and set for the installation, as where several machines share one."""
    with redis.Redis.from_url(valkey_server.url) as client:
        client.flushall()
    monkeypatch.setenv("PRATUNAM_REDIS_URL", valkey_server.url)
    return valkey_server.url
