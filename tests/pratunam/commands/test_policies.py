"""`pratunam policy …`, driven as people drive it."""

import pytest

from pratunam.parts import Parts
from tests.pratunam.desk import SECRET, Desk

CLOSED = ('from = "00:00"\nto   = "24:00"', 'from = "08:30"\nto   = "16:30"')


def test_a_good_file_is_called_good(bare: Desk) -> None:
    """`check` counts parties, warns with lines, and makes no home."""
    told = bare.json("policy", "check", bare.policy())
    assert (told["ok"], told["parties"]) == (True, 2)
    assert told["warnings"][0]["line"] == 20
    assert not bare.home.exists()


@pytest.mark.parametrize("command", [("check",), ("plan",), ("apply", "--reason", "x")])
def test_a_wrong_file_is_refused_with_line_and_suggestion(desk: Desk, command: tuple[str, ...]) -> None:
    """An unknown name ends with 2, names its line, suggests the right one, in two languages, and changes nothing."""
    file = desk.policy(("rate     = 100", "rat      = 100"))
    told = desk.run("policy", command[0], file, *command[1:])
    assert told.code == 2
    assert "line 6" in told.err
    assert "did you mean `rate`?" in told.err
    assert "บรรทัด" in told.err
    assert len(desk.json("policy", "history")) == 1


def test_a_file_that_is_not_there_or_not_text_is_named(bare: Desk) -> None:
    """A missing file and one that is not UTF-8 end with 2 and their names."""
    (bare.folder / "thai.toml").write_bytes("# พรรค".encode("cp874"))
    for name, word in (("gone.toml", "no file"), ("thai.toml", "UTF-8")):
        told = bare.run("policy", "check", str(bare.folder / name))
        assert told.code == 2
        assert name in told.err
        assert word in told.err


def test_a_plan_says_what_changes_for_whom(desk: Desk) -> None:
    """Accounts, hours of the next 14 days before and after, and the base version; nothing is written."""
    file = desk.policy(CLOSED, ('id     = "P002-01"', 'id     = "P002-02"'))
    told = desk.json("policy", "plan", file)
    assert told["base"] == 1
    texts = {(each["party"], each["text_en"]) for each in told["changes"]}
    assert ("P002", "account P002-01 (base) is withdrawn") in texts
    assert ("P002", "account P002-02 (base) is added") in texts
    assert {each["party"] for each in told["hours"]} == {"P001", "P002"}
    assert all(each["before"] != each["after"] for each in told["hours"])
    assert "--base 1" in desk.run("policy", "plan", file).out
    assert len(desk.json("policy", "history")) == 1


def test_a_plan_needs_no_home_and_makes_none(bare: Desk) -> None:
    """Everything is new, compared with version 0; `--base 0` applies just that, and says what it made."""
    file = bare.policy()
    told = bare.json("policy", "plan", file)
    assert told["base"] == 0
    assert {each["party"] for each in told["changes"]} == {None, "P001", "P002"}
    assert told["warnings"] == bare.json("policy", "check", file)["warnings"]
    assert "--base 0" in bare.run("policy", "plan", file).out
    assert not bare.home.exists()
    assert not list(bare.folder.glob("*.key"))
    made = bare.run("policy", "apply", file, "--reason", "first", "--base", "0")
    assert (made.code, made.err.count("home.key")) == (0, 2)
    again = bare.run("policy", "apply", file, "--reason", "again", "--base", "0")
    assert (again.code, "home.key" in again.err) == (2, False)


def test_a_policy_may_come_by_standard_input(bare: Desk) -> None:
    """As `-`, for a file that a script makes."""
    text = (bare.folder / "policy.toml").read_text("utf-8") if bare.policy() else ""
    assert bare.run("policy", "check", "-", say=text).code == 0
    assert bare.run("policy", "check", "-", say=text.replace("rate ", "rat ")).code == 2


def test_a_plan_counts_files_that_nobody_has_checked_yet(desk: Desk) -> None:
    """Twenty more rows a second: the end of 400 rows moves, and what was counted is said."""
    desk.submitted(desk.members(400))
    file = desk.policy(("test_ids = true", "test_ids = true\naccount_rate = 40"))
    told = desk.json("policy", "plan", file)
    assert told["unchecked"] == {"files": 1, "rows": 400}
    assert [each["party"] for each in told["finish"]] == ["P001"]
    assert "1 files that are still to be checked" in desk.run("policy", "plan", file).out


def test_a_plan_names_who_is_left_with_no_open_hour(desk: Desk) -> None:
    """A party whose every window is taken out is named."""
    own = '\n[[party.P002.window]]\ndates = "2020-01-01"\nfrom = "08:00"\nto = "09:00"\n'
    told = desk.json("policy", "plan", desk.policy(("[party.P002]\n", f"[party.P002]\n{own}")))
    assert told["closed_parties"] == ["P002"]


def test_applying_makes_a_version_a_line_and_a_notice_a_party(desk: Desk) -> None:
    """Version, author, reason, audit line and one notice a party come together."""
    told = desk.json(
        "policy", "apply", desk.policy(CLOSED), "--reason", "Office hours", "--author", "somchai"
    )
    assert (told["version"], told["author"], told["reason"]) == (2, "somchai", "Office hours")
    assert told["effective_at"].endswith("+07:00")
    assert desk.json("policy", "history")[0]["version"] == 2
    notices = [each for each in desk.json("notices") if each["version"] == 2]
    assert sorted(each["party"] for each in notices) == ["P001", "P002"]
    assert "Office hours" in notices[0]["body_en"]
    assert "00:00–24:00 → daily 08:30–16:30" in notices[0]["body_en"].replace("daily 00:00", "00:00")
    assert [each["action"] for each in desk.json("audit")].count("policy.applied") == 2


