"""`pratunam records doubtful / unknown / resolve`: people's answer where the machine has none."""

from dataclasses import dataclass

import click
from rich.console import Console

from domain.errors import NotFound
from domain.jobs import Outcome
from domain.states import RecordState
from pratunam.commands.arguments import WORDS
from pratunam.commands.frame import Frame, at_home
from pratunam.commands.tables import show_table
from pratunam.commands.usage_words import WrongWord
from pratunam.doorbells import wake_scheduler
from pratunam.job_view import job_json
from pratunam.parts import Parts
from pratunam.unsettled import find_line, find_unsettled, list_unsettled

_VERDICTS = {"accepted": RecordState.ACCEPTED, "rejected": RecordState.REJECTED}


@click.group("records")
def records_group() -> None:
    """Single records that a machine cannot settle."""


@records_group.command("doubtful")
@click.argument("job")
@at_home
async def doubtful(frame: Frame, parts: Parts, job: str) -> None:
    """List records of which only people can say more."""
    await _list(frame, parts, job, "doubtful")


@records_group.command("unknown")
@click.argument("job")
@at_home
async def unknown(frame: Frame, parts: Parts, job: str) -> None:
    """List records that were sent and have no answer yet."""
    await _list(frame, parts, job, "unknown")


@records_group.command("resolve")
@click.argument("job")
@click.argument("row")
@click.option("--as", "verdict", type=click.Choice(["accepted", "rejected", "resend"]), required=True)
@click.option("--reason", required=True, type=WORDS, help="How it was found out; kept in the audit.")
@click.option("--sheet", default=None, help="The sheet, where a file had several.")
@at_home
async def resolve(
    frame: Frame, parts: Parts, *, job: str, row: str, verdict: str, reason: str, sheet: str | None
) -> None:
    """Say what became of one record. ROW is its row in the file, SHEET!ROW, or SLICE:LINE; `resend` sends it again with the same key."""
    where = _where(row)
    found = await parts.ledger.job(job)
    if where.slice_id:
        place = await find_line(parts, found, where.slice_id, where.number)
    else:
        place = await find_unsettled(parts, found, where.number, sheet or where.sheet)
    if place is None:
        raise NotFound(
            f"Row {row} of job {job} is no unknown or doubtful record.",
            message_th=f"แถวที่ {row} ของงาน {job} ไม่ใช่รายการที่รอผลหรือต้องตรวจสอบ",
            remedy_en=f"`pratunam records doubtful {job}` and `records unknown {job}` list them.",
            remedy_th=f"ดูรายการด้วย `pratunam records doubtful {job}` และ `records unknown {job}`",
        )
    outcome = _VERDICTS.get(verdict)
    told = (
        None
        if outcome is None
        else Outcome(place.line, outcome, code="resolved", message_en=reason, message_th=reason, by="people")
    )
    moved = await parts.ledger.resolve(
        job, place.slice_id, place.line, told, frame.by, parts.clock.now(), reason=reason
    )
    await wake_scheduler(frame.settings)
    frame.tell(await job_json(parts, moved, forecast=False), f"Row {row} of job {job}: {verdict}.")


@dataclass(frozen=True, slots=True)
class _Where:
    """A record as people name it: by row and sheet, or by slice and line."""

    number: int
    sheet: str | None = None
    slice_id: str | None = None


def _where(text: str) -> _Where:
    sign = ":" if ":" in text and "!" not in text else "!"
    named, _, number = text.rpartition(sign)
    if not number.isascii() or not number.isdigit():
        raise WrongWord(
            f"`{text}` is no row; write its number, SHEET!NUMBER, or SLICE:LINE as listed",
            f"`{text}` ไม่ใช่แถว โปรดเขียนเลขแถว SHEET!เลขแถว หรือ SLICE:LINE ตามรายการ",
            param_hint="ROW",
        )
    if sign == ":":
        return _Where(int(number), slice_id=named)
    return _Where(int(number), sheet=named or None)


async def _list(frame: Frame, parts: Parts, job: str, state: str) -> None:
    found = await parts.ledger.job(job)
    rows = await list_unsettled(parts, found, state)

    def render(console: Console) -> None:
        if not rows:
            console.print(f"No record of job {job} is {state}.")
            return
        cells = [
            ("" if row.row is None else str(row.row), row.sheet, row.slice_id, str(row.line)) for row in rows
        ]
        show_table(console, ("row", "sheet", "slice", "line"), cells)

    told = [{"row": row.row, "sheet": row.sheet, "slice": row.slice_id, "line": row.line} for row in rows]
    frame.tell(told, render)
