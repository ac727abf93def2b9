"""`kill -9` of a worker, the scheduler, Redis and the whole gate, and FLUSHALL, one after another under load."""

from pathlib import Path

from benchmarks import kills
from tests.end_to_end.verdicts import assert_all_in_effect, assert_limits_held


async def test_every_record_takes_effect_once_and_no_limit_is_broken_whatever_dies_under_load(
    place: Path,
) -> None:
    """Each blow strikes once all accounts send again; nobody helps but the gate itself, and `pratunam up` after its own death."""
    blows = ["worker", "scheduler", "redis", "flush", "gate"]
    run = await kills.play(blows, 1_000, folder=place)
    assert [blow.name for blow in run.blows] == blows
    assert_limits_held(run.report)
    assert_all_in_effect(run.report, run.jobs)
