"""`pratunam doctor`, `backup` and `migrate`."""

import hashlib
import json
import os
import shutil
from typing import Any

import pytest

from domain.states import RecordState
from tests.pratunam.desk import Desk


def wrong(desk: Desk) -> dict[str, Any]:
    """What doctor finds wrong, by what it is about; it ends with 1 when that is anything."""
    told = desk.run("doctor", "--json")
    found = {each["about"]: each for each in told.json["findings"] if not each["ok"]}
    assert told.code == (1 if found else 0)
    assert told.json["ok"] is not bool(found)
    return found


def test_a_sound_installation_has_nothing_wrong(desk: Desk) -> None:
    """Exit 0, and every setting with its value and its line of help."""
    assert wrong(desk) == {}
    settings = {each["name"]: each for each in desk.json("doctor")["settings"]}
    assert settings["PRATUNAM_HOME"]["value"] == str(desk.home)
    assert all(each["help"] and each["unit"] for each in settings.values())
    assert "Nothing is wrong." in desk.run("doctor").out


def test_no_home_and_no_policy_are_found(bare: Desk) -> None:
    """Doctor looks and makes nothing."""
    assert set(wrong(bare)) == {"home", "master key"}
    assert not bare.home.exists()
    bare.json("migrate")
    assert set(wrong(bare)) == {"policy"}


def test_a_key_that_others_can_read_is_found_with_its_remedy(desk: Desk) -> None:
    """The command that mends it is named; nothing else opens the home meanwhile."""
    key = desk.folder / "home.key"
    key.chmod(0o444)
    assert wrong(desk)["master key"]["remedy"] == f"chmod 0400 {key}"
    told = desk.run("jobs")
    assert told.code == 2
    assert "chmod 0400" in told.err


def test_a_home_that_may_not_be_written_is_not_called_damaged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People who read that it is would put back a backup."""
    monkeypatch.setattr("os.access", lambda path, mode: not (str(path).endswith(".db") and mode & os.W_OK))
    found = wrong(desk)
    assert set(found) == {"ledger"}
    assert "ledger.db" in found["ledger"]["text"]
    assert "damaged" not in found["ledger"]["text"]
    assert "restore" not in found["ledger"]["remedy"]


def test_a_damaged_ledger_is_found(desk: Desk) -> None:
    """Garbage in the file is told, not raised."""
    for end in ("-wal", "-shm"):
        (desk.home / f"ledger.db{end}").unlink(missing_ok=True)
    with (desk.home / "ledger.db").open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 8000)
    assert "ledger" in wrong(desk)


def test_a_server_that_does_not_answer_is_found(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is shown without its password."""
    monkeypatch.setenv("PRATUNAM_REDIS_URL", "redis://:hush@127.0.0.1:1/0")
    assert "redis" in wrong(desk)
    assert "hush" not in desk.run("doctor").out


def test_a_copy_is_whole_and_tells_its_digests(desk: Desk) -> None:
    """Ledger, spool, policy, no keys; the manifest's sizes and digests are those of the files."""
    desk.check(desk.submitted(desk.members()))
    copy = desk.folder / "copy"
    told = desk.json("backup", str(copy))
    assert told["policy_version"] == 1
    manifest = json.loads((copy / "manifest.json").read_text("utf-8"))
    names = {each["name"] for each in manifest["files"]}
    assert {"ledger.db", "policy.toml"} < names
    assert any(name.startswith("spool/") for name in names)
    assert not any("key" in name or "commits" in name for name in names)
    for each in manifest["files"]:
        data = (copy / each["name"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (each["bytes"], each["sha256"])
    desk.json("backup", str(desk.folder / "all"), "--with-keys")
    assert (desk.folder / "all" / "keys.db").stat().st_mode & 0o077 == 0


def test_a_copy_never_writes_over_anything(desk: Desk) -> None:
    """A folder with something in it ends with 2 and stays as it is."""
    copy = desk.folder / "copy"
    copy.mkdir()
    (copy / "mine").write_text("x", "utf-8")
    assert desk.run("backup", str(copy)).code == 2
    assert [each.name for each in copy.iterdir()] == ["mine"]
    told = desk.run("backup", "/proc/no/such")
    assert told.code == 1
    assert "operating system" in told.err


def test_a_copy_put_back_opens_and_knows_that_it_is_behind(desk: Desk) -> None:
    """The restored ledger reads its job's results, and doctor says that what was sent since is asked about first."""
    job = desk.submitted(desk.members(2))
    desk.check(job)
    desk.json("backup", str(desk.folder / "copy"))
    desk.settle(job, RecordState.ACCEPTED, RecordState.ACCEPTED)
    for end in ("", "-wal", "-shm"):
        (desk.home / f"ledger.db{end}").unlink(missing_ok=True)
    shutil.copy(desk.folder / "copy" / "ledger.db", desk.home / "ledger.db")
    assert desk.json("job", "show", job)["records"]["pending"] == 2
    assert "put back from a copy" in wrong(desk)["ledger"]["text"]


def test_migrating_is_safe_to_repeat(bare: Desk) -> None:
    """A new home, and again."""
    assert bare.json("migrate") == bare.json("migrate") == {"migrated": True, "policy_versions": 0}
