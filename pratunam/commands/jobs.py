"""`pratunam jobs` and `job show / why / pause / resume / cancel / results / erase`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from domain.jobs import Job
from pratunam.commands.arguments import WORDS, check_folder
from pratunam.commands.frame import Frame, at_home
from pratunam.commands.stopping import unknown_party
from pratunam.commands.tables import show_table
from pratunam.commands.usage_words import WholeNumber
from pratunam.doorbells import wake_scheduler
from pratunam.gate import usage_of
from pratunam.intake_parts import intake_parts
from pratunam.job_view import job_json, job_lines, job_values
from pratunam.local_time import rfc3339
from pratunam.outlook import NOT_RUNNING, Outlook, outlook_cell, timezone_of
from pratunam.outlooks import Outlooks, of_jobs
from pratunam.parts import Parts
from pratunam.running import redis_address
from pratunam.why import why

_COLUMNS = ("job", "party", "file", "state", "rows", "accepted", "rejected", "invalid", "left", "done")


@click.command("jobs")
@click.option("--party", default=None, help="Only this party's.")
@click.option("--limit", type=WholeNumber(1), default=1000, show_default=True, help="No more than so many.")
@at_home
async def jobs(frame: Frame, parts: Parts, party: str | None, limit: int) -> None:
    """List jobs, newest first, with when each will be done."""
    policy = await parts.policy()
    if party is not None and party not in policy.parties:
        raise unknown_party(party, policy)
    found = await parts.ledger.jobs(party, limit=limit)
    ahead, now = await of_jobs(Outlooks(parts), found), parts.clock.now()
    told = [job_values(job, timezone_of(policy, job.registry), ahead.get(job.job), now) for job in found]
    frame.tell(told, lambda console: _render(console, found, ahead, now))
    if len(found) == limit:
        click.echo(
            f"Only the newest {limit:,} are shown; --limit N shows more. แสดงเฉพาะ {limit:,} งานล่าสุด",
            err=True,
        )


@click.group("job")
def job_group() -> None:
    """One job: show it, say why it waits, stop it, fetch its results."""


@job_group.command("show")
@click.argument("job")
@at_home
async def show(frame: Frame, parts: Parts, job: str) -> None:
    """Show one job: its counts and when it will be done."""
    found = await parts.ledger.job(job)
    lines = await job_lines(parts, found)
    frame.tell(await job_json(parts, found), "\n".join(lines))


@job_group.command("why")
@click.argument("job")
@at_home
async def why_job(frame: Frame, parts: Parts, job: str) -> None:
    """Say what binds a job now, and when that ends."""
    found = await parts.ledger.job(job)
    usage = await usage_of(frame.settings, found.registry)
    policy = await parts.policy()
    running = redis_address(frame.settings) is not None
    reasons = await why(parts.ledger, policy, found, usage, parts.clock.now(), running=running)
    timezone = timezone_of(policy, found.registry)
    told = [
        {
            "code": reason.code,
            "text_en": reason.text_en,
            "text_th": reason.text_th,
            "until": rfc3339(reason.until_at, timezone) if reason.until_at else None,
        }
        for reason in reasons
    ]
    lines = [f"{reason.text_en}\n  {reason.text_th}" for reason in reasons]
    frame.tell(
        {"job": job, "state": found.state.value, "reasons": told},
        "\n".join(lines) or "Nothing binds it: its records go out.",
    )


@job_group.command("pause")
@click.argument("job")
@click.option(
    "--reason", default="paused by hand", type=WORDS, help="Why; it stands in the audit and in `job show`."
)
@at_home
async def pause(frame: Frame, parts: Parts, job: str, reason: str) -> None:
    """Stop sending a job; what is under way ends with its answers."""
    await _moved(frame, parts, await parts.ledger.pause(job, reason, frame.by, parts.clock.now()))


@job_group.command("resume")
@click.argument("job")
@at_home
async def resume(frame: Frame, parts: Parts, job: str) -> None:
    """Let a paused job go on."""
    await _moved(frame, parts, await parts.ledger.resume(job, frame.by, parts.clock.now()))


@job_group.command("cancel")
@click.argument("job")
@at_home
async def cancel(frame: Frame, parts: Parts, job: str) -> None:
    """Cancel a job: nothing more is sent. What may have been sent is found out first."""
    await _moved(frame, parts, await parts.ledger.cancel(job, frame.by, parts.clock.now()))


@job_group.command("results")
@click.argument("job")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A folder for the files.")
@at_home
async def results(frame: Frame, parts: Parts, job: str, out: Path) -> None:
    """Write what became of every row. Accepted, rejected, unknown and unprocessed ones, and a manifest with counts and digests."""
    from intake.results import write_results  # polars takes its time to load

    found = await parts.ledger.job(job)
    check_folder(out)
    manifest = await write_results(found.job, out, await intake_parts(parts, found.registry))
    lines = [f"{out / file.name}: {file.rows:,} rows" for file in manifest.files]
    told = asdict(manifest) | {"folder": str(out)}
    frame.tell(told, "\n".join([*lines, str(out / "manifest.json")]))


@job_group.command("erase")
@click.argument("job")
@at_home
async def erase(frame: Frame, parts: Parts, job: str) -> None:
    """Destroy a job's key: its contents are gone. Its counts stay."""
    erased = await parts.ledger.erase(job, frame.by, parts.clock.now())
    await parts.spool.delete(erased.blob)
    frame.tell({"job": job, "erased": True}, f"Job {job} is erased: nobody can read its contents any more.")


async def _moved(frame: Frame, parts: Parts, job: Job) -> None:
    await wake_scheduler(frame.settings)
    frame.tell(await job_json(parts, job, forecast=False), f"Job {job.job} is {job.state.value}.")


def _render(console: Console, jobs: Sequence[Job], ahead: Mapping[str, Outlook], now: int) -> None:
    rows = []
    for job in jobs:
        counts = job.records
        left = counts.pending + counts.unknown
        numbers = (job.rows, counts.accepted, counts.rejected, job.invalid, left)
        told = (f"{number:,}" for number in numbers)
        rows.append(
            (job.job, job.party, job.file, job.state.value, *told, outlook_cell(ahead.get(job.job), now))
        )
    show_table(console, _COLUMNS, rows)
    if any(not each.running for each in ahead.values()):
        console.print(NOT_RUNNING, markup=False)
