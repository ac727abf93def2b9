"""The audit chain."""

import hashlib
import json
from collections.abc import Callable

import pytest

from ledger.values import AuditProof
from tests.ledger.scene import BY, NOW, Scene


async def three_lines(scene: Scene) -> str:
    """Write three lines and return the head."""
    for n in range(3):
        await scene.ledger.note("doctor", f"s{n}", {"n": n, "พรรค": "ก"}, BY, NOW + n)
    proof = await scene.ledger.verify_audit()
    assert proof.broken_at is None
    return proof.head


async def test_an_empty_chain_is_whole(scene: Scene) -> None:
    """No line, and nothing broken."""
    assert await scene.ledger.verify_audit() == AuditProof(0, "0" * 64)


async def test_each_line_follows_from_the_one_before(scene: Scene) -> None:
    """Newest first; each carries the digest of the one before; the newest is the head."""
    head = await three_lines(scene)
    third, second, first = await scene.ledger.audit()
    assert (third.digest, third.before, second.before) == (head, second.digest, first.digest)
    assert (first.before, first.line, first.at, first.who, first.through) == (
        "0" * 64,
        1,
        NOW,
        "ops:test",
        "test",
    )
    assert first.detail == {"n": 0, "พรรค": "ก"}


async def test_lines_are_found_by_subject(scene: Scene) -> None:
    """And limited in number."""
    await three_lines(scene)
    assert [line.subject for line in await scene.ledger.audit(subject="s1")] == ["s1"]
    assert [line.subject for line in await scene.ledger.audit(limit=2)] == ["s2", "s1"]


@pytest.mark.parametrize(
    ("tampering", "broken_at"),
    [
        ("UPDATE audit SET who = 'someone' WHERE line = 2", 2),
        ("UPDATE audit SET at = at + 1 WHERE line = 1", 1),
        ("UPDATE audit SET detail = '{}' WHERE line = 3", 3),
        ("UPDATE audit SET digest = 'ab' WHERE line = 2", 2),
        ("DELETE FROM audit WHERE line = 2", 2),
        ("DELETE FROM audit WHERE line = 1", 1),
        ("DELETE FROM audit WHERE line = 3", 3),
        ("DELETE FROM audit", 1),
        ("UPDATE audit SET line = 9 WHERE line = 3", 3),
    ],
)
async def test_tampering_shows_where(
    scene: Scene, tamper: Callable[[str], None], tampering: str, broken_at: int
) -> None:
    """Changed, removed, moved and cut-off lines are named by the first line that does not follow."""
    await three_lines(scene)
    tamper(tampering)
    assert (await scene.ledger.verify_audit()).broken_at == broken_at


async def test_a_line_forged_with_a_digest_of_its_own_breaks_the_next(
    scene: Scene, tamper: Callable[[str], None]
) -> None:
    """Whoever changes a line and reckons its digest anew must do so for all that follow, and then the head is another."""
    await three_lines(scene)
    _, second, first = await scene.ledger.audit()
    parts = (2, second.at, "someone", second.through, second.action, second.subject, "{}", first.digest)
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    tamper(f"UPDATE audit SET who = 'someone', detail = '{{}}', digest = '{digest}' WHERE line = 2")
    assert (await scene.ledger.verify_audit()).broken_at == 3


async def test_a_change_and_its_line_are_one(scene: Scene) -> None:
    """A verb that fails leaves no line, a verb that works leaves one with who and through what."""
    await scene.submit()
    before = await scene.ledger.verify_audit()
    with pytest.raises(Exception, match="no job"):
        await scene.ledger.pause("J9", "", BY, NOW)
    assert await scene.ledger.verify_audit() == before
    await scene.ledger.pause("J1", "why", BY, NOW)
    (line,) = await scene.ledger.audit(limit=1)
    assert (line.action, line.subject, line.who, line.through) == ("job.paused", "J1", BY.who, BY.through)
    assert (await scene.ledger.verify_audit()).lines == before.lines + 1
