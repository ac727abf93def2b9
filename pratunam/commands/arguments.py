"""Reads what several commands take as an argument: a file, a folder to write to, an instant, a reason, several words after an option."""

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from click.core import Parameter

from domain.errors import BadPolicy, NotFound, Refused
from pratunam.commands.usage_words import WholeNumber, WrongWord
from pratunam.policy.moments import Unreadable, instant

#: a version's number, as the ledger counts
VERSION = WholeNumber(0, 2**31)
PORT = WholeNumber(0, 65_535)


class Words(click.ParamType[str]):
    """A text that says something: a reason of blanks tells nobody anything."""

    name = "text"

    def convert(self, value: object, param: Parameter | None, ctx: click.Context | None) -> str:
        """Return the text without blanks around it."""
        text = str(value).strip()
        if not text:
            self.fail("it is empty; write a few words. ต้องไม่ว่างเปล่า", param, ctx)
        return text


WORDS = Words()


def read_file(file: Path) -> str:
    """Read a file of UTF-8 text, `-` being standard input; raises Refused with what to do."""
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        text = raw.decode("utf-8-sig")
    except FileNotFoundError:
        raise NotFound(
            f"There is no file {file}.",
            message_th=f"ไม่พบไฟล์ {file}",
            remedy_en="Check the path.",
            remedy_th="ตรวจสอบที่อยู่ไฟล์",
        ) from None
    except UnicodeDecodeError as error:
        line = 1 + error.object.count(b"\n", 0, error.start)
        raise BadPolicy(
            f"{file} is not UTF-8 (line {line}).",
            message_th=f"{file} ไม่ใช่ UTF-8 (บรรทัด {line})",
            remedy_en="Save it as UTF-8.",
            remedy_th="บันทึกไฟล์เป็น UTF-8 แล้วลองใหม่",
        ) from None
    except OSError as error:
        raise refused_path(error, file) from None
    return text.replace("\r\n", "\n")


def refused_path(error: OSError, path: Path) -> Refused:
    """Return the error for a path of the command line that the operating system does not let us use."""
    return Refused(
        f"{path} cannot be used: {error.strerror or type(error).__name__}.",
        message_th=f"ใช้ {path} ไม่ได้",
        remedy_en="Check the path and its rights, or name another.",
        remedy_th="ตรวจสอบที่อยู่และสิทธิ์ หรือระบุที่อื่น",
    )


def check_folder(path: Path) -> None:
    """Refuse a folder to write to that is none, or cannot be made, before any work is done for it; makes nothing."""
    there = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not there.is_dir():
        raise refused_path(NotADirectoryError(errno.ENOTDIR, f"{there} is no folder"), path)
    if not os.access(there, os.W_OK | os.X_OK):
        raise refused_path(PermissionError(errno.EACCES, f"no right to write in {there}"), path)


def read_instant(text: str | None, option: str) -> int | None:
    """Read an option's instant, `--at` or `--deadline`; raises WrongWord."""
    try:
        return instant(text or "")
    except Unreadable as error:
        raise WrongWord(error.message_en, error.message_th, param_hint=option) from None


class SeveralWords(click.Command):
    """A command whose repeatable options also take several words at once behind the file: `FILE --ignore A B`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write the option out before each of its words, and go on as ever."""
        return super().parse_args(ctx, list(_spread(args, self.params)))


def _spread(args: Sequence[str], params: Sequence[Parameter]) -> Iterator[str]:
    options = [each for each in params if isinstance(each, click.Option) and not each.is_flag]
    with_word = {name for each in options for name in each.opts}
    with_words = {name for each in options if each.multiple for name in each.opts}
    option, has_file = "", False
    for place, word in enumerate(args):
        if word == "--":
            yield from args[place:]
            return
        if word.startswith("-") and word != "-":
            option = word if word in with_word else ""
            yield word
        elif option:
            # the first word belongs to the option anyway; what follows only where the file has been named
            yield from (word,) if args[place - 1] == option else (option, word)
            option = option if has_file and option in with_words else ""
        else:
            has_file = True
            yield word
