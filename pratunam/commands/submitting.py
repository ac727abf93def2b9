"""`pratunam check` and `submit`: a dry run of a party's file, and taking it in as a job."""

from __future__ import annotations

import difflib
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from domain.jobs import Job
from domain.policy import PartyRules, RegistryRules
from pratunam.commands.arguments import SeveralWords, read_instant
from pratunam.commands.endings import NOT_RUNNING, SOME_REJECTED
from pratunam.commands.frame import Frame, at_home
from pratunam.commands.stopping import only_registry, unknown_party, unknown_registry
from pratunam.commands.usage_words import PerCent, WholeNumber, WrongWord
from pratunam.commands.waiting import exit_code, has_ended, wait_for
from pratunam.doorbells import ring_check
from pratunam.dry_view import report_json, report_lines
from pratunam.intake_parts import intake_parts_for
from pratunam.job_view import job_json, job_lines
from pratunam.parts import Parts

if TYPE_CHECKING:  # intake loads polars
    from intake.parts import SubmitRequest

_ANY_PRIORITY = WholeNumber(-1_000_000, 1_000_000)


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--party", required=True, help="Whose file it is.")
@click.option("--registry", default=None, help="Where it goes (the default where there is only one).")
@click.option("--operation", default=None, help="The operation of rows that name none: ADD, UPDATE, …")
@click.option("--declare", "declared", is_flag=True, help="The party declares what the profile asks for.")
@click.option("--sheet", default=None, help="A workbook's sheet by name, or `all`.")
@at_home
async def check(
    frame: Frame,
    parts: Parts,
    *,
    file: Path,
    party: str,
    registry: str | None,
    operation: str | None,
    declared: bool,
    sheet: str | None,
) -> int | None:
    """Say what submitting FILE would meet; nothing is kept. Ends with 3 when some rows are invalid."""
    from intake.dry_run import dry_run

    owner, rules = await _whose(parts, party, registry)
    request = _request(owner, rules, file, operation, declared=declared, sheet=sheet)
    report = await dry_run(file, request, intake_parts_for(parts, rules))
    frame.tell(report_json(owner, report), "\n".join(report_lines(owner, report)))
    return SOME_REJECTED if report.invalid else None


@click.command("submit", cls=SeveralWords)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--party", required=True, help="Whose file it is.")
@click.option("--registry", default=None, help="Where it goes (the default where there is only one).")
@click.option("--operation", default=None, help="The operation of rows that name none: ADD, UPDATE, …")
@click.option("--declare", "declared", is_flag=True, help="The party declares what the profile asks for.")
@click.option(
    "--ignore", "ignored", multiple=True, help="An unknown column that is kept out; again for more."
)
@click.option("--sheet", default=None, help="A workbook's sheet by name, or `all`.")
@click.option("--deadline", default=None, help="RFC 3339; orders the party's own jobs.")
@click.option(
    "--priority",
    type=_ANY_PRIORITY,
    default=0,
    show_default=True,
    help="Higher goes first, within the party.",
)
@click.option("--max-invalid", type=PerCent(0, 100), default=5.0, show_default=True,
              help="Per cent of invalid rows above which the job waits for people.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--wait", is_flag=True, help="Wait for the end, and tell it.")
@at_home
async def submit(
    frame: Frame,
    parts: Parts,
    *,
    file: Path,
    party: str,
    registry: str | None,
    operation: str | None,
    declared: bool,
    ignored: tuple[str, ...],
    sheet: str | None,
    deadline: str | None,
    priority: int,
    max_invalid: float,
    yes: bool,
    wait: bool,
) -> int | None:
    """Take FILE in as one job; prints its id and receipt. The same file for the same party is the same job."""
    from intake.receive import receive

    deadline_at = read_instant(deadline, "--deadline")
    owner, rules = await _whose(parts, party, registry)
    request = replace(
        _request(owner, rules, file, operation, declared=declared, sheet=sheet),
        ignored=ignored,
        deadline_at=deadline_at,
        priority=priority,
        max_invalid_pct=max_invalid,
    )
    if frame.is_terminal and not yes:
        request = await _ask(frame, parts, owner, rules, file, request)
    now = parts.clock.now()
    job = await receive(file, request, intake_parts_for(parts, rules), frame.by, now)
    if job.submitted_at != now:
        _say_known(job)
    runs = await ring_check(frame.settings, job.job)
    told: dict[str, object] = {"job": job.job, "receipt": job.receipt, "state": job.state.value}
    lines = [f"Job {job.job}  receipt {job.receipt}  ({job.state.value})"]
    if not runs:
        _say_not_running()
    if not wait or (not runs and not has_ended(job)):
        frame.tell(told, "\n".join(lines))
        return NOT_RUNNING if wait else None
    if not frame.as_json:
        frame.tell(told, "\n".join(lines))
    ended = await wait_for(frame, parts, job)
    frame.tell(await job_json(parts, ended), "\n".join(await job_lines(parts, ended)))
    return exit_code(ended)


