"""An account withdrawn by `policy apply` under load, and the notices of it by mail."""

from collections import Counter
from pathlib import Path

from benchmarks import withdrawal
from tests.end_to_end.verdicts import assert_all_in_effect, assert_limits_held

#: what the design promises: no record of a withdrawn account later than this (s) after the change
PROMISED_S = 1


async def test_a_withdrawn_account_falls_silent_nothing_is_lost_and_every_party_is_told_once(
    place: Path,
) -> None:
    """Its session ends with its answers; the mail server is down at first, which is listed, and then takes each mail once."""
    run = await withdrawal.play(500, folder=place)
    assert_limits_held(run.report)
    assert_all_in_effect(run.report, run.jobs)
    assert run.last_of_account_s <= PROMISED_S
    assert all(job.records.unknown == 0 for job in run.jobs)
    changes = {row["notice"]: row["party"] for row in run.listed_up if row["version"] == 2}
    assert Counter(changes.values()) == {"P000": 1, "P001": 1, "P002": 1}
    assert Counter(name for _, name in run.mails) == {
        f"<{row['notice']}.{row['party']}@localhost>": 1 for row in run.listed_up
    }
    failing = [mail for row in run.listed_down for mail in row["deliveries"] if mail["channel"] == "smtp"]
    assert {(mail["state"], mail["error"]) for mail in failing} == {("failing", "ConnectionRefusedError")}
