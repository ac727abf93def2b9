"""How a command ends as a process: closed streams, a reader that leaves, other encodings, a narrow terminal, a full disk."""

import errno
import json
import os
import resource
import subprocess
import sys

import pytest

from domain.errors import Busy
from pratunam.commands.endings import FAILED, run_to_end
from tests.pratunam.commands.every import traces
from tests.pratunam.desk import SECRET, Desk


def shell(desk: Desk, line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell in which `gate` is the program."""
    program = f'gate() {{ "{sys.executable}" -m pratunam.cli "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", program],
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, "PRATUNAM_HOME": str(desk.home), **environment},
        check=False,
    )


def test_a_closed_stream_is_no_reason_to_fall(desk: Desk) -> None:
    """Whichever is closed: no traceback, and nothing is printed into a file that was opened in its place."""
    before = traces(desk.home)
    done = shell(
        desk, "gate jobs 0<&- && gate jobs >&- && gate jobs 2>&-; gate job show NOPE >&- 2>&-; exit $?"
    )
    assert (done.returncode, done.stderr) == (2, "")
    assert traces(desk.home) == before


def test_a_password_is_not_read_from_a_closed_input(desk: Desk) -> None:
    """Nothing was given, so nothing is changed."""
    done = shell(desk, "gate account secret P001-01 0<&-")
    assert done.returncode == 2
    assert "empty" in done.stderr


def test_a_reader_that_leaves_ends_it_quietly(desk: Desk) -> None:
    """As with `| head -1`: no traceback, no words, and not 0."""
    done = shell(desk, "gate audit --json | true; exit ${PIPESTATUS[0]}")
    assert (done.returncode in (0, 1), done.stderr) == (True, "")


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "20"},
        {"TERM": "", "LANG": "", "LC_ALL": ""},
    ],
)
def test_any_terminal_gets_the_message(desk: Desk, environment: dict[str, str]) -> None:
    """Thai that an encoding does not have is escaped, never a reason to fall."""
    done = shell(desk, "gate policy show && gate status && gate job show NOPE", **environment)
    assert done.returncode == 2
    assert "There is no job NOPE." in done.stderr
    assert "Traceback" not in done.stderr
    assert "P001" in done.stdout


def test_a_full_disk_leaves_nothing_half_done(desk: Desk) -> None:
    """No file may grow: the message says so, and there is no job, no key and no blob."""
    file = desk.members(3_000)
    before, blobs = desk.json("jobs"), desk.files()
    most = 4096
    done = subprocess.run(
        [sys.executable, "-m", "pratunam.cli", "submit", file, "--party", "P001", "--json"],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
        env={**os.environ, "PRATUNAM_HOME": str(desk.home)},
        check=False,
    )
    assert done.returncode == FAILED, done
    assert "Traceback" not in done.stderr
    assert "should not have happened" not in done.stderr
    assert "disk" in done.stderr
    assert desk.json("jobs") == before
    assert desk.files() == blobs


def test_a_full_disk_below_the_output_is_told_without_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """JSON that finds no room is lost; the words on standard error and the exit code are not."""

    def no_room(_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys.stdout, "write", no_room)
    assert run_to_end(lambda: no_room(0), as_json=True) == FAILED
    monkeypatch.undo()
    assert "No space left" in capsys.readouterr().err


def test_what_nobody_foresaw_is_told_by_its_place_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """An exception's own words may quote a file or a password."""

    def fall() -> int:
        raise KeyError(SECRET)

    assert run_to_end(fall, as_json=True) == FAILED
    told = capsys.readouterr()
    assert "KeyError at test_endings.py:" in told.err
    assert SECRET not in told.err + told.out
    assert "doctor" in told.out


def test_a_ledger_without_time_asks_for_another_try(capsys: pytest.CaptureFixture[str]) -> None:
    """In both languages."""

    def fall() -> int:
        raise Busy("The ledger is busy.", message_th="สมุดงานกลางไม่ว่าง")

    assert run_to_end(fall, as_json=False) == FAILED
    assert capsys.readouterr().err == (
        "The ledger is busy. Try again in a moment.\nสมุดงานกลางไม่ว่าง โปรดลองใหม่อีกครั้งในอีกสักครู่\n"
    )


def test_a_script_reads_when_to_come_back(capsys: pytest.CaptureFixture[str]) -> None:
    """Whole seconds, rounded up; other errors have no such figure."""

    def fall() -> int:
        raise Busy("Full.", retry_after_ms=61_001, message_th="เต็ม", remedy_en="Later.", remedy_th="ภายหลัง")

    assert run_to_end(fall, as_json=True) == FAILED
    told = json.loads(capsys.readouterr().out)
    assert (told["error"], told["retry_after_s"], told["remedy_th"]) == ("busy", 62, "ภายหลัง")
