"""What differs between two policies, and the notices that tell of it."""

from dataclasses import replace

from domain.policy import PartyLimits, Policy
from domain.states import AccountKind
from pratunam.policy.announce import hold_notices, notices_of
from pratunam.policy.changes import changes_between
from pratunam.policy.read import read_policy
from tests.pratunam.desk import POLICY

NOW = 1_796_000_000_000
OLD = read_policy(POLICY).policy


def changed(*words: tuple[str, str]) -> Policy:
    """The policy with some words replaced."""
    text = POLICY
    for old, new in words:
        assert old in text
        text = text.replace(old, new)
    return read_policy(text).policy


def told(new: Policy) -> list[tuple[str | None, str, bool]]:
    """Whom each change concerns, its English words, and whether it is announced."""
    return [(each.party, each.text_en, each.announced) for each in changes_between(OLD, new)]


def test_the_same_policy_changes_nothing() -> None:
    """No change, no notice."""
    assert changes_between(OLD, OLD) == []
    assert notices_of([], OLD, OLD, "x", NOW) == ()


def test_a_first_policy_adds_everything() -> None:
    """Registry, hours and accounts, and a notice to every party."""
    changes = changes_between(None, OLD)
    assert {each.party for each in changes} == {None, "P001", "P002"}
    assert [each.party for each in notices_of(changes, OLD, None, "first", NOW)] == ["P001", "P002"]


def test_limits_are_not_announced() -> None:
    """Rates and weights concern the machine, not a party's hours or accounts."""
    new = changed(("rate     = 100", "rate     = 90"), ('name    = "พรรคตัวอย่าง"', "weight = 2.0"))
    assert [(party, announced) for party, _, announced in told(new)] == [(None, False), ("P001", False)]
    assert told(new)[0][1] == "rate: 100 → 90" or told(new)[0][1] == "rate: 100.0 → 90.0"
    assert notices_of(changes_between(OLD, new), new, OLD, "x", NOW) == ()


def test_each_party_hears_its_own_changes_and_that_others_change() -> None:
    """One notice a party: its own lines in words, of the others only that there are some."""
    new = changed(('id     = "P002-01"', 'id     = "P002-02"'))
    first, second = notices_of(changes_between(OLD, new), new, OLD, "By letter 12", NOW)
    assert (first.party, second.party) == ("P001", "P002")
    assert "account P002-02 (base) is added" in second.body_en
    assert "ปรับลดรหัสผู้ใช้งาน P002-01" in second.body_th
    assert "P002" not in first.body_en
    assert "1 other parties" in first.body_en
    assert "Your own accounts and hours stay" in first.body_en
    for notice in (first, second):
        assert "By letter 12" in notice.body_en
        assert "By letter 12" in notice.body_th


def test_old_and_new_hours_stand_side_by_side() -> None:
    """Common hours, and hours of a party's own, in both languages, with the instant from which they hold."""
    new = changed(('from = "00:00"\nto   = "24:00"', 'from = "08:30"\nto   = "16:30"'))
    own = replace(
        new,
        parties={
            **new.parties,
            "P002": replace(
                new.parties["P002"], windows={"party-members": OLD.registries["party-members"].windows}
            ),
        },
    )
    first, second = notices_of(changes_between(OLD, own), own, OLD, "x", NOW)
    assert "hours: daily 00:00–24:00 → daily 08:30–16:30" in first.body_en
    assert "ทุกวัน 00:00–24:00 → ทุกวัน 08:30–16:30" in first.body_th
    assert "hours: as everyone → daily 00:00–24:00" in second.body_en
    assert first.body_en.startswith("From ")
    assert "2569" in first.body_th


def test_a_party_that_goes_is_told_too() -> None:
    """Parties and accounts that are taken out are changes of their own."""
    new = replace(OLD, parties={"P001": OLD.parties["P001"]})
    changes = changes_between(OLD, new)
    assert [(each.party, each.text_en) for each in changes] == [("P002", "party P002 is taken out")]
    assert [each.party for each in notices_of(changes, new, OLD, "x", NOW)] == ["P001", "P002"]


def test_an_account_that_changes_its_kind_is_announced() -> None:
    """From base to added."""
    party = OLD.parties["P001"]
    accounts = tuple(replace(account, kind=AccountKind.ADDED) for account in party.accounts)
    new = replace(OLD, parties={**OLD.parties, "P001": replace(party, accounts=accounts)})
    assert told(new) == [("P001", "account P001-01: base → added", True)]


def test_a_registry_that_goes_is_announced() -> None:
    """To everyone."""
    assert (None, "registry party-members is taken out", True) in told(Policy({}, OLD.parties))


def test_a_party_with_limits_of_its_own_keeps_them_apart() -> None:
    """The same limits written out are no change."""
    party = replace(OLD.parties["P001"], limits={"party-members": PartyLimits()})
    assert told(replace(OLD, parties={**OLD.parties, "P001": party})) == []


def test_a_hold_is_told_to_every_party() -> None:
    """Held and released differ in both languages."""
    held = hold_notices(OLD, "party-members", "P001", "inquiry", on=True, now=NOW)
    freed = hold_notices(OLD, "party-members", "P001", "inquiry", on=False, now=NOW)
    assert [each.party for each in held] == ["P001", "P002"]
    assert "held for party P001" in held[1].body_en
    assert "ปล่อย" in freed[0].body_th
