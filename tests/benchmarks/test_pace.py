"""The figures of the pace benchmark, its table (medians of rounds, the worst of what is counted), and its options."""

import pytest

from benchmarks import __main__ as bench
from benchmarks import pace
from benchmarks.town import TownPlan, party


def test_of_several_rounds_the_median_is_told_but_the_worst_of_what_is_counted() -> None:
    """A slow round does not move the median; a single violation in one round of three still stands in the table."""
    rounds = [
        [{"who": "pratunam", "ratio": ratio, "over": over, "cpu_to_bare_loop": None}]
        for ratio, over in [(0.99, 0), (0.5, 3), (0.995, 0)]
    ]
    assert pace.medians(rounds) == [{"who": "pratunam", "ratio": 0.99, "over": 3, "cpu_to_bare_loop": None}]


def test_processor_time_is_shared_among_what_had_been_accepted() -> None:
    """Records that were refused, or that come after the time was read, make nothing cheaper."""
    assert (
        pace.cpu_a_1000(4.0, {"arrivals": 12_000, "outcomes": {"accepted": 10_000, "too_fast": 2_000}}) == 0.4
    )


def test_a_small_job_that_is_not_through_has_no_time() -> None:
    """The worst small job is told over its fluid time; while one record of it is missing, it has not ended."""
    plan = TownPlan([1], [100], 1_000, 1_000, 50, 50)
    fluid = [[50 + step * 0.25] for step in range(1, 400)]

    def told(accepted: int) -> float:
        of_party = {"last_at": 3_000, "outcomes": {"accepted": accepted}}
        return pace.small_jobs(plan, {"first_at": 1_000, "parties": {party(0): of_party}}, fluid)

    assert told(100) == pytest.approx(2 / 0.99)
    assert told(99) == float("inf")


async def test_ours_and_the_peer_take_turns_and_are_held_against_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In each burst the peer runs between ours, and each row names its processor time over that peer's."""
    ran = []

    async def ours(shape: str, burst_s: float, *, brief: bool) -> dict[str, object]:
        ran.append((shape, burst_s, brief))
        return {"who": "pratunam", "cpu_s_per_1000": 0.2}

    async def theirs(name: str, burst_s: float, *, brief: bool) -> dict[str, object]:
        ran.append((name, burst_s, brief))
        return {"who": name, "cpu_s_per_1000": 0.4}

    monkeypatch.setattr(pace, "measure", ours)
    monkeypatch.setattr(pace, "measure_peer", theirs)
    rows = await pace.one_round(("stream", "batch"), (1.0,), with_peer=True, brief=True)
    assert [name for name, _, _ in ran] == ["stream", "bare_loop", "batch"]
    assert [row["cpu_to_bare_loop"] for row in rows] == [0.5, 0.5, 1.0]
    alone = await pace.one_round(("stream",), (1.0,), with_peer=False, brief=True)
    assert [row["cpu_to_bare_loop"] for row in alone] == [None]


def test_options_go_to_one_benchmark_that_knows_them(capsys: pytest.CaptureFixture[str]) -> None:
    """Options are read by the benchmark named before them; without a name, or with two, the command line is wrong."""
    assert pace.options(["--rounds", "3", "--shape", "stream", "--brief"]) == {
        "rounds": 3,
        "shape": ["stream"],
        "burst": None,
        "brief": True,
    }
    assert bench.main(["--rounds", "3"]) == bench.main(["pace", "windows", "--rounds", "3"]) == 2
    assert bench.main(["paec"]) == 2
    assert "paec" in capsys.readouterr().err
    assert bench.main(["windows", "--rounds", "3"]) == 2
    assert "windows takes no options" in capsys.readouterr().err
