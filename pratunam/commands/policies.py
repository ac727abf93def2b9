"""`pratunam policy …`: check, plan, apply, show, history, roll-back."""

from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console

from domain.policy import PolicyVersion
from pratunam.commands.arguments import VERSION, WORDS, SeveralWords, read_file, read_instant
from pratunam.commands.frame import Frame, at_home, framed, with_parts
from pratunam.commands.tables import show_table
from pratunam.doorbells import wake_scheduler
from pratunam.local_time import moment_en, rfc3339
from pratunam.parts import Parts
from pratunam.policy.apply import Applied, ApplyRequest, apply_policy, roll_back
from pratunam.policy.faults import PolicyFault
from pratunam.policy.plan import Plan, plan_policy
from pratunam.policy.read import read_policy
from pratunam.unchecked import RowsWaiting


@click.group("policy")
def policy_group() -> None:
    """The registrar's rules: windows, accounts, limits."""


@policy_group.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@framed
def check(frame: Frame, file: Path) -> None:
    """Say what is wrong with FILE, line by line; nothing is changed."""
    reading = read_policy(read_file(file))
    parties, registries = len(reading.policy.parties), len(reading.policy.registries)
    lines = [f"{file}: good. {registries} registries, {parties} parties.", *_warning_lines(reading.warnings)]
    frame.tell(
        {"ok": True, "parties": parties, "warnings": [asdict(each) for each in reading.warnings]},
        "\n".join(lines),
    )


@policy_group.command("plan")
@click.argument("file", type=click.Path(path_type=Path))
@framed
def plan(frame: Frame, file: Path) -> int | None:
    """Show what FILE would change, for whom. Also what it does to open hours and finish times."""
    text, settings = sound_text(frame, file), frame.settings
    empty = settings.home.is_dir() and not any(settings.home.glob("*.db"))
    if settings.ledger_url or (settings.home.exists() and not empty):
        return with_parts(_plan, make_home=False)(frame, text=text)
    with TemporaryDirectory(prefix="pratunam-plan-") as folder:  # a plan makes no home: it changes nothing
        elsewhere = replace(settings, home=Path(folder) / "home", master_key_file=None)
        return with_parts(_plan, make_home=True, quiet=True)(replace(frame, settings=elsewhere), text=text)


async def _plan(frame: Frame, parts: Parts, text: str) -> None:
    found = await plan_policy(parts.ledger, text, RowsWaiting(parts), parts.clock.now())
    frame.tell(found.as_json(), lambda console: _render_plan(console, found))


@policy_group.command("apply", cls=SeveralWords)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--reason", required=True, type=WORDS, help="Why; every party reads it.")
@click.option("--author", default=None, type=WORDS, help="Who decided (default: you).")
@click.option("--at", "at", default=None, help="When it takes effect, RFC 3339 (default: now).")
@click.option(
    "--base", type=VERSION, default=None, help="Refuse when another version than this is the newest."
)
@click.option("--remove", "removed", multiple=True, help="A party or account with open jobs that may go.")
@framed
def apply(
    frame: Frame,
    *,
    file: Path,
    reason: str,
    author: str | None,
    at: str | None,
    base: int | None,
    removed: tuple[str, ...],
) -> int | None:
    """Make FILE the policy in force. Version, audit line and one notice a party are one transaction."""
    request = ApplyRequest(
        sound_text(frame, file),
        reason,
        author or frame.by.who,
        read_instant(at, "--at"),
        base,
        frozenset(removed),
    )
    return with_parts(_apply, make_home=True)(frame, request=request)


async def _apply(frame: Frame, parts: Parts, request: ApplyRequest) -> None:
    applied = await apply_policy(parts.ledger, request, frame.by, parts.clock.now())
    await wake_scheduler(frame.settings)
    _tell_applied(frame, applied)


@policy_group.command("show")
@click.option("--version", type=VERSION, default=None, help="Which version (default: the one in force).")
@at_home
async def show(frame: Frame, parts: Parts, version: int | None) -> None:
    """Print a version's file; secrets are never shown."""
    found = await parts.policy_version() if version is None else await parts.ledger.policy_version(version)
    frame.tell(_version(found) | {"document": found.document}, found.document.rstrip())


@policy_group.command("history")
@at_home
async def history(frame: Frame, parts: Parts) -> None:
    """List all versions, newest first."""
    versions = await parts.ledger.policy_history()
    frame.tell(
        [_version(each) for each in versions], lambda console: _render_history(console, list(versions))
    )


@policy_group.command("roll-back", cls=SeveralWords)
@click.argument("version", type=VERSION)
@click.option("--reason", required=True, type=WORDS, help="Why; every party reads it.")
@click.option("--remove", "removed", multiple=True, help="A party or account with open jobs that may go.")
@at_home
async def roll_back_to(
    frame: Frame, parts: Parts, version: int, reason: str, removed: tuple[str, ...]
) -> None:
    """Apply an earlier VERSION again, as a new version."""
    applied = await roll_back(
        parts.ledger, version, reason, frame.by, parts.clock.now(), removed=frozenset(removed)
    )
    await wake_scheduler(frame.settings)
    _tell_applied(frame, applied)


def sound_text(frame: Frame, file: Path) -> str:
    """Read a policy's FILE; what is wrong with it is said before a home is made for it."""
    text = read_file(file)
    if not frame.settings.home.exists():
        read_policy(text)
    return text


def _tell_applied(frame: Frame, applied: Applied) -> None:
    version = applied.version
    announced = sum(change.announced for change in applied.changes)
    lines = [f"Version {version.version} is applied, in force from {_when(version)}."]
    lines += [
        f"  {change.party or 'everyone'} ({change.registry}): {change.text_en}" for change in applied.changes
    ]
    lines.append(
        "Every party is told." if announced else "Nothing that touches windows or accounts: no notice."
    )
    lines += _warning_lines(applied.warnings)
    told = _version(version) | {
        "changes": [
            {name: value for name, value in asdict(change).items() if name != "announced"}
            for change in applied.changes
        ],
        "warnings": [asdict(each) for each in applied.warnings],
    }
    frame.tell(told, "\n".join(lines))


def _version(version: PolicyVersion) -> dict[str, object]:
    return {
        "version": version.version,
        "author": version.author,
        "reason": version.reason,
        "applied_at": rfc3339(version.applied_at, _zone(version)),
        "effective_at": rfc3339(version.effective_at, _zone(version)),
    }


def _zone(version: PolicyVersion) -> str:
    return next((rules.timezone for rules in version.policy.registries.values()), "UTC")


def _when(version: PolicyVersion) -> str:
    return moment_en(version.effective_at, _zone(version))


def _warning_lines(warnings: tuple[PolicyFault, ...]) -> list[str]:
    return [f"warning: line {each.line}: {each.name}: {each.message_en}" for each in warnings]


def _render_history(console: Console, versions: list[PolicyVersion]) -> None:
    told = [(str(each.version), _when(each), each.author, each.reason) for each in versions]
    show_table(console, ("version", "in force from", "author", "reason"), told)


def _render_plan(console: Console, plan: Plan) -> None:
    for line in plan.lines():
        console.print(line, markup=False)