def test_a_change_of_limits_alone_tells_nobody(desk: Desk) -> None:
    """A rate is no matter of windows or accounts: no notice."""
    before = len(desk.json("notices"))
    desk.apply(("rate     = 100", "rate     = 90"))
    assert len(desk.json("notices")) == before


def test_an_old_base_is_refused(desk: Desk) -> None:
    """`--base 1` after version 2 ends with 2 and changes nothing."""
    desk.apply(CLOSED)
    told = desk.run("policy", "apply", desk.policy(), "--reason", "x", "--base", "1")
    assert told.code == 2
    assert len(desk.json("policy", "history")) == 2


def test_a_later_version_waits_for_its_hour(desk: Desk) -> None:
    """`--at` in the future leaves the present version in force; a wrong instant ends with 2."""
    file = desk.policy(CLOSED)
    told = desk.run("policy", "apply", file, "--reason", "x", "--at", "2031-01-01T08:00")
    assert told.code == 2
    assert "offset" in told.err
    desk.json("policy", "apply", file, "--reason", "x", "--at", "2031-01-01T08:00:00+07:00")
    assert desk.json("policy", "show")["version"] == 1
    assert desk.json("policy", "show", "--version", "2")["effective_at"] == "2031-01-01T08:00:00+07:00"
    assert desk.json("status")["policy_version"] == 1


def test_rolling_back_applies_the_earlier_version_again(desk: Desk) -> None:
    """`roll-back 1` makes version 3 out of version 1, plain secrets staying as they were sealed."""
    desk.apply(CLOSED)
    assert desk.json("policy", "roll-back", "1", "--reason", "back")["version"] == 3
    newest = desk.json("policy", "show")
    assert 'to   = "24:00"' in newest["document"]

    async def secret(parts: Parts) -> str:
        return await parts.ledger.secret("party-members", "P001-01")

    assert desk.within(secret) == SECRET
    assert desk.run("policy", "roll-back", "9", "--reason", "x").code == 2


def test_no_secret_is_ever_shown(desk: Desk) -> None:
    """Neither show, history, plan, audit, notices nor the ledger's own file hold a secret."""
    for command in (("policy", "show"), ("policy", "history"), ("audit",), ("notices",), ("account", "list")):
        told = desk.run(*command, "--json")
        assert SECRET not in told.out + told.err
        assert "another-secret" not in told.out + told.err
    assert "plain:***" in desk.run("policy", "show").out
    for file in desk.home.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes()


def test_a_secret_that_is_nowhere_refuses_the_policy(bare: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing variable ends with 2, names account and variable, and leaves no version behind."""
    monkeypatch.delenv("P002_01")
    told = bare.run("policy", "apply", bare.policy(), "--reason", "x")
    assert told.code == 2
    assert "P002-01 (env:P002_01)" in told.err
    assert bare.json("policy", "history") == []


def test_public_holidays_are_written_out_as_closed_dates(desk: Desk) -> None:
    """`holidays = "TH"` shows each holiday as a closed date in what applying changed."""
    told = desk.json(
        "policy",
        "apply",
        desk.policy(("test_ids = true", 'test_ids = true\nholidays = "TH"')),
        "--reason",
        "x",
    )
    closed = [each["text_en"] for each in told["changes"] if each["text_en"].startswith("closed dates")]
    assert "-12-05" in closed[0]


def test_a_party_with_open_jobs_goes_only_by_name(desk: Desk) -> None:
    """Taking out a party that has an open job needs `--remove`."""
    desk.submitted(desk.members())
    file = desk.write("less.toml", _without_p001())
    refused = desk.run("policy", "apply", file, "--reason", "x")
    assert refused.code == 2
    assert "P001" in refused.err
    assert len(desk.json("policy", "history")) == 1
    desk.json("policy", "apply", file, "--reason", "x", "--remove", "P001", "P001-01")
    assert len(desk.json("policy", "history")) == 2


def test_rolling_back_past_a_party_with_open_jobs_needs_its_name_too(desk: Desk) -> None:
    """The remedy that the refusal names is there."""
    desk.json("policy", "apply", desk.write("less.toml", _without_p001()), "--reason", "x")
    desk.apply()
    desk.submitted(desk.members())
    refused = desk.run("policy", "roll-back", "2", "--reason", "x")
    assert refused.code == 2
    assert "--remove" in refused.err
    told = desk.json("policy", "roll-back", "2", "--reason", "x", "--remove", "P001", "P001-01")
    assert told["version"] == 4


def test_a_reason_is_asked_for(desk: Desk) -> None:
    """Without a reason, or with an empty one, nothing is applied."""
    file = desk.policy(CLOSED)
    assert desk.run("policy", "apply", file).code == 2
    assert desk.run("policy", "apply", file, "--reason", " ").code == 2
    assert len(desk.json("policy", "history")) == 1


def _without_p001() -> str:
    from tests.pratunam.desk import POLICY

    head, _, rest = POLICY.partition("[party.P001]")
    return head + "[party.P002]" + rest.partition("[party.P002]")[2]
