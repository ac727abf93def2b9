"""What every command shares: `--home`, `--json`, one way to print, and honest exit codes.

Exit codes: 0 done; 1 failed; 2 the command line or a file is wrong; 3 finished, and some rows were invalid or rejected;
4 nothing is running there (only where something must be); 130 interrupted.
"""

import asyncio
import functools
import getpass
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from domain.errors import NotRunning, PratunamError, Refused
from domain.jobs import By
from pratunam.parts import open_parts
from pratunam.settings import Settings, read_settings

#: columns of a table that a file or another program reads
_WIDE = 240
DONE, FAILED, WRONG, SOME_REJECTED, NOT_RUNNING, INTERRUPTED = 0, 1, 2, 3, 4, 130


@dataclass(frozen=True, slots=True)
class Frame:
    """One command's surroundings: settings, whether JSON is wanted, and where to print."""

    settings: Settings
    as_json: bool
    console: Console

    @property
    def by(self) -> By:
        """Return who runs the command."""
        return By(_who(), "cli")

    @property
    def is_terminal(self) -> bool:
        """Say whether a person sits in front of it."""
        return sys.stdin.isatty() and sys.stdout.isatty() and not self.as_json

    def tell(self, value: Mapping[str, Any] | list[Any], render: Callable[[Console], None] | str) -> None:
        """Print a result: as JSON when asked for, else as text."""
        if self.as_json:
            click.echo(json.dumps(value, ensure_ascii=False, default=str))
        elif isinstance(render, str):
            self.console.print(render, markup=False, highlight=False)
        else:
            render(self.console)


def framed(function: Callable[..., int | None]) -> Callable[..., None]:
    """Give a command `--home` and `--json`, hand it a Frame first, and turn errors into messages and exit codes."""

    @click.option(
        "--home", type=click.Path(path_type=Path), default=None, help="Where the state lives (PRATUNAM_HOME)."
    )
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @functools.wraps(function)
    def wrapped(*, home: Path | None, as_json: bool, **options: Any) -> None:
        sys.exit(
            _guarded(lambda: function(Frame(read_settings(home), as_json, _console()), **options), as_json)
        )

    return wrapped


def with_parts(
    function: Callable[..., Awaitable[int | None]], *, make_home: bool
) -> Callable[..., int | None]:
    """Turn `async f(frame, parts, **options)` into a framed command's body that opens and closes the home."""

    @functools.wraps(function)
    def run(frame: Frame, **options: Any) -> int | None:
        async def opened() -> int | None:
            async with open_parts(frame.settings, make_home=make_home) as parts:
                return await function(frame, parts, **options)

        return asyncio.run(opened())

    return run


def at_home(function: Callable[..., Awaitable[int | None]]) -> Callable[..., None]:
    """Decorate an async command that works on a home that is there: `async f(frame, parts, **options)`."""
    return framed(with_parts(function, make_home=False))


def at_any_home(function: Callable[..., Awaitable[int | None]]) -> Callable[..., None]:
    """Decorate an async command that makes the home where there is none."""
    return framed(with_parts(function, make_home=True))


def show_error(error: PratunamError, *, as_json: bool) -> None:
    """Print what happened and what to do, in English and in Thai."""
    if as_json:
        told = {"error": error.code, "message_en": error.message_en, "message_th": error.message_th}
        print(
            json.dumps(
                told | {"remedy_en": error.remedy_en, "remedy_th": error.remedy_th}, ensure_ascii=False
            )
        )
    lines = [f"{error.message_en} {error.remedy_en}".strip()]
    if error.message_th != error.message_en:
        lines.append(f"{error.message_th} {error.remedy_th}".strip())
    click.echo("\n".join(lines), err=True)


def _guarded(body: Callable[[], int | None], as_json: bool) -> int:
    try:
        return body() or DONE
    except Refused as error:
        show_error(error, as_json=as_json)
        return WRONG
    except NotRunning as error:
        show_error(error, as_json=as_json)
        return NOT_RUNNING
    except PratunamError as error:
        show_error(error, as_json=as_json)
        return FAILED
    except OSError as error:
        show_error(_of_system(error), as_json=as_json)
        return FAILED
    except (KeyboardInterrupt, asyncio.CancelledError, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED


def _of_system(error: OSError) -> PratunamError:
    """Return the operating system's refusal (no right, no room) in words; it names a path of this machine at most."""
    where = f": {error.filename}" if error.filename else ""
    return PratunamError(
        f"The operating system refused{where} ({error.strerror or type(error).__name__}).",
        message_th=f"ระบบปฏิบัติการปฏิเสธ{where}",
        remedy_en="Check the path, its rights, and that the disk has room.",
        remedy_th="โปรดตรวจสอบที่อยู่ไฟล์ สิทธิ์ และเนื้อที่ดิสก์",
    )


def _console() -> Console:
    # what is not read on a terminal is not cut to the width of one
    width = None if sys.stdout.isatty() else _WIDE
    return Console(highlight=False, soft_wrap=True, width=width)


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
