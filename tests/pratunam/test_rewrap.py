"""Another master key: all keys are wrapped with it, or none, wherever the command was killed."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.errors import BadSetting
from ledger.keystore import KeyStore
from pratunam.master_key import read_master_key
from pratunam.parts import Parts
from tests.pratunam.desk import Desk

#: ends the process by force in the middle: while the second key is being wrapped, or once all are, before anybody is told
_KILLED = {
    "middle": """
from ledger import sealing
seal, done = sealing.Sealer.seal, []
def seal_or_die(self, *given):
    done.append(1)
    if len(done) == 2:
        os._exit(9)
    return seal(self, *given)
sealing.Sealer.seal = seal_or_die
""",
    "end": """
from ledger import keystore
rewrap = keystore.KeyStore.rewrap
def rewrap_and_die(self, new):
    rewrap(self, new)
    os._exit(9)
keystore.KeyStore.rewrap = rewrap_and_die
""",
}


@pytest.fixture
def jobs(desk: Desk) -> list[str]:
    """Three jobs, each with its key."""
    return sorted(desk.submitted(desk.members(4, seed=n, name=f"m{n}.csv"), "--yes") for n in (1, 2, 3))


def opens(desk: Desk, key: Path) -> bool:
    """Whether this master key opens the key store and every key in it."""
    try:
        store = KeyStore(desk.home / "keys.db", read_master_key(key))
    except BadSetting:
        return False
    for job in store.jobs():
        store.sealer(job)
    store.close()
    return True


def test_the_new_key_opens_all_and_the_old_one_nothing(
    desk: Desk, jobs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dry first, then done; what was sealed before is read as ever, and the audit chain has a line."""
    old, new = desk.folder / "home.key", desk.folder / "new.key"
    told = desk.json("keys", "rewrap", "--to", str(new), "--dry-run")
    assert (told["jobs"], told["dry_run"], new.exists()) == (3, True, False)
    told = desk.json("keys", "rewrap", "--to", str(new))
    assert (told["jobs"], told["made"], told["already"]) == (3, True, False)
    assert (opens(desk, new), opens(desk, old)) == (True, False)
    assert new.stat().st_mode & 0o777 == 0o400
    assert desk.run("jobs").code == 2
    monkeypatch.setenv("PRATUNAM_MASTER_KEY_FILE", str(new))
    assert desk.check(jobs[0]).rows == 4
    assert "keys.rewrapped" in [line["action"] for line in desk.json("audit")]


@pytest.mark.parametrize("moment", ["middle", "end"])
def test_killed_at_any_moment_it_is_repeated_with_the_same_words(
    desk: Desk, jobs: list[str], moment: str
) -> None:
    """All keys are wrapped with one master key, never some with each; the second run brings it to its end."""
    old, new = desk.folder / "home.key", desk.folder / "new.key"
    words = ["keys", "rewrap", "--to", str(new)]
    program = f"import os\n{_KILLED[moment]}\nfrom pratunam.cli import pratunam\npratunam({words!r})"
    assert subprocess.run([sys.executable, "-c", program], env=os.environ, check=False).returncode == 9
    assert (opens(desk, old), opens(desk, new)) == (moment == "middle", moment == "end")
    told = desk.json(*words)
    assert (told["jobs"], told["already"]) == (len(jobs), moment == "end")
    assert (opens(desk, old), opens(desk, new)) == (False, True)


def test_it_is_refused_while_something_runs(desk: Desk, jobs: list[str]) -> None:
    """What runs would go on sealing with the old key."""
    new = desk.folder / "new.key"
    (desk.home / "run").mkdir(exist_ok=True)
    with (desk.home / "run" / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = desk.run("keys", "rewrap", "--to", str(new))
    assert (told.code, new.exists(), len(jobs)) == (2, False, 3)
    assert "Stop `pratunam up`" in told.err


@pytest.mark.parametrize(
    ("place", "says"),
    [
        (lambda desk: desk.home / "new.key", "outside the home"),
        (lambda desk: desk.folder / "home.key", "is the present master key"),
        (lambda desk: Path(desk.write("other.key", "short")), "can be read by others"),
    ],
)
def test_a_file_that_cannot_be_the_new_key_is_refused_and_nothing_changes(
    desk: Desk, place: Callable[[Desk], Path], says: str
) -> None:
    """Inside the home, the present one, or something else."""
    told = desk.run("keys", "rewrap", "--to", str(place(desk)))
    assert told.code == 2
    assert says in told.err
    assert opens(desk, desk.folder / "home.key")


def test_a_key_that_does_not_open_stops_it_before_anything_is_changed(desk: Desk, jobs: list[str]) -> None:
    """The damaged one is found in the dry run, and by the run itself."""

    async def spoil(parts: Parts) -> None:
        base = parts.keys._base
        base.execute("UPDATE keys SET wrapped = ? WHERE name = ?", (b"x" * 60, f"job:{jobs[1]}"))

    desk.within(spoil)
    new = desk.folder / "new.key"
    for more in (["--dry-run"], []):
        assert desk.run("keys", "rewrap", "--to", str(new), *more).code == 1
        assert not new.exists()
