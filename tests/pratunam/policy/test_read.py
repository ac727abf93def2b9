"""The policy file is read whole, and every wrong line is named with what to do."""

import datetime as dt

import pytest

from domain.errors import BadPolicy
from domain.states import AccountKind, Shape
from pratunam.policy.read import read_policy

GOOD = """format = 1

[registry.party-members]
profile      = "party-members"
endpoint     = "https://registrar.example"
shape        = "batch"
rate         = 800
burst        = 800
account_rate = 20
deadline     = "2026-12-31T16:30:00+07:00"

[[registry.party-members.window]]
days = "mon-fri,sun"
from = "08:30"
to   = "16:30"
since = 2026-11-01
[[registry.party-members.window]]
parties = ["P002"]
dates = "2026-12-01..2026-12-07"
from  = "20:00"
to    = "06:00"
[[registry.party-members.closed]]
dates  = "2026-12-05"
reason = "วันพ่อแห่งชาติ"

[party.P001]
name   = "พรรคตัวอย่าง"
weight = 2
floor  = 5
[[party.P001.account]]
id     = "P001-02"
kind   = "added"
secret = "env:P001_02"
[[party.P001.account]]
id     = "P001-01"
kind   = "base"
secret = "env:P001_01"

[party.P002]
[[party.P002.account]]
id     = "P002-01"
kind   = "base"
secret = "env:P002_01"
"""


def test_a_good_file_becomes_a_policy() -> None:
    """Registries, windows, closed dates, parties and accounts are read as they are written."""
    policy = read_policy(GOOD).policy

    registry = policy.registries["party-members"]
    assert (registry.shape, registry.rate, registry.deadline_at) == (Shape.BATCH, 800, 1798709400000)
    assert registry.windows[0].weekdays == {0, 1, 2, 3, 4, 6}
    assert (registry.windows[0].from_s, registry.windows[0].since) == (8 * 3600 + 1800, dt.date(2026, 11, 1))
    assert registry.closed[0].first_date == dt.date(2026, 12, 5)
    party = policy.parties["P001"]
    assert [account.kind for account in party.accounts_of("party-members")] == [
        AccountKind.BASE,
        AccountKind.ADDED,
    ]
    assert (party.limits_of("party-members").weight, party.limits_of("party-members").floor) == (2, 5)