async def _whose(parts: Parts, party: str, registry: str | None) -> tuple[PartyRules, RegistryRules]:
    policy = await parts.policy()
    if party not in policy.parties:
        raise unknown_party(party, policy)
    name = registry or only_registry(policy)
    if name not in policy.registries:
        raise unknown_registry(name, policy)
    return policy.parties[party], policy.registries[name]


def _request(
    owner: PartyRules,
    rules: RegistryRules,
    file: Path,
    operation: str | None,
    *,
    declared: bool,
    sheet: str | None,
) -> SubmitRequest:
    from intake.parts import SubmitRequest

    return SubmitRequest(
        owner.id,
        rules.name,
        rules.profile,
        _file_name(file),
        operation=_operation(rules.profile, operation),
        declared=declared,
        sheet=sheet,
    )


def _file_name(file: Path) -> str:
    """Return a file's name as people read it; on an old disk its bytes may be Windows-874."""
    raw = os.fsencode(file.name)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp874", "replace")


def _operation(profile_name: str, text: str | None) -> str | None:
    """Return an operation of the profile, in its own spelling."""
    from profiles.book import profile

    if text is None:
        return None
    known = profile(profile_name).operations
    wanted = text.strip().upper()
    if wanted in known:
        return wanted
    near, listed = difflib.get_close_matches(wanted, known, n=1), ", ".join(known)
    hint = f"did you mean {near[0]}?" if near else f"there are {listed}."
    hint_th = f"หมายถึง {near[0]} หรือไม่" if near else f"มี {listed}"
    raise WrongWord(
        f"no operation `{text}`; {hint}", f"ไม่มีรายการ `{text}` {hint_th}", param_hint="--operation"
    )


async def _ask(
    frame: Frame, parts: Parts, owner: PartyRules, rules: RegistryRules, file: Path, request: SubmitRequest
) -> SubmitRequest:
    """Show what `check` shows, ask about columns that nobody spoke of, and ask for leave."""
    from intake.dry_run import dry_run

    report = await dry_run(file, request, intake_parts_for(parts, rules))
    frame.console.print("\n".join(report_lines(owner, report)), markup=False)
    spoken = {name.strip().casefold() for name in request.ignored}
    left = [name for name in report.unknown if name.strip().casefold() not in spoken]
    for name in left:
        _confirm(f"Column “{name}” is not known. Submit without it? ไม่ใช้คอลัมน์นี้?")
    whom = f"{owner.name or owner.id} ({owner.id})"
    _confirm(f"Submit {report.records:,} records for {whom}? ยืนยันการส่ง?")
    return replace(request, ignored=(*request.ignored, *left))


def _confirm(question: str) -> None:
    try:
        click.confirm(question, abort=True)
    except click.Abort:
        click.echo("Nothing was submitted. ยังไม่ได้ส่งไฟล์", err=True)
        raise


def _say_known(job: Job) -> None:
    click.echo(f"This file was handed in before: it is job {job.job}, and nothing new was taken.", err=True)
    click.echo(f"ไฟล์นี้เคยส่งแล้ว คืองาน {job.job} จึงไม่ได้รับซ้ำ", err=True)


def _say_not_running() -> None:
    click.echo("Nothing is running on this home: the job waits in the ledger until `pratunam up`.", err=True)
    click.echo("ระบบยังไม่ทำงาน งานจะรออยู่จนกว่าจะสั่ง `pratunam up`", err=True)
