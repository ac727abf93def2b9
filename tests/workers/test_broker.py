"""The broker: an acknowledgement that finds no Redis is left."""

from pathlib import Path

import dramatiq

from workers.broker import SESSIONS, make_broker


def message() -> dramatiq.MessageProxy:
    """Return a message as a consumer hands it out."""
    options = {"redis_message_id": "1"}
    return dramatiq.MessageProxy(dramatiq.Message(SESSIONS, "run_session", (), {}, options))


def test_what_cannot_be_acknowledged_is_left(tmp_path: Path) -> None:
    """Else a worker whose Redis is gone never ends: its threads would try for ever."""
    broker = make_broker(f"unix://{tmp_path}/no.sock", [])
    broker.declare_queue(SESSIONS)
    consumer = broker.consume(SESSIONS)
    consumer.ack(message())
    consumer.nack(message())
    consumer.requeue([message()])
    broker.client.close()
