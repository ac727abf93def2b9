"""run.py's pure parts: what it refuses, when it sets up again, and what it hands to the programs it calls."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import run


def test_an_old_python_is_told_what_to_do() -> None:
    """A Python before 3.11 is refused with a remedy, 3.11 and later are taken."""
    assert "python3.11 run.py" in run.too_old((3, 9))
    assert run.too_old((3, 11)) == run.too_old((3, 14)) == ""


def test_the_environment_is_made_again_when_a_lock_changes(tmp_path: Path) -> None:
    """The digest follows each file's bytes, their order and the interpreter, and nothing else."""
    one, two = tmp_path / "one.lock", tmp_path / "two.lock"
    one.write_text("a")
    two.write_text("b")
    before = run.digest([one, two], "3.11")
    assert before == run.digest([one, two], "3.11")
    assert before != run.digest([one, two], "3.12")
    two.write_text("ab")
    one.write_text("")
    assert before != run.digest([one, two], "3.11")


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
    with pytest.raises(run.Stopped, match=r"tests/no_such_part\.py is not there yet") as stop:
        run.part("tests/no_such_part.py", "python")([])
    assert stop.value.code == 2


def test_a_check_that_does_not_exist_is_a_wrong_command_line() -> None:
    """Checks can be picked by name; a name that is none of them ends with 2 and shows those that are."""
    ended = subprocess.run(
        [sys.executable, ".ci/checks.py", "tpyes"], cwd=run.ROOT, capture_output=True, text=True, check=False
    )
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


def test_a_program_that_dies_by_a_signal_is_a_failure() -> None:
    """The exit code of a program is handed on, and a signal becomes 128 + its number."""
    assert run.call([sys.executable, "-c", "raise SystemExit(3)"]) == 3
    assert run.call([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]) == 137


def test_the_tests_run_in_the_environment_that_was_made() -> None:
    """Handing over starts the environment's own interpreter, with the locked packages, not the caller's."""
    code = "import run; run.hand_over('python', '-c', 'import sys; print(sys.prefix)')"
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=run.ROOT, capture_output=True, text=True, check=True
    )
    assert Path(said.stdout.strip()) == run.VENV


def test_compiled_files_are_kept_in_the_environment_unless_the_caller_named_a_place() -> None:
    """A caller who forbids compiled files has none in the clone; one who named a folder has them there."""
    forbidding = {"HOME": "/h", "PYTHONDONTWRITEBYTECODE": "1"}
    assert run.keeping_compiled(forbidding) == {"HOME": "/h", "PYTHONPYCACHEPREFIX": str(run.COMPILED)}
    naming = {"PYTHONPYCACHEPREFIX": "/mine"}
    assert run.keeping_compiled(naming) == naming


def test_the_console_script_works_from_a_folder_with_spaces(tmp_path: Path) -> None:
    """The script finds its interpreter by a path with spaces, and hands its arguments on."""
    folder = tmp_path / "a folder" / ("long " * 30).strip()
    (folder / "pratunam").mkdir(parents=True)
    (folder / "pratunam" / "__init__.py").touch()
    (folder / "pratunam" / "cli.py").write_text("import sys\n\ndef main():\n    return len(sys.argv[1:])\n")
    (folder / "python").symlink_to(sys.executable)
    script = folder / "script"
    script.write_text(run.CONSOLE_SCRIPT.format(python=folder / "python"))
    script.chmod(0o755)
    environment = {"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"}
    assert subprocess.run([script, "one", "two words"], env=environment, check=False).returncode == 2
