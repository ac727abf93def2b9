"""`pratunam status`."""

import pytest

from tests.pratunam.desk import Desk

REGISTRY_SHAPE = {"rate", "limit", "sessions", "session_limit", "brake", "held", "outstanding"}
PARTY_SHAPE = {"backlog", "rate", "share", "sessions", "accounts", "window", "bound_by"}


def test_status_has_the_shape_that_scripts_rely_on(desk: Desk) -> None:
    """Every key of policy.md, also where nothing runs, which the text says."""
    desk.check(desk.submitted(desk.members()))
    told = desk.json("status")
    assert told["policy_version"] == 1
    registry = told["registries"]["party-members"]
    assert set(registry) >= REGISTRY_SHAPE
    assert (registry["limit"], registry["session_limit"], registry["brake"], registry["held"]) == (
        100,
        60,
        1.0,
        False,
    )
    party = told["parties"]["P001"]
    assert set(party) >= PARTY_SHAPE
    assert (party["backlog"], party["accounts"], party["window"]["open"]) == (6, 1, True)
    assert "Nothing is running" in desk.run("status").out


@pytest.mark.usefixtures("server")
def test_status_asks_the_gate_where_one_is_set(desk: Desk) -> None:
    """A Redis in which no generation has begun is a gate that is not open yet."""
    assert desk.json("status")["registries"]["party-members"]["running"] is False


@pytest.mark.usefixtures("server")
def test_status_says_when_a_party_is_done(desk: Desk) -> None:
    """With files that are still to be checked, by their rows; nothing of a party that has nothing waiting."""
    desk.check(desk.submitted(desk.members(40)))
    alone = desk.json("status")["parties"]
    assert alone["P001"]["finish_forecast_en"].startswith("done in about 5 s")
    assert alone["P002"]["finish_forecast_at"] is None
    assert "เสร็จในประมาณ" in desk.run("status").out
    desk.submitted(desk.members(400, seed=9, name="more.csv"))
    both = desk.json("status")["parties"]["P001"]
    assert both["finish_forecast_at"] > alone["P001"]["finish_forecast_at"]
    assert both["finish_forecast_en"].startswith("done in about 20 s")


def test_a_closed_window_says_when_it_opens(desk: Desk) -> None:
    """`open` false, and `until` an instant."""
    desk.apply(
        ('days = "daily"\nfrom = "00:00"\nto   = "24:00"', 'days = "daily"\nfrom = "00:00"\nto   = "00:01"')
    )
    told = desk.json("status")["parties"]["P001"]
    if not told["window"]["open"]:
        assert told["bound_by"] == "window"
    assert told["window"]["until"].endswith("+07:00")


def test_a_home_without_a_policy_has_no_status(bare: Desk) -> None:
    """Exit 2 and the command that helps, with and without a home."""
    assert bare.run("status").code == 2
    bare.json("migrate")
    told = bare.run("status")
    assert told.code == 2
    assert "policy apply" in told.err


def test_a_party_of_two_registries_hides_no_backlog(desk: Desk) -> None:
    """It is told where most waits, and `also` how it stands elsewhere; one without accounts there is not told of it."""
    both = [(f'id     = "P00{n}-01"', f'registry = "party-members"\nid     = "P00{n}-01"') for n in (1, 2)]
    trial = '[registry.trial]\nprofile = "party-members"\nendpoint = "https://trial.example"\n\n[party.P001]'
    account = '[[party.P001.account]]\nregistry = "trial"\nid = "T"\nkind = "base"\nsecret = "plain:t"\n\n[party.P002]'
    desk.apply(("[party.P001]", trial), ("[party.P002]", account), *both)
    desk.check(desk.submitted(desk.members(), "--registry", "party-members"))
    told = desk.json("status")["parties"]
    assert (told["P001"]["registry"], told["P001"]["backlog"]) == ("party-members", 6)
    [other] = told["P001"]["also"]
    assert (other["registry"], other["backlog"], other["accounts"]) == ("trial", 0, 1)
    assert told["P002"]["registry"] == "party-members"
    assert "also" not in told["P002"]
    text = desk.run("status").out
    assert "P001 @ party-members" in text
    assert "P001 @ trial" in text
    assert "P002 @ trial" not in text
