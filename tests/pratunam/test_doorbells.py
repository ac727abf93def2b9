"""Rings after a command."""

from pathlib import Path

import pytest
import redis

from pratunam.doorbells import ring_check, wake_scheduler
from pratunam.settings import read_settings
from tests.pratunam.desk import Desk
from workers.broker import WAKE_CHANNEL


async def test_nothing_is_rung_where_nothing_runs(bare: Desk) -> None:
    """Said by False; the ledger keeps what was asked."""
    assert not await wake_scheduler(read_settings())
    assert not await ring_check(read_settings(), "J1")


def test_a_command_wakes_the_scheduler(desk: Desk, server: str) -> None:
    """What listens hears a hold at once."""
    with redis.Redis.from_url(server) as client, client.pubsub() as heard:
        heard.subscribe(WAKE_CHANNEL)
        assert heard.get_message(timeout=10)
        desk.json("hold", "--reason", "x")
        told = heard.get_message(timeout=10)
    assert told is not None
    assert told["type"] == "message"


@pytest.mark.usefixtures("server")
async def test_a_file_is_rung_for(bare: Desk) -> None:
    """True where a Redis is set."""
    assert await ring_check(read_settings(), "J1")


async def test_a_redis_that_does_not_answer_hears_nothing(
    bare: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """False: whoever waits for a job must know that nothing works on it."""
    monkeypatch.setenv("PRATUNAM_REDIS_URL", f"unix://{tmp_path / 'nobody.sock'}")
    assert not await wake_scheduler(read_settings())
    assert not await ring_check(read_settings(), "J1")
