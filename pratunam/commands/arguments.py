"""Reads what several commands take as an argument: a policy file, an instant."""

from pathlib import Path

import click

from domain.errors import BadPolicy, NotFound
from pratunam.policy.moments import instant


def read_file(file: Path) -> str:
    """Read a policy file's text; raises BadPolicy or NotFound with what to do."""
    try:
        return file.read_text("utf-8-sig")
    except FileNotFoundError:
        raise NotFound(f"There is no file {file}.", message_th=f"ไม่พบไฟล์ {file}") from None
    except UnicodeDecodeError as error:
        raise BadPolicy(f"{file} is not UTF-8 (byte {error.start}).", remedy_en="Save it as UTF-8.") from None


def read_instant(text: str | None) -> int | None:
    """Read `--at` and `--deadline`; raises BadPolicy's command-line twin."""
    try:
        return instant(text or "")
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
