"""What becomes of a record: keys, contents, memberships, rules, effects.

Synchronous and free of transport. It must know no limits, hours or sessions.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Annotated, Any

import msgspec

from registrar.answers import accepted_line, duplicate_line, rejected_line
from registrar.arrivals import Decision
from registrar.config import Registry, Rule

Record = dict[str, Any]
Key = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")]


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line of a request."""

    key: Key
    record: Record


class Decided(msgspec.Struct, frozen=True, gc=False):
    """The answer to one record."""

    decision: int
    line: bytes
    natural: int  # digest of the natural key
    code: str | None = None  # of a rejection


class _Known(msgspec.Struct, frozen=True, gc=False):
    """What a key stands for: its content, and its receipt or its rejection."""

    content: int
    receipt: str
    rejection: bytes | None = None
    code: str | None = None


_sorted_encode = msgspec.json.Encoder(order="sorted").encode


class _Blanks(dict[str, Any]):
    """Fields of a record for a message; those it lacks read as nothing."""

    def __missing__(self, name: str) -> str:
        return ""


class RecordBook:
    """The records of one registry."""

    def __init__(self, rules: Registry) -> None:
        self._rules = rules
        self._digest_key = rules.digest_key.encode()
        self._keys: dict[str, dict[str, _Known]] = {}
        self._member_of: dict[Any, str] = {}
        self._serial = 0
        self.effects: dict[str, dict[int, int]] = {}  # party → digest → number of effects
        self._plain = not (rules.required or rules.membership or rules.rules)

    def reset(self) -> None:
        """Forget every record and every effect."""
        self.__init__(self._rules)  # type: ignore[misc]  # the same as new, by definition

    def natural_digest(self, party: str, record: Mapping[str, Any]) -> int:
        """64 bits that stand for (party, natural key); BLAKE2b, parts joined by U+001F."""
        parts = [party]
        for name in self._rules.natural_key:
            parts.append(str(record.get(name, "")))
        digest = blake2b("\x1f".join(parts).encode(), digest_size=8, key=self._digest_key).digest()
        return int.from_bytes(digest, "big")

    def decide(self, party: str, key: str, record: Record) -> Decided:
        """Record it, or say why not; the same key is one effect where the registry promises that."""
        natural = self.natural_digest(party, record)
        content = hash(_sorted_encode(record))
        keys = self._keys.setdefault(party, {})
        known = keys.get(key)
        if known is not None and self._rules.idempotent:
            return self._again(key, known, content, natural)
        refused = None if self._plain else self._refusal(party, key, record)
        if refused is not None:
            line, code = refused
            keys[key] = _Known(content, "", line, code)
            return Decided(Decision.REJECTED, line, natural, code)
        self._serial += 1
        receipt = f"R{self._serial:09d}"
        keys[key] = _Known(content, receipt)
        effects = self.effects.setdefault(party, {})
        effects[natural] = effects.get(natural, 0) + 1
        return Decided(Decision.ACCEPTED, accepted_line(key, receipt), natural)

    def _again(self, key: str, known: _Known, content: int, natural: int) -> Decided:
        if known.content != content:
            line = rejected_line(
                key, "key-reused", None, "รหัสรายการนี้ใช้กับข้อมูลอื่นแล้ว", "This key was used for another content."
            )
            return Decided(Decision.REJECTED, line, natural, "key-reused")
        if known.rejection is not None:
            return Decided(Decision.REJECTED, known.rejection, natural, known.code)
        return Decided(Decision.DUPLICATE, duplicate_line(key, known.receipt), natural)

    def ask(self, party: str, key: str) -> bytes | None:
        """The line of a key of this party, or nothing."""
        known = self._keys.get(party, {}).get(key)
        if known is None:
            return None
        return known.rejection or accepted_line(key, known.receipt)

    def _refusal(self, party: str, key: str, record: Record) -> tuple[bytes, str] | None:
        for name in self._rules.required:
            if record.get(name) in (None, ""):
                code = "field-missing"
                return rejected_line(key, code, name, f"ไม่มีข้อมูล {name}", f"{name} is missing."), code
        for rule in self._rules.rules:
            if _strikes(rule, record):
                values = _Blanks(record)
                th, en = rule.message_th.format_map(values), rule.message_en.format_map(values)
                return rejected_line(key, rule.code, rule.field, th, en), rule.code
        return self._membership_refusal(party, key, record)

    def _membership_refusal(self, party: str, key: str, record: Record) -> tuple[bytes, str] | None:
        rule = self._rules.membership
        if rule is None:
            return None
        person, operation = record.get(rule.person), record.get(rule.operation)
        current = self._member_of.get(person)
        code = None
        if operation in rule.joins and current is not None:
            code = "already-member" if current == party else "other-party"
        elif operation in rule.members_only and current != party:
            code = "not-a-member"
        if code is not None:
            return rejected_line(key, code, rule.person, *_MEMBERSHIP_MESSAGES[code]), code
        if operation in rule.joins:
            self._member_of[person] = party
        elif operation in rule.leaves and current == party:
            del self._member_of[person]
        return None


_MEMBERSHIP_MESSAGES = {
    "already-member": ("เป็นสมาชิกของพรรคนี้อยู่แล้ว", "Already a member of this party."),
    "other-party": ("เป็นสมาชิกของพรรคการเมืองอื่น", "A member of another party."),
    "not-a-member": ("ไม่ได้เป็นสมาชิกของพรรคนี้", "Not a member of this party."),
}


def _strikes(rule: Rule, record: Record) -> bool:
    value = record.get(rule.field)
    if rule.ends_with is not None:
        return isinstance(value, str) and value.endswith(rule.ends_with)
    return rule.equals is not None and value == rule.equals
