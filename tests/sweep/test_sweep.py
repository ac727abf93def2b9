"""Some points of every way: killed there, or its write or call failing there, everything valid takes effect exactly once all the same.

All of them: `python3 run.py sweep`.
"""

from collections.abc import Iterator

import pytest

from tests.sweep.__main__ import main
from tests.sweep.points import How, broken_at, count_points, run_point
from tests.sweep.unguarded import BUILDS
from tests.sweep.ways import WAYS


@pytest.mark.parametrize("name", WAYS)
def test_whatever_fails_at_a_point_no_promise_is_broken(name: str) -> None:
    """After recovery the registrar's log and the ledger agree: nothing lost, doubled, passed over or left undone."""
    points = count_points(WAYS[name])
    for number, how in enumerate(How):
        n = 1 + points[how] * (2 * number + 1) // (2 * len(How))  # each fault in another part of the way
        assert broken_at(name, how, n) == [], f'replay: run.py sweep "{name}" --how {how.name} --points {n}'


def test_points_are_counted_to_the_last() -> None:
    """The last point of a way is met and the one after it is not: nothing lies beyond the count."""
    points = count_points(WAYS["asked about"])[How.WRITE_FAILED]
    last, _ = run_point(WAYS["asked about"], How.WRITE_FAILED, points)
    beyond, clean = run_point(WAYS["asked about"], How.WRITE_FAILED, points + 1)
    assert points > 10
    assert (last.is_met, beyond.is_met, clean.broken) == (True, False, ())


@pytest.mark.parametrize("name", BUILDS)
def test_a_build_without_a_guard_is_found_out(name: str) -> None:
    """At some point of one way the judges see the very promise broken that the guard keeps."""
    build = BUILDS[name]
    with build.without():
        points = count_points(WAYS[build.way])[build.how]
        said = (broken_at(build.way, build.how, n) for n in _halving(points))
        assert any(build.word in what for broken in said for what in broken)


def _halving(points: int) -> Iterator[int]:
    """Yield points from the middle out, in ever smaller halves, so that those in the thick of it come first."""
    for part in (2, 4, 8, 16, 32):
        yield from (points * odd // part + 1 for odd in range(1, part, 2))


def test_a_sweep_tells_its_points_and_its_awaits(capsys: pytest.CaptureFixture[str]) -> None:
    """`run.py sweep` says how many points a way has, what broke, and at which awaits the process stood."""
    assert main(["busy", "--how", "WRITE_BUSY", "--every", "9", "--processes", "1"]) == 0
    said = capsys.readouterr().out
    assert "write refused: busy" in said
    assert ": 0 broken" in said
    assert "workers/session.py: stood at" in said
