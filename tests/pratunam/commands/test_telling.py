"""`pratunam notices` and `audit`."""

import sqlite3
from contextlib import closing

from tests.pratunam.desk import Desk


def test_notices_tell_what_was_told_and_whether_it_arrived(desk: Desk) -> None:
    """One a party in both languages, with the state of each channel."""
    told = desk.json("notices")
    assert sorted(each["party"] for each in told) == ["P001", "P002"]
    assert all(each["body_en"] and each["body_th"] != each["body_en"] for each in told)
    assert told[0]["deliveries"] == [{"channel": "folder", "state": "waiting", "attempts": 0, "error": ""}]
    assert [each["party"] for each in desk.json("notices", "--party", "P002")] == ["P002"]
    assert "folder waiting" in desk.run("notices").out


def test_the_audit_says_who_did_what(desk: Desk) -> None:
    """Lines newest first, by subject where asked."""
    job = desk.submitted(desk.members())
    lines = desk.json("audit")
    assert lines[0]["action"] == "job.received"
    assert lines[0]["through"] == "cli"
    assert {each["subject"] for each in desk.json("audit", "--subject", job)} == {job}
    assert "job.received" in desk.run("audit").out


def test_the_audit_says_why(desk: Desk) -> None:
    """The reason that was given, and whom it was about."""
    desk.json("hold", "--party", "P001", "--reason", "ตรวจสอบ")
    assert "P001: ตรวจสอบ" in desk.run("audit").out


def test_a_whole_chain_is_proven_and_a_changed_one_found(desk: Desk) -> None:
    """`audit verify` ends with 0, and with 1 and the line once somebody has changed the file."""
    desk.submitted(desk.members())
    assert desk.json("audit", "verify")["ok"] is True
    with closing(sqlite3.connect(desk.home / "ledger.db")) as base:
        for (trigger,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            base.execute(f"DROP TRIGGER {trigger}")
        base.execute("UPDATE audit SET who = 'nobody' WHERE line = 1")
        base.commit()
    told = desk.run("audit", "verify", "--json")
    assert told.code == 1
    assert told.json["broken_at"] == 1
    assert desk.run("doctor").code == 1
    assert desk.run("audit", "prove").code == 2
