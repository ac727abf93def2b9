"""What the child does once its limits stand: one task from standard input, answers to standard output, silence elsewhere."""

import contextlib
import fcntl
import os
import sys
import traceback
from pathlib import Path

from domain.errors import Refused
from intake.check import check
from intake.frames import CheckTask, Crash, DryTask, Pipes, ReadTask, Refusal
from intake.read import read
from intake.rehearse import rehearse

PIPE_BYTES = 1 << 20
#: seconds after which a thread that hashes lets another begin its next step over whole columns
SWITCH_S = 0.0005


def serve() -> None:
    """Do the one task that comes through standard input."""
    with contextlib.suppress(OSError, AttributeError):
        # fewer turns between parent and child; where it is not to be had, the small pipe does
        fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    sys.setswitchinterval(SWITCH_S)
    pipes = Pipes(os.fdopen(0, "rb"), os.fdopen(os.dup(1), "wb"))
    # whatever a library prints (a Rust panic quotes cells) goes nowhere
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    serve_over(pipes)


def serve_over(pipes: Pipes) -> None:
    """Do one task over these pipes; nothing but frames ever leaves."""
    try:
        _work(pipes)
    except Refused as refused:
        pipes.say(Refusal(refused.message_en, refused.message_th, refused.remedy_en, refused.remedy_th))
    except (EOFError, BrokenPipeError):
        return  # the parent is gone: nobody waits for a word
    except BaseException as error:  # noqa: BLE001 - polars' panics are no Exception, and no text that may quote a cell leaves
        pipes.say(Crash(type(error).__name__, _where(error)))


def _work(pipes: Pipes) -> None:
    task = pipes.hear()
    if isinstance(task, ReadTask):
        read(task, pipes)
    elif isinstance(task, CheckTask):
        check(task, pipes)
    elif isinstance(task, DryTask):
        rehearse(task, pipes)


def _where(error: BaseException) -> tuple[str, ...]:
    """Return the project's own lines through which the error came, the last one last."""
    root = Path(__file__).resolve().parents[1]
    frames = [(Path(frame.filename), frame) for frame in traceback.extract_tb(error.__traceback__)]
    ours = [(path, frame) for path, frame in frames if root in path.parents[1:3]]
    return tuple(f"{path.relative_to(root)}:{frame.lineno}" for path, frame in ours[-4:])
