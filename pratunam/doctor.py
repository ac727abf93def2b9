"""What is wrong with this installation, in sentences, and what to do about each. Looks only; mends nothing."""

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, fields
from pathlib import Path

import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from domain.errors import PratunamError
from domain.states import AccountState
from ledger.backup import faults_of_file
from ledger.database import version_of
from ledger.values import Restored
from pratunam.child import ready_children
from pratunam.embedded import find_binary
from pratunam.gate import usage_of
from pratunam.given_server import check_server, without_password
from pratunam.local_time import rfc3339
from pratunam.master_key import read_master_key
from pratunam.parts import Parts, database_of, open_parts
from pratunam.running import redis_address, what_runs
from pratunam.settings import Settings
from pratunam.up import names_of_children

#: less free disk than this (bytes) stops intake before long
_LEAST_FREE = 1 << 30
#: a clock that is off by more (ms) closes windows early or late by what people would notice
_MOST_OFFSET_MS = 2_000
_OUT_OF_USE = frozenset({AccountState.SET_ASIDE, AccountState.SUSPENDED})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: whether it is well, in a sentence, and the remedy where it is not."""

    about: str
    ok: bool
    text: str
    remedy: str = ""


def settings_told(settings: Settings) -> list[dict[str, str]]:
    """Return every setting: name, value (without passwords), unit, and its line of help."""
    told = []
    for entry in fields(Settings):
        value = getattr(settings, entry.name)
        text = "" if value is None else str(value)
        told.append(
            {
                "name": f"PRATUNAM_{entry.name.upper()}",
                "value": without_password(text) if entry.name.endswith("_url") else text,
                "unit": str(entry.metadata["unit"]),
                "help": str(entry.metadata["help"]),
            }
        )
    return told


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything; what cannot be opened is a finding, not an error."""
    found = [_home(settings), _master_key(settings)]
    if all(each.ok for each in found):
        found.append(_disk(settings))
        found += _ledger_file(settings)
    if all(each.ok for each in found):
        try:
            async with open_parts(settings, make_home=False) as parts:
                found += [each async for each in _inside(parts)]
        except PratunamError as error:
            found.append(_from_error("ledger", error))
    found += [await _redis(settings), *_processes(settings)]
    return found


def _home(settings: Settings) -> Finding:
    home = settings.home
    if not home.is_dir():
        return Finding(
            "home", False, f"There is no home at {home}.", "`pratunam up` or `policy apply` makes one."
        )
    if home.stat().st_mode & 0o077:
        return Finding("home", False, f"The home {home} can be entered by others.", f"chmod 0700 {home}")
    return Finding("home", True, f"The home is {home}.")


def _master_key(settings: Settings) -> Finding:
    try:
        read_master_key(settings.master_key_path)
    except PratunamError as error:
        return _from_error("master key", error)
    return Finding(
        "master key",
        True,
        f"The master key {settings.master_key_path} is there, and nobody else can read it.",
    )


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.home).free
    text = f"{free / (1 << 30):,.1f} GiB are free on the disk of the home."
    return Finding("disk", free >= _LEAST_FREE, text, "Free some space: erase old jobs, or move the home.")


def _ledger_file(settings: Settings) -> list[Finding]:
    if settings.ledger_url:
        return [_ledger_database(settings)]
    if not (settings.home / "ledger.db").exists():
        return [
            Finding(
                "ledger",
                False,
                "There is no ledger yet.",
                "Apply a policy: pratunam policy apply FILE --reason TEXT",
            )
        ]
    if locked := _without_rights(settings.home):
        told = ", ".join(str(path) for path in locked)
        remedy = "Run it as the owner of the home, or give that user the right to read and write there: chmod -R u+rwX DIR."
        return [Finding("ledger", False, f"No right to read and write {told}.", remedy)]
    faults = faults_of_file(settings.home)
    if faults:
        remedy = "Stop the gate and restore the last backup (docs/operations.md)."
        return [Finding("ledger", False, f"The ledger's file is damaged: {faults[0]}", remedy)]
    return [Finding("ledger", True, "The ledger's file is sound.")]


def _without_rights(home: Path) -> list[Path]:
    """Return what of the home cannot be read and written by whoever asks."""
    there = [path for path in (home, *sorted(home.glob("*.db"))) if path.exists()]
    wanted = {True: os.R_OK | os.W_OK | os.X_OK, False: os.R_OK | os.W_OK}
    return [path for path in there if not os.access(path, wanted[path.is_dir()])]


