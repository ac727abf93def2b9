"""Generations of the gate."""

from tests.ledger.scene import BY, NOW, REGISTRY, Scene


async def test_generations_count_up_for_each_registry(scene: Scene) -> None:
    """0 before the first; each registry has its own; each beginning is audited with its reason."""
    assert await scene.ledger.generation(REGISTRY) == 0
    assert await scene.ledger.begin_generation(REGISTRY, "fresh", BY, NOW) == 1
    assert await scene.ledger.begin_generation(REGISTRY, "lost", BY, NOW) == 2
    assert await scene.ledger.begin_generation("other", "fresh", BY, NOW) == 1
    assert await scene.ledger.generation(REGISTRY) == 2
    line = (await scene.ledger.audit(subject=REGISTRY))[0]
    assert (line.action, line.detail) == ("generation.begun", {"generation": 2, "reason": "lost"})
