"""How a command ends: what went wrong becomes a message that names the place and the remedy, and an honest exit code.

Nobody sees a traceback, and no words of a library: they may quote a file, a record, or a password.
Exit codes: 0 done; 1 failed; 2 the command line or a file is wrong; 3 finished, and some rows were invalid or rejected;
4 nothing is running there (only where something must be); 130 interrupted.
"""

import asyncio
import json
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click

from domain.errors import Busy, NotRunning, PratunamError, Refused
from pratunam.commands.usage_words import usage_th

DONE, FAILED, WRONG, SOME_REJECTED, NOT_RUNNING, INTERRUPTED = 0, 1, 2, 3, 4, 130
_OUR_CODE = Path(__file__).parents[2]


def run_to_end(body: Callable[[], int | None], *, as_json: bool) -> int:
    """Run a command's body and return its exit code; whatever goes wrong is told."""
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
    except click.UsageError as error:
        return show_usage(error, as_json=as_json)
    except BrokenPipeError:
        _forget_output()
        return FAILED
    except OSError as error:
        show_error(_of_system(error), as_json=as_json)
        return FAILED
    except (KeyboardInterrupt, asyncio.CancelledError, click.Abort):
        click.echo("interrupted ถูกขัดจังหวะ", err=True)
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 -- the last door: people get the place and a remedy, whatever it was
        return _show_unforeseen(error, as_json=as_json)


def show_error(error: PratunamError, *, as_json: bool) -> None:
    """Print what happened and what to do, in English and in Thai."""
    if as_json:
        _print_json(
            error.code, error.message_en, error.message_th, error.remedy_en, error.remedy_th,
            retry_after_ms=error.retry_after_ms if isinstance(error, Busy) else None,
        )  # fmt: skip
    # a list of faults, or words without a full stop, stand apart from the remedy
    glue = " " if "\n" not in error.message_en and error.message_en.endswith((".", "?", "!")) else "\n"
    lines = [f"{error.message_en}{glue}{error.remedy_en}".strip()]
    if error.message_th != error.message_en:
        lines.append(f"{error.message_th}{glue}{error.remedy_th}".strip())
    click.echo("\n".join(lines), err=True)


def show_usage(error: click.UsageError, *, as_json: bool) -> int:
    """Print what is wrong with the command line, and where its help is; returns the exit code."""
    error.ctx = error.ctx or click.get_current_context(silent=True)
    path = error.ctx.command_path if error.ctx is not None else "pratunam"
    if as_json:
        _print_json(
            "usage", error.format_message(), usage_th(error),
            f"See `{path} --help`.", f"ดูวิธีใช้ด้วย `{path} --help`",
        )  # fmt: skip
    error.show()
    if error.format_message():
        click.echo(f"{usage_th(error)} ดูวิธีใช้ด้วย `{path} --help`", err=True)
    return WRONG


def open_streams() -> None:
    """Have three streams that take any text, also where the caller closed one or speaks an encoding without Thai.

    A closed one would hand its number to the next file that is opened, and what is printed would land there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 -- stays open as long as the process
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 -- the same
        getattr(sys, name).reconfigure(errors="backslashreplace")


def _print_json(
    code: str,
    message_en: str,
    message_th: str,
    remedy_en: str,
    remedy_th: str,
    *,
    retry_after_ms: int | None = None,
) -> None:
    told: dict[str, object] = {"error": code, "message_en": message_en, "message_th": message_th}
    if retry_after_ms is not None:
        told["retry_after_s"] = -(-retry_after_ms // 1000)
    # nobody may read any more, or the disk be full: the words on standard error and the exit code stay
    with suppress(OSError):
        print(json.dumps(told | {"remedy_en": remedy_en, "remedy_th": remedy_th}, ensure_ascii=False))


def _of_system(error: OSError) -> PratunamError:
    """Return the operating system's refusal (no right, no room) in words; it names a path of this machine at most."""
    where = f": {error.filename}" if error.filename else ""
    return PratunamError(
        f"The operating system refused{where} ({error.strerror or type(error).__name__}).",
        message_th=f"ระบบปฏิบัติการปฏิเสธ{where}",
        remedy_en="Check the path, its rights, and that the disk has room.",
        remedy_th="โปรดตรวจสอบที่อยู่ไฟล์ สิทธิ์ และเนื้อที่ดิสก์",
    )


def _show_unforeseen(error: Exception, *, as_json: bool) -> int:
    from ledger.damage import in_words  # the engine's library takes its time to load

    told = in_words(error) or _unforeseen(error)
    show_error(told, as_json=as_json)
    return WRONG if isinstance(told, Refused) else FAILED


def _unforeseen(error: Exception) -> PratunamError:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        each for each in frames if _OUR_CODE in Path(each.filename).parents and ".venv" not in each.filename
    ]
    last = (ours or frames)[-1]
    place = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno} in {last.name}"
    return PratunamError(
        f"This should not have happened: {place}.",
        message_th=f"เกิดข้อผิดพลาดที่ไม่คาดคิด: {place}",
        remedy_en="`pratunam doctor` says what is wrong with this installation; if it finds nothing, report this line.",
        remedy_th="ตรวจสอบระบบด้วย `pratunam doctor` หากไม่พบสาเหตุ โปรดแจ้งข้อความบรรทัดนี้แก่ผู้พัฒนา",
    )


def _forget_output() -> None:
    """Nobody reads any more: what still waits to be written goes nowhere, without a word at exit."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
