"""Forecast: each job's end as foreseen at one third of a run with a closed window ahead, against the truth."""

from rich.console import Console
from rich.table import Table

from benchmarks import windows
from benchmarks.town import write_json

ROWS = 3_000


async def main(console: Console) -> None:
    """Run both shapes; the error is a share of the time that was left when the forecast was made."""
    found = []
    for shape in ("stream", "batch"):
        run = await windows.play(0, ROWS, shape, after=ROWS * len(windows.ACCOUNTS) // 3)
        for job, foreseen in zip(run.jobs, run.foreseen, strict=True):
            assert foreseen is not None
            assert job.finished_at is not None
            truth_s = (job.finished_at - run.foreseen_at) / 1000
            foreseen_s = (foreseen - run.foreseen_at) / 1000
            found.append(
                {
                    "shape": shape,
                    "party": job.party,
                    "foreseen_s": round(foreseen_s, 2),
                    "truth_s": round(truth_s, 2),
                    "error": round(foreseen_s / truth_s - 1, 4),
                }
            )
    table = Table(*found[0], box=None)
    for each in found:
        table.add_row(*(str(value) for value in each.values()))
    console.print(table)
    write_json("forecast", {"jobs": found})
