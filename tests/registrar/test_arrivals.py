"""The arrival log, in memory and in a file."""

from pathlib import Path

import msgspec

from registrar.arrivals import INSIDE, ArrivalLog, Decision
from tests.registrar.wire import config, door, lines


def test_a_handful_shares_its_instant() -> None:
    """Rows of one handful have one instant, one account, one session; each its own key."""
    log = ArrivalLog()
    log.add(5, 6, None, 1, 2, [("a", 10, Decision.ACCEPTED), ("b", 11, Decision.REJECTED)])
    log.add(7, 8, 1_000, 1, 2, [("c", 12, Decision.REFUSED)])
    assert list(log.at_ns) == [5, 5, 7]
    assert list(log.outside_us) == [INSIDE, INSIDE, 1_000]
    assert (log.keys, list(log.decision)) == (["a", "b", "c"], [0, 2, 5])


async def test_the_log_can_be_kept_in_a_file(tmp_path: Path) -> None:
    """One line an arrival, with key, digest and decision, and nothing personal."""
    path = tmp_path / "arrivals.ndjson"
    async with door(config(log_file=str(path))) as it:
        await it.batch(await it.log_in(), lines(3))
    rows = [msgspec.json.decode(row) for row in path.read_bytes().splitlines()]
    assert [(row["key"], row["decision"], row["outside_us"]) for row in rows] == [
        ("k0", "accepted", None),
        ("k1", "accepted", None),
        ("k2", "accepted", None),
    ]
    assert "ตัวอย่าง".encode() not in path.read_bytes()
