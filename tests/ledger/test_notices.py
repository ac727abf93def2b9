"""Notices and their deliveries."""

import pytest

from domain.errors import NotFound
from domain.policy import NoticeRules
from tests.ledger.scene import BY, NOW, Scene, notice_draft, policy, policy_draft


async def test_a_notice_is_written_in_both_languages(scene: Scene) -> None:
    """And stands in the audit by its id."""
    (name,) = await scene.ledger.add_notices([notice_draft("P001")], BY, NOW)
    notice = await scene.ledger.notice(name)
    assert (notice.title_en, notice.title_th, notice.body_en, notice.body_th) == (
        "Hours change",
        "เวลาเปลี่ยน",
        "From Monday",
        "ตั้งแต่วันจันทร์",
    )
    assert (notice.party, notice.kind, notice.created_at, notice.version) == ("P001", "window", NOW, None)
    assert [line.subject for line in await scene.ledger.audit()] == [name]


async def test_notices_are_listed_newest_first_and_by_party(scene: Scene) -> None:
    """Each with its deliveries."""
    names = await scene.ledger.add_notices([notice_draft("P001"), notice_draft("P002")], BY, NOW)
    assert [one.notice for one in await scene.ledger.notices()] == list(reversed(names))
    (mine,) = await scene.ledger.notices(party="P002")
    assert [(way.channel, way.state) for way in mine.deliveries] == [("folder", "waiting")]
    assert len(await scene.ledger.notices(limit=1)) == 1


async def test_the_channels_are_those_of_the_policy(scene: Scene) -> None:
    """Folder always; mail for parties with a contact, and a webhook, where they are set."""
    rules = policy("P001", notice=NoticeRules(smtp="smtp://mail.example:25", webhook="https://hook.example"))
    await scene.ledger.apply_policy(policy_draft(rules), BY, NOW)
    await scene.ledger.add_notices([notice_draft("P001"), notice_draft("P009")], BY, NOW)
    other, mine = await scene.ledger.notices()
    assert [way.channel for way in mine.deliveries] == ["folder", "smtp", "webhook"]
    assert [way.channel for way in other.deliveries] == ["folder", "webhook"]


async def test_a_delivery_is_tried_until_it_is_taken(scene: Scene) -> None:
    """A failed try is due again at its time; a taken one never, whatever is reported later."""
    (name,) = await scene.ledger.add_notices([notice_draft()], BY, NOW)
    assert (await scene.ledger.standing(NOW)).due_notices == [name]
    await scene.ledger.undelivered(name, "folder", "disk-full", NOW + 500, NOW)
    assert (await scene.ledger.standing(NOW + 499)).due_notices == []
    assert (await scene.ledger.standing(NOW + 500)).due_notices == [name]
    (way,) = (await scene.ledger.notice(name)).deliveries
    assert (way.state, way.attempts, way.next_at, way.last_error) == ("failing", 1, NOW + 500, "disk-full")
    for at in (NOW + 600, NOW + 700):
        await scene.ledger.delivered(name, "folder", at)
    await scene.ledger.undelivered(name, "folder", "late", NOW + 800, NOW + 700)
    (way,) = (await scene.ledger.notice(name)).deliveries
    assert (way.state, way.attempts, way.delivered_at, way.next_at) == ("delivered", 2, NOW + 600, None)
    assert (await scene.ledger.standing(NOW + 10_000)).due_notices == []


async def test_a_notice_that_never_was_is_not_found(scene: Scene) -> None:
    """By name."""
    with pytest.raises(NotFound):
        await scene.ledger.notice("N000009")


async def test_no_notices_are_no_change(scene: Scene) -> None:
    """An empty list writes nothing."""
    assert await scene.ledger.add_notices([], BY, NOW) == []
    assert await scene.ledger.notices() == []
