"""What every command shares: `--home`, `--json`, who runs it, and one way to print. How it ends: `endings`."""

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

from domain.errors import Refused
from domain.jobs import By
from pratunam.commands.endings import run_to_end
from pratunam.parts import open_parts
from pratunam.settings import Settings, read_settings

#: columns of a table that a file or another program reads
_WIDE = 240


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
        def body() -> int | None:
            _refuse_strange_bytes(options)
            return function(Frame(read_settings(home), as_json, _console()), **options)

        sys.exit(run_to_end(body, as_json=as_json))

    return wrapped


def with_parts(
    function: Callable[..., Awaitable[int | None]], *, make_home: bool, quiet: bool = False
) -> Callable[..., int | None]:
    """Turn `async f(frame, parts, **options)` into a framed command's body that opens and closes the home.

    A master key that was made for it is spoken of, unless `quiet`.
    """

    @functools.wraps(function)
    def run(frame: Frame, **options: Any) -> int | None:
        async def opened() -> int | None:
            has_key = frame.settings.master_key_path.exists()
            async with open_parts(frame.settings, make_home=make_home) as parts:
                if not has_key and not quiet:
                    say_new_key(frame.settings)
                return await function(frame, parts, **options)

        return asyncio.run(opened())

    return run


def at_home(function: Callable[..., Awaitable[int | None]]) -> Callable[..., None]:
    """Decorate an async command that works on a home that is there: `async f(frame, parts, **options)`."""
    return framed(with_parts(function, make_home=False))


def say_new_key(settings: Settings) -> None:
    """Say on standard error that a master key was made, and where."""
    click.echo(
        f"Made the master key {settings.master_key_path}: keep a copy of it in a safe place.\n"
        f"สร้างกุญแจหลัก {settings.master_key_path} แล้ว โปรดเก็บสำเนาไว้ในที่ปลอดภัย",
        err=True,
    )


def _refuse_strange_bytes(options: Mapping[str, Any]) -> None:
    """Words of the command line that are no UTF-8 name nothing here; a file's path may be any bytes."""
    for name, value in options.items():
        for word in value if isinstance(value, tuple) else (value,):
            if (
                isinstance(word, str)
                and not word.isascii()
                and word.encode("utf-8", "ignore").decode() != word
            ):
                raise Refused(
                    f"What was given for {name} is not UTF-8.",
                    message_th=f"ค่าของ {name} ไม่ใช่ UTF-8",
                    remedy_en="Set the terminal to UTF-8 and write it again.",
                    remedy_th="ตั้งค่าเทอร์มินัลเป็น UTF-8 แล้วพิมพ์ใหม่",
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
