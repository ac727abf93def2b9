"""`pratunam records doubtful / unknown / resolve`: people's answer where the machine has none."""

import click
from rich.console import Console
from rich.table import Table

from domain.errors import NotFound
from domain.jobs import Outcome
from domain.states import RecordState
from intake.results import find_row, list_unsettled
from pratunam.commands.frame import Frame, at_home
from pratunam.doorbells import wake_scheduler
from pratunam.intake_parts import intake_parts
from pratunam.job_view import job_json
from pratunam.parts import Parts


@click.group("records")
def records_group() -> None:
    """Single records that a machine cannot settle."""


@records_group.command("doubtful")
@click.argument("job")
@at_home
async def doubtful(frame: Frame, parts: Parts, job: str) -> None:
    """List records of which no machine can find out what became of them."""
    await _list(frame, parts, job, RecordState.DOUBTFUL)


@records_group.command("unknown")
@click.argument("job")
@at_home
async def unknown(frame: Frame, parts: Parts, job: str) -> None:
    """List records that were sent and have no answer yet."""
    await _list(frame, parts, job, RecordState.UNKNOWN)


@records_group.command("resolve")
@click.argument("job")
@click.argument("row", type=int)
@click.option("--as", "verdict", type=click.Choice(["accepted", "rejected", "resend"]), required=True)
@click.option("--reason", required=True, help="How it was found out; kept in the audit.")
@click.option("--sheet", default=None, help="The sheet, where a file had several.")
@at_home
async def resolve(
    frame: Frame, parts: Parts, job: str, row: int, verdict: str, reason: str, sheet: str | None
) -> None:
    """Say what became of one record, by its ROW in the file; `resend` sends it again with the same key."""
    found = await parts.ledger.job(job)
    place = await find_row(job, row, sheet, await intake_parts(parts, found.registry))
    if place is None:
        raise NotFound(
            f"Row {row} of job {job} is not a record that was sent.",
            remedy_en="`pratunam records doubtful JOB` lists them.",
        )
    outcome = (
        None
        if verdict == "resend"
        else Outcome(
            place.line,
            RecordState.ACCEPTED if verdict == "accepted" else RecordState.REJECTED,
            code="resolved",
            message_en=reason,
            message_th=reason,
            by="people",
        )
    )
    moved = await parts.ledger.resolve(job, place.slice_id, place.line, outcome, frame.by, parts.clock.now())
    await wake_scheduler(frame.settings)
    frame.tell(await job_json(parts, moved, forecast=False), f"Row {row} of job {job}: {verdict}.")


async def _list(frame: Frame, parts: Parts, job: str, state: RecordState) -> None:
    found = await parts.ledger.job(job)
    rows = await list_unsettled(found.job, state, await intake_parts(parts, found.registry))

    def render(console: Console) -> None:
        table = Table("row", "sheet", "slice", box=None)
        for row in rows:
            table.add_row(str(row.row), row.sheet or "", row.slice_id)
        console.print(table)

    frame.tell([{"row": row.row, "sheet": row.sheet, "slice": row.slice_id} for row in rows], render)
