"""The registrar's stop button."""

from tests.ledger.scene import BY, NOW, REGISTRY, Scene, notice_draft


async def test_a_hold_stands_until_it_is_released(scene: Scene) -> None:
    """Who, why and since when; holding again changes nothing."""
    for at, reason in ((NOW, "overload"), (NOW + 9, "again")):
        await scene.ledger.hold(REGISTRY, None, reason, [notice_draft()], BY, at)
    await scene.ledger.hold(REGISTRY, "P001", "court order", [], BY, NOW + 1)
    everyone, party = await scene.ledger.holds()
    assert (everyone.party, everyone.reason, everyone.who, everyone.since_at) == (
        None,
        "overload",
        BY.who,
        NOW,
    )
    assert (party.party, party.reason) == ("P001", "court order")
    await scene.ledger.release(REGISTRY, None, "over", [notice_draft()], BY, NOW + 10)
    assert [hold.party for hold in await scene.ledger.holds()] == ["P001"]


async def test_holding_and_releasing_are_audited_and_told_once(scene: Scene) -> None:
    """What changes nothing leaves neither a line nor a notice."""
    for _ in range(2):
        await scene.ledger.hold(REGISTRY, None, "stop", [notice_draft()], BY, NOW)
    for _ in range(2):
        await scene.ledger.release(REGISTRY, None, "go", [notice_draft()], BY, NOW)
    assert [line.action for line in await scene.ledger.audit()] == ["release", "hold"]
    assert len(await scene.ledger.notices()) == 2