def test_a_block_that_names_a_party_replaces_the_common_windows_for_it() -> None:
    """P002 has the block that names it; P001 has what is for everyone."""
    policy = read_policy(GOOD).policy

    assert [rule.from_s for rule in policy.windows_of("party-members", "P001")] == [8 * 3600 + 1800]
    assert [rule.from_s for rule in policy.windows_of("party-members", "P002")] == [20 * 3600]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("account_rate = 20", "acount_rate = 20", 9, "did you mean `account_rate`?"),
        (
            "rate         = 800",
            'rate = "fast"',
            7,
            "must be a number from 0 to 1,000,000, without quotes; here stands text in quotes",
        ),
        ('from = "08:30"', 'from = "8.30"', 14, "write HH:MM"),
        ('days = "mon-fri,sun"', 'days = "mon-fry"', 13, "mon … sun"),
        ('dates = "2026-12-01..2026-12-07"', 'dates = "2026-12-07..2026-12-01"', 19, "range of dates"),
        ('to    = "06:00"', 'to    = "20:00"', 21, "00:00 to 24:00"),
        ('"2026-12-31T16:30:00+07:00"', '"2026-12-31T16:30:00"', 10, "no offset"),
        ("floor  = 5", "floor  = 5000", 7, "above the registry's rate"),
        ('profile      = "party-members"', 'profile = "party-membres"', 4, "party-members"),
        ('"https://registrar.example"', '"ftp://registrar.example"', 5, "https://"),
        ('shape        = "batch"', 'shape = "batch"\ntest_ids = true', 7, "on this machine only"),
        ('id     = "P002-01"', 'id     = "P001-01"', 41, "stands here twice"),
        ('secret = "env:P002_01"', 'secret = "P002_01"', 43, "env:NAME"),
        ("format = 1", "format = 2", 1, "format = 1 only"),
        (
            "burst        = 800",
            "burst = 2.5",
            8,
            "must be a whole number from 0 to 100,000,000, without quotes; here stands 2.5",
        ),
        ("rate         = 800", "rate = -3", 7, "from 0 to 1,000,000, without quotes; here stands -3"),
        ("rate         = 800", "rate = nan", 7, "here stands nan"),
        (
            'shape        = "batch"',
            'test_ids = "yes"',
            6,
            "must be true or false, without quotes; here stands text",
        ),
        (
            'profile      = "party-members"',
            "profile = 7",
            4,
            "must be text in double quotes; here stands a number",
        ),
        ('profile      = "party-members"', "", 3, "`profile` is missing here: write profile = …"),
        (
            'parties = ["P002"]',
            'parties = "P002"',
            18,
            'must be a list of texts: ["…", "…"]; here stands text',
        ),
        (
            'parties = ["P002"]',
            "parties = [2]",
            18,
            'must be a list of texts: ["…", "…"]; here stands something else',
        ),
        ("weight = 2", "weight = 0", 28, "must be a number above 0 to 1,000, without quotes; here stands 0"),
        ("weight = 2", "window = 5", 28, "tables of their own, each under a name in double brackets"),
        ("format = 1", "format = 1\nnotice = 5", 2, "must be a table"),
        ("format = 1", "format = 1\nretention = 5", 2, "must be a table"),
        (
            "weight = 2",
            "rate = true",
            28,
            "must be a number from 0 to 1,000,000, without quotes; here stands true or false",
        ),
        ('shape        = "batch"', 'shape        = "bach"', 6, "one of stream, batch, single"),
        ('kind   = "added"', 'kind   = "more"', 32, "one of base, added"),
        ('"https://registrar.example"', '"https://[registrar"', 5, "https://"),
        ('"https://registrar.example"', '"https://registrar.example:port"', 5, "https://"),
        ("format = 1", 'format = 1\nnotice.smtp = "mail.example:25"', 2, "smtp://"),
        ("format = 1", 'format = 1\nnotice.webhook = "ftp://x"', 2, "https://"),
        ('id     = "P001-01"', 'id     = "P001 01"', 35, "without blanks"),
        ('id     = "P001-01"', 'id     = "P001\\u0000"', 35, "without blanks"),
        ('id     = "P001-01"', 'id     = ""', 35, "without blanks"),
    ],
)
def test_a_wrong_line_is_named_with_what_to_do(old: str, new: str, line: int, words: str) -> None:
    """Each mistake names its own line."""
    assert GOOD.count(old) == 1

    with pytest.raises(BadPolicy) as caught:
        read_policy(GOOD.replace(old, new))

    told = [text for text in caught.value.message_en.splitlines() if words in text]
    assert f"line {line}:" in [place.split(" ", 2)[0] + " " + place.split(" ", 2)[1] for place in told]
    foreign = {
        "must",
        "stands",
        "whole",
        "write",
        "quotes",
        "number",
        "Expected",
        "not",
        "is",
        "a",
        "an",
        "the",
    }
    assert not foreign & set(caught.value.message_th.split()), "Thai readers get Thai"


def test_all_faults_are_told_at_once() -> None:
    """Two mistakes give two lines, in the file's order."""
    text = GOOD.replace("account_rate", "acount_rate").replace('kind   = "added"', 'kind   = "more"')

    with pytest.raises(BadPolicy) as caught:
        read_policy(text)

    assert [line.split(":")[0] for line in caught.value.message_en.splitlines()] == ["line 9", "line 32"]