def _ledger_database(settings: Settings) -> Finding:
    try:
        database = database_of(settings)
        assert database is not None
        version = version_of(database)
    except PratunamError as error:
        return _from_error("ledger", error)
    text = f"The ledger's database answers: PostgreSQL {version}, and a commit there waits for the disk."
    return Finding("ledger", True, text)


async def _inside(parts: Parts) -> AsyncIterator[Finding]:
    proof = await parts.ledger.verify_audit()
    if proof.broken_at is None:
        yield Finding("audit", True, f"The audit chain of {proof.lines} lines is whole.")
    else:
        yield Finding(
            "audit",
            False,
            f"The audit chain is broken at line {proof.broken_at}.",
            "Compare with a backup: somebody changed the ledger's file.",
        )
    copy = await parts.ledger.restored()
    if copy is not None:
        yield _copy(copy)
    async for finding in _policy(parts):
        yield finding
    failing = [
        f"{row.notice} to {row.party} by {each.channel} ({each.last_error})"
        for row in await parts.ledger.notices()
        for each in row.deliveries
        if each.state == "failing"
    ]
    yield (
        Finding(
            "notices",
            False,
            f"{len(failing)} notices do not arrive, for example {failing[0]}.",
            "See `pratunam notices`; they are tried again by themselves.",
        )
        if failing
        else Finding("notices", True, "No notice fails to arrive.")
    )


def _copy(copy: Restored) -> Finding:
    until = (
        ""
        if copy.kept_until_at is None
        else f" It is remembered until {rfc3339(copy.kept_until_at)} at least."
    )
    text = (
        f"The ledger was put back from a copy: {copy.asked:,} records that may have been sent since are asked about before they are "
        f"sent, and {copy.unchecked:,} of its files are not checked yet.{until}"
    )
    is_settled = copy.since_at is not None and copy.asked == 0 and copy.unchecked == 0
    remedy = "Let the gate run until nothing is asked about; what to compare by hand: docs/operations.md."
    return Finding("ledger", is_settled, text, remedy)


async def _policy(parts: Parts) -> AsyncIterator[Finding]:
    try:
        version = await parts.policy_version()
    except PratunamError as error:
        yield _from_error("policy", error)
        return
    yield Finding("policy", True, f"Version {version.version} of the policy is in force.")
    for row in await parts.ledger.accounts():
        if row.state in _OUT_OF_USE:
            word = row.state.value.replace("_", " ")
            yield Finding(
                "accounts",
                False,
                f"Account {row.account} of {row.party} is {word}: {row.reason}",
                f"pratunam account secret {row.account}, or account restore {row.account}",
            )
    for name in version.policy.registries:
        usage = await usage_of(parts.settings, name)
        offset = usage.signals.clock_offset_ms if usage else None
        if offset is not None:
            yield Finding(
                "clock",
                abs(offset) <= _MOST_OFFSET_MS,
                f"The clock of {name} is {abs(offset) / 1000:.1f} s {'ahead of' if offset > 0 else 'behind'} ours.",
                "The gate allows for it. Set this machine's clock by a time server.",
            )


async def _redis(settings: Settings) -> Finding:
    address = redis_address(settings)
    if address is None:
        try:
            binary = find_binary()
        except PratunamError as error:
            return _from_error("redis", error)
        return Finding("redis", True, f"Nothing runs; `pratunam up` will start {binary}.")
    client = aioredis.from_url(address, retry=Retry(NoBackoff(), 0), socket_timeout=5)
    try:
        await check_server(client)
    except PratunamError as error:
        return _from_error("redis", error)
    finally:
        await client.aclose()
    return Finding("redis", True, f"The Redis server {without_password(address)} answers and is fit.")


def _processes(settings: Settings) -> list[Finding]:
    running = what_runs(settings)
    if running is None:
        return [Finding("processes", True, "Nothing is running on this home.")]
    missing = sorted(set(names_of_children(settings)) - set(ready_children(settings)))
    if missing:
        return [
            Finding(
                "processes",
                False,
                f"Not ready: {', '.join(missing)}.",
                "They are started again by themselves; the words of `pratunam up` say why they end.",
            )
        ]
    return [
        Finding(
            "processes",
            True,
            f"Everything runs since {rfc3339(running.started_at)}, process {running.pid}, {running.url}.",
        )
    ]


def _from_error(about: str, error: PratunamError) -> Finding:
    return Finding(about, False, error.message_en, error.remedy_en)
