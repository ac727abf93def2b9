"""The environment: when it is made again, and how its programs are started."""

import subprocess
import sys
from pathlib import Path

import environment


def test_the_environment_is_made_again_when_a_lock_changes(tmp_path: Path) -> None:
    """The digest follows each file's bytes, their order and the interpreter, and nothing else."""
    one, two = tmp_path / "one.lock", tmp_path / "two.lock"
    one.write_text("a")
    two.write_text("b")
    before = environment.digest([one, two], "3.11")
    assert before == environment.digest([one, two], "3.11")
    assert before != environment.digest([one, two], "3.12")
    two.write_text("ab")
    one.write_text("")
    assert before != environment.digest([one, two], "3.11")


def test_a_program_that_dies_by_a_signal_is_a_failure() -> None:
    """The exit code of a program is handed on, and a signal becomes 128 + its number."""
    assert environment.call([sys.executable, "-c", "raise SystemExit(3)"]) == 3
    assert environment.call([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]) == 137


def test_the_tests_run_in_the_environment_that_was_made() -> None:
    """Handing over starts the environment's own interpreter, with the locked packages, not the caller's."""
    code = "import environment; environment.hand_over('python', '-c', 'import sys; print(sys.prefix)')"
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=environment.ROOT, capture_output=True, text=True, check=True
    )
    assert Path(said.stdout.strip()) == environment.VENV


def test_compiled_files_are_kept_in_the_environment_unless_the_caller_named_a_place() -> None:
    """A caller who forbids compiled files has none in the clone; one who named a folder has them there."""
    forbidding = {"HOME": "/h", "PYTHONDONTWRITEBYTECODE": "1"}
    assert environment.keeping_compiled(forbidding) == {
        "HOME": "/h",
        "PYTHONPYCACHEPREFIX": str(environment.COMPILED),
    }
    naming = {"PYTHONPYCACHEPREFIX": "/mine"}
    assert environment.keeping_compiled(naming) == naming


def test_the_console_script_works_from_a_folder_with_spaces(tmp_path: Path) -> None:
    """The script finds its interpreter by a path with spaces, and hands its arguments on."""
    folder = tmp_path / "a folder" / ("long " * 30).strip()
    (folder / "pratunam").mkdir(parents=True)
    (folder / "pratunam" / "__init__.py").touch()
    (folder / "pratunam" / "cli.py").write_text("import sys\n\ndef main():\n    return len(sys.argv[1:])\n")
    (folder / "python").symlink_to(sys.executable)
    script = folder / "script"
    script.write_text(environment.CONSOLE_SCRIPT.format(python=folder / "python"))
    script.chmod(0o755)
    variables = {"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"}
    assert subprocess.run([script, "one", "two words"], env=variables, check=False).returncode == 2
