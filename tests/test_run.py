"""The commands of run.py: what it refuses, what it hands to the programs it calls, and from where it may be started."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import run
from environment import Stopped


def test_an_old_python_is_told_what_to_do() -> None:
    """A Python before 3.11 is refused with a remedy, 3.11 and later are taken."""
    assert "python3.11 run.py" in run.too_old((3, 9))
    assert run.too_old((3, 11)) == run.too_old((3, 14)) == ""


@pytest.mark.parametrize(
    ("given", "handed_on"),
    [
        ([], ["-n", "2"]),
        (["tests/quotas", "-x"], ["-n", "2", "tests/quotas", "-x"]),
        (["-n0"], ["-n0"]),
        (["tests/test_run.py"], ["tests/test_run.py"]),
        (["tests/test_run.py::test_x"], ["tests/test_run.py::test_x"]),
        (["-s"], ["-s"]),
    ],
)
def test_tests_run_side_by_side_unless_few_are_named(given: list[str], handed_on: list[str]) -> None:
    """The whole suite and folders run on two processes; single files, and callers who chose, do not."""
    assert run.pytest_arguments(given, 2) == handed_on


def test_one_core_runs_tests_one_by_one() -> None:
    """With one core there is nothing to be gained by a second process."""
    assert run.pytest_arguments([], 1) == []


def test_what_comes_before_the_environment_needs_the_standard_library_only(tmp_path: Path) -> None:
    """Both files of it start in an empty folder, by a Python without packages that leaves a script's folder off its path."""
    for name in ("run.py", "environment.py"):
        shutil.copy(run.ROOT / name, tmp_path)
    command = [sys.executable, "-I", "-S", str(tmp_path / "run.py"), "help"]
    ended = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """`help` lists each command and ends well."""
    assert run.main(["help"]) == 0
    said = capsys.readouterr().out
    assert [name for name in run.COMMANDS if f"  {name} " not in said] == []


def test_an_unknown_command_is_a_wrong_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A command that does not exist ends with 2 and shows those that do."""
    assert run.main(["tset"]) == 2
    assert "no such command: tset" in capsys.readouterr().err


def test_a_part_that_is_not_built_says_so() -> None:
    """A command whose file does not exist ends with 2 and names it."""
    with pytest.raises(Stopped, match=r"tests/no_such_part\.py is not there yet") as stop:
        run.part("tests/no_such_part.py", "python")([])
    assert stop.value.code == 2


def test_a_check_that_does_not_exist_is_a_wrong_command_line(tmp_path: Path) -> None:
    """From whatever folder: checks can be picked by name; a name that is none of them ends with 2 and shows those that are."""
    command = [sys.executable, str(run.ROOT / "run.py"), "check", "tpyes"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert re.search(r"no such check: tpyes.*types", ended.stderr)


def test_a_check_that_fails_fails_the_whole(tmp_path: Path) -> None:
    """Each check is run and told, and one fault among them ends with 1."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(run.ROOT / ".ci" / "checks.py", tmp_path / ".ci")
    (tmp_path / "crooked.py").write_text("x=1\n")
    ended = subprocess.run(
        [sys.executable, ".ci/checks.py", "format", "lint"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[-2:] == ["FAILED  format", "ok      lint"]
