"""What the demo shows while it runs: each party's bar, pace, share, accounts in use; the load on the registrar against its limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from domain.jobs import Job
from domain.states import JobState
from pratunam.demo.cast import PLAYERS, REGISTRY, Player
from pratunam.status import PartyStatus, Status


@dataclass(frozen=True, slots=True)
class Scene:
    """One look at the demo: what the gate says, and the jobs by party."""

    status: Status
    jobs: Mapping[str, Job]


#: width that the columns beside the bar take
_BESIDE_BAR, _SHORTEST_BAR, _LONGEST_BAR = 82, 8, 30
#: on a narrower terminal the share is left out
_WIDE = 100


def draw(scene: Scene, width: int) -> Group:
    """Return the screen of one look, for a terminal of `width` columns."""
    bar = max(_SHORTEST_BAR, min(_LONGEST_BAR, width - _BESIDE_BAR))
    table = Table(box=None, pad_edge=False, header_style="bold")
    names = ("party", "", "done", "rows", "pace/s", "share/s", "accounts", "")
    for number, name in enumerate(names):
        if name != "share/s" or width >= _WIDE:
            table.add_column(name, justify="right" if 1 < number < len(names) - 1 else "left", no_wrap=True)
    for player in PLAYERS:
        row = _row(player, scene, bar)
        table.add_row(*(row if width >= _WIDE else (*row[:5], *row[6:])))
    return Group(_load(scene.status, width), table)


def summary(jobs: Sequence[Job], names: Mapping[str, str]) -> Table:
    """Return the table that stands at the end: what became of every row."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("party", "name", "rows", "invalid", "accepted", "rejected", "unknown", "state"):
        table.add_column(column, justify="left" if column in {"party", "name", "state"} else "right")
    for job in jobs:
        counts = job.records
        numbers = (job.rows, job.invalid, counts.accepted, counts.rejected, counts.unknown + counts.doubtful)
        table.add_row(job.party, names[job.party], *(f"{number:,}" for number in numbers), job.state.value)
    return table


def plain_line(scene: Scene) -> str:
    """Return one line for a log or a pipe, where no screen can be drawn."""
    registry = scene.status.registries[REGISTRY]
    done = sum(_settled(job) for job in scene.jobs.values())
    rows = sum(player.rows for player in PLAYERS)
    finished = sum(job.state is JobState.FINISHED for job in scene.jobs.values())
    return (
        f"{done:>6,} of {rows:,} rows settled · {registry.rate:6.0f}/s of {registry.limit:.0f} · "
        f"sessions {registry.sessions} of {registry.session_limit} · jobs done {finished} of {len(PLAYERS)}"
    )


def _load(status: Status, width: int) -> Text:
    registry = status.registries[REGISTRY]
    part = 0.0 if registry.limit == 0 else min(1.0, registry.rate / registry.limit)
    length = max(10, min(40, width - 62))
    bar = "█" * round(part * length)
    return Text(
        f"registrar {registry.rate:6.0f} of {registry.limit:.0f} records/s  {bar:<{length}}  "
        f"sessions {registry.sessions} of {registry.session_limit}\n"
    )


def _row(player: Player, scene: Scene, bar: int) -> tuple[str | ProgressBar, ...]:
    job = scene.jobs.get(player.party)
    use = scene.status.parties.get(player.party)
    if job is None or job.rows == 0:
        word = "waits" if job is None else job.state.value
        return (
            player.name_en,
            ProgressBar(total=1, completed=0, width=bar),
            "",
            f"{player.rows:,}",
            "",
            "",
            "",
            word,
        )
    done = _settled(job)
    return (
        player.name_en,
        ProgressBar(total=max(1, job.rows), completed=done, width=bar),
        f"{done:,}",
        f"{job.rows:,}",
        *_pace(use),
        _word(job, use),
    )


def _pace(use: PartyStatus | None) -> tuple[str, str, str]:
    if use is None:
        return "", "", ""
    return f"{use.rate:.0f}", f"{use.share:.0f}", f"{use.sessions} of {use.accounts}"


def _word(job: Job, use: PartyStatus | None) -> str:
    if job.state is JobState.FINISHED:
        return "finished"
    if use is not None and not use.window_open:
        return "window closed"
    return job.state.value


def _settled(job: Job) -> int:
    counts = job.records
    return job.invalid + counts.accepted + counts.rejected + counts.unprocessed
