"""`pratunam hold` and `release`."""

import pytest

from tests.pratunam.desk import Desk


def test_a_hold_of_a_registry_is_audited_and_told_to_all(desk: Desk) -> None:
    """Held until released; one notice a party each time; repeating changes nothing more."""
    before = len(desk.json("notices"))
    assert desk.json("hold", "--reason", "maintenance")["held"] is True
    assert desk.json("status")["registries"]["party-members"]["held"] is True
    assert len(desk.json("notices")) == before + 2
    notice = desk.json("notices")[0]
    assert "maintenance" in notice["body_en"]
    assert "ระงับ" in notice["body_th"]
    desk.json("hold", "--reason", "maintenance")
    assert desk.json("release")["held"] is False
    assert desk.json("status")["registries"]["party-members"]["held"] is False
    actions = [each["action"] for each in desk.json("audit")]
    assert any("hold" in action or "held" in action for action in actions)
    assert any("release" in action for action in actions)


def test_one_party_is_held_alone(desk: Desk) -> None:
    """The registry goes on; the party's jobs say why they wait."""
    job = desk.submitted(desk.members())
    desk.check(job)
    desk.json("hold", "--party", "P001", "--reason", "inquiry")
    assert desk.json("status")["registries"]["party-members"]["held"] is False
    assert "hold" in [each["code"] for each in desk.json("job", "why", job)["reasons"]]
    desk.json("release", "--party", "P001")
    assert "hold" not in [each["code"] for each in desk.json("job", "why", job)["reasons"]]


@pytest.mark.parametrize("options", [("--party", "P009"), ("--registry", "births")])
def test_what_is_not_there_cannot_be_held(desk: Desk, options: tuple[str, ...]) -> None:
    """Exit 2, what there is, and nothing is held."""
    told = desk.run("hold", *options, "--reason", "x")
    assert told.code == 2
    assert "party-members" in told.err or "P001" in told.err
    assert desk.run("hold").code == 2
    assert desk.json("status")["registries"]["party-members"]["held"] is False


def test_what_is_so_already_is_said_to_be_so(desk: Desk) -> None:
    """A second reason is told to nobody and stands nowhere: whoever gave it must hear that."""
    assert desk.json("release", "--party", "P001")["changed"] == []
    assert len(desk.json("hold", "--party", "P001", "--reason", "inquiry")["changed"]) == 1
    before = desk.json("audit")
    again = desk.run("hold", "--party", "P001", "--reason", "another")
    assert again.code == 0
    assert "was held already" in again.out
    assert desk.json("audit") == before
    assert "is released" in desk.run("release", "--party", "P001").out
    assert "was not held" in desk.run("release", "--party", "P001").out
