"""What becomes of a record: keys, duplicates, rejections, memberships, effects."""

import msgspec
import pytest

from registrar.config import Membership, Registry, Rule
from registrar.records import RecordBook
from tests.registrar.wire import record


def said(book: RecordBook, key: str, content: dict[str, object], party: str = "P001") -> str:
    """Status, and code where there is one, of the answer to a record."""
    answer = msgspec.json.decode(book.decide(party, key, content).line)
    return ":".join(str(answer[name]) for name in ("status", "code") if name in answer)


def test_the_same_key_and_content_is_one_effect() -> None:
    """The second time is a duplicate with the first receipt, also with other order of fields."""
    book = RecordBook(Registry())
    first = msgspec.json.decode(book.decide("P001", "k", {"a": 1, "b": 2}).line)
    again = msgspec.json.decode(book.decide("P001", "k", {"b": 2, "a": 1}).line)
    assert (first["status"], again["status"]) == ("accepted", "duplicate")
    assert first["receipt"] == again["receipt"]
    assert list(book.effects["P001"].values()) == [1]


def test_the_same_key_with_other_content_is_rejected() -> None:
    """A key stands for one content; the first stays as it was."""
    book = RecordBook(Registry())
    assert said(book, "k", record(1)) == "accepted"
    assert said(book, "k", record(2)) == "rejected:key-reused"
    assert said(book, "k", record(1)) == "duplicate"


def test_keys_of_parties_do_not_meet() -> None:
    """Two parties may use the same key."""
    book = RecordBook(Registry())
    assert said(book, "k", record(1)) == "accepted"
    assert said(book, "k", record(2), "P002") == "accepted"


def test_a_rejected_key_answers_the_same_again() -> None:
    """A rejection is final for its key: the answer is the same bytes."""
    book = RecordBook(Registry(required=("national_id",)))
    first = book.decide("P001", "k", {"national_id": ""})
    assert msgspec.json.decode(first.line)["field"] == "national_id"
    assert book.decide("P001", "k", {"national_id": ""}).line == first.line
    assert book.effects == {}


def test_without_idempotency_a_key_takes_effect_again() -> None:
    """Such a registry doubles what is sent twice, and the effects show it."""
    book = RecordBook(Registry(idempotent=False))
    assert [said(book, "k", record(1)) for _ in range(2)] == ["accepted", "accepted"]
    assert list(book.effects["P001"].values()) == [2]


def test_without_idempotency_a_membership_rule_answers_already_member() -> None:
    """A record that had come in is then *maybe ours*."""
    book = RecordBook(Registry(idempotent=False, membership=Membership()))
    assert [said(book, "k", record(1)) for _ in range(2)] == ["accepted", "rejected:already-member"]


def test_membership_follows_joining_and_leaving() -> None:
    """A member can't join twice or elsewhere, and can once he has left."""
    book = RecordBook(Registry(membership=Membership(members_only=("RENEW",))))
    assert said(book, "a", record(1)) == "accepted"
    assert said(book, "b", record(1)) == "rejected:already-member"
    assert said(book, "c", record(1), "P002") == "rejected:other-party"
    assert said(book, "d", record(1, "RENEW")) == "accepted"
    assert said(book, "e", record(1, "RENEW"), "P002") == "rejected:not-a-member"
    assert said(book, "f", record(1, "RESIGN")) == "accepted"
    assert said(book, "g", record(1), "P002") == "accepted"


@pytest.mark.parametrize(
    "rule",
    [
        Rule(field="first_name", equals="x", code="odd", message_en="What is {first_name} of {nothing}?"),
        Rule(field="first_name", ends_with="x", code="odd", message_en="What is {first_name} of {nothing}?"),
    ],
)
def test_a_rule_rejects_and_its_message_may_quote(rule: Rule) -> None:
    """Rules name a field; their messages may quote the record, as real ones do."""
    book = RecordBook(Registry(rules=(rule,)))
    answer = msgspec.json.decode(book.decide("P001", "k", record(1, first_name="x")).line)
    assert (answer["code"], answer["field"], answer["message_en"]) == ("odd", "first_name", "What is x of ?")
    assert answer["message_th"]
    assert said(book, "m", record(1)) == "accepted"


def test_the_natural_key_is_of_the_fields_that_are_configured() -> None:
    """Party and configured fields make the digest; a key makes another."""
    book, other = (
        RecordBook(Registry(natural_key=("id",))),
        RecordBook(Registry(natural_key=("id",), digest_key="k")),
    )
    assert book.natural_digest("P", {"id": 1, "x": 1}) == book.natural_digest("P", {"id": 1, "x": 2})
    assert book.natural_digest("P", {"id": 1}) != book.natural_digest("Q", {"id": 1})
    assert book.natural_digest("P", {"id": 1}) != other.natural_digest("P", {"id": 1})


def test_a_key_can_be_asked_about_by_its_party_only() -> None:
    """The answer is the record's line; other parties and unknown keys get nothing."""
    book = RecordBook(Registry())
    decided = book.decide("P001", "k", record(1))
    assert book.ask("P001", "k") == decided.line
    assert book.ask("P002", "k") is None
    assert book.ask("P001", "other") is None
