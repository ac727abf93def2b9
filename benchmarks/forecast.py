"""Forecast: the end of each job and of all, as foreseen at one third of a run with a closed window ahead, against the truth.

`BENCH_ROUNDS=3 python3 run.py bench forecast` runs it so many times.
"""

import os

from rich.console import Console

from benchmarks import windows
from benchmarks.figures import print_table, write_json

ROWS = 3_000
#: what the error may be, as a part of the time that was left when the forecast was made
WITHIN = 0.1


async def main(console: Console) -> None:
    """Run both shapes in every round; the error is a part of the time that was left when the forecast was made."""
    found: list[dict[str, object]] = []
    for number in range(int(os.environ.get("BENCH_ROUNDS", "1"))):
        for shape in ("stream", "batch"):
            run = await windows.play(0, ROWS, shape, after=ROWS * len(windows.ACCOUNTS) // 3)
            found += [{"round": number + 1, "shape": shape} | one for one in compared(run)]
    print_table(console, found)
    worst = max(abs(float(str(each["error"]))) for each in found)
    console.print(f"worst error {worst:.1%}, allowed {WITHIN:.0%}")
    write_json("forecast", {"worst": worst, "jobs": found})


def compared(run: windows.WindowRun) -> list[dict[str, object]]:
    """Return foreseen and true time left of each party's job, and of the run as a whole (its last end), with the error."""
    ends: list[tuple[str, int, int]] = []
    for job, foreseen in zip(run.jobs, run.foreseen, strict=True):
        assert foreseen is not None
        assert job.finished_at is not None
        ends.append((job.party, foreseen, job.finished_at))
    ends.append(("all", max(foreseen for _, foreseen, _ in ends), max(truth for _, _, truth in ends)))
    return [
        {
            "party": party,
            "foreseen_s": round((foreseen - run.foreseen_at) / 1000, 2),
            "truth_s": round((truth - run.foreseen_at) / 1000, 2),
            "error": round((foreseen - run.foreseen_at) / (truth - run.foreseen_at) - 1, 4),
        }
        for party, foreseen, truth in ends
    ]