def test_all_wrong_values_of_a_table_are_told_at_once() -> None:
    """Not the first alone, also in the tables within it; a secret is never repeated."""
    text = GOOD.replace("rate         = 800", 'rate = "fast"').replace("burst        = 800", "burst = []")
    text = text.replace('to    = "06:00"', "to = 6").replace('secret = "env:P002_01"', "secret = 4711")

    with pytest.raises(BadPolicy) as caught:
        read_policy(text)

    assert [line.split(":")[0] for line in caught.value.message_en.splitlines()] == [
        "line 7", "line 8", "line 21", "line 43",
    ]  # fmt: skip
    assert "4711" not in caught.value.message_en + caught.value.message_th


@pytest.mark.parametrize(
    ("wrong", "place", "what", "remedy"),
    [
        ("registry = = 2", "line 2, column 12", "the value cannot be read", "double quotes"),
        ('name = "พรรค', "line 2, at the end of the file", "no closing quote", "on the same line"),
        ("from = 08:30", "line 2, column 9", "something stands behind the value", '"08:30"'),
        ("rate = 800/s", "line 2, column 11", "something stands behind the value", "One name = value a line"),
        ("rate 800", "line 2, column 6", "no = after it", "name = value"),
        ("[registry.x", "at the end of the file", "neither name = value nor [table]", "[[table]]"),
        ("[พรรค]", "line 2, column 2", "neither name = value nor [table]", "stands in quotes"),
        ("format = 2", "line 2, at the end of the file", "stands here twice", "[[…]]"),
        ("[party.A]\n[party.A]", "line 3, column 9", "stands here twice", "[[…]]"),
        ('parties = ["A",', "at the end of the file", "the value cannot be read", "double quotes"),
        ('parties = ["A" "B"]', "line 2, column 16", "not closed", "Close it"),
        ('ca_file = "C:\\wrong"', "line 2", "backslash", "single quotes"),
        ("# \x00", "line 2, column 3", "cannot be seen", "type it again"),
    ],
)
def test_a_text_that_is_not_toml_is_refused_with_its_place(
    wrong: str, place: str, what: str, remedy: str
) -> None:
    """Where, what is wrong there, and what to do, in words of our own in both languages."""
    with pytest.raises(BadPolicy) as caught:
        read_policy(f"format = 1\n{wrong}")

    told = caught.value
    assert place in told.message_en
    assert what in told.message_en
    assert remedy in told.remedy_en
    assert not {"line", "column", "at", "Expected", "Invalid"} & set(told.message_th.split())
    assert told.remedy_th != told.remedy_en


def test_unwise_things_are_warned_about() -> None:
    """A secret in clear, plain http to another machine, and a party without a base account are said, not refused."""
    text = GOOD.replace("https://registrar", "http://registrar").replace('"env:P002_01"', '"plain:hunter2"')

    warnings = " ".join(
        warning.message_en for warning in read_policy(text.replace('"base"', '"added"')).warnings
    )

    assert "use https" in warnings
    assert "in clear" in warnings
    assert "no base account" in warnings
    assert "hunter2" not in warnings


def test_everything_that_is_wrong_is_told_at_once() -> None:
    """Unknown names at any level hide neither wrong values nor what must hold between lines; nothing is blamed twice."""
    text = (
        GOOD.replace("format = 1", "format = 1\ncolour = 2")
        .replace("account_rate = 20", "acount_rate = 20\ntest_ids = true")
        .replace("floor  = 5", "floor  = 5000\nnaem = 'x'")
        .replace('"2026-12-01..2026-12-07"', '"2026-13-01"')
    )
    with pytest.raises(BadPolicy) as refused:
        read_policy(text)
    told = [line.partition(": ")[2].partition(":")[0] for line in refused.value.message_en.splitlines()]
    registry = "registry.party-members"
    assert told == [
        "colour",
        f"{registry}.rate",
        f"{registry}.acount_rate",
        f"{registry}.test_ids",
        f"{registry}.window.2.dates",
        "party.P001.naem",
    ]
