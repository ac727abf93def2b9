"""The knobs that tests turn while the registrar runs."""

import pytest

from tests.registrar.wire import REGISTRY, ManualClock, config, door, line, lines


async def test_limits_change_at_run_time_and_are_judged_by_what_held_when() -> None:
    """What was fine under the old limit stays fine; the new one binds from the change on."""
    clock = ManualClock()
    async with door(config(account_rate=10), clock) as it:
        token = await it.log_in()
        assert (await it.batch(token, lines(10))).status == 200
        clock.move(1000)
        await it.control(limits=[{"account": "P001-01", "rate": 2, "burst": 2}])
        assert (await it.batch(token, lines(2, 10))).status == 200
        clean = await it.report()
        answer = await it.batch(token, lines(2, 20))
        report = await it.report()
    assert clean["verdict"]["ok"]
    assert answer.json["code"] == "too-fast"
    assert report["parties"]["P001"]["accounts"]["P001-01"]["bucket"]["offending"] == 2


async def test_limits_of_party_registry_and_sessions_can_change() -> None:
    """The narrowest scope that is named is meant."""
    async with door(config(), ManualClock()) as it:
        await it.control(
            limits=[{"party": "P001", "rate": 1}, {"registry": REGISTRY, "rate": 2}, {"sessions": 1}]
        )
        token = await it.log_in()
        first = await it.batch(token, lines(2))
        second = await it.try_log_in("P001-02")
        report = await it.report()
    assert first.json["scope"] == "party"
    assert second.json["code"] == "too-many-sessions"
    assert (report["bucket"]["rate"], report["parties"]["P001"]["bucket"]["rate"]) == (2, 1)


async def test_a_partys_hours_replace_the_registrys_until_they_are_taken_back() -> None:
    """A party may be closed alone, for instants; null gives it the registry's hours again."""
    async with door(config(), ManualClock(wall_ms=1_000)) as it:
        await it.control(windows=[{"party": "P001", "windows": [{"from_at": 5_000, "to_at": 6_000}]}])
        assert (await it.try_log_in("P001-01")).json["code"] == "window-closed"
        assert (await it.try_log_in("P002-01")).status == 201
        await it.control(windows=[{"party": "P001", "windows": None}])
        assert (await it.try_log_in("P001-01")).status == 201


async def test_accounts_are_added_rekeyed_and_removed() -> None:
    """A new account works, an old password does not, a removed account is unknown."""
    async with door() as it:
        await it.control(accounts=[{"id": "P003-01", "party": "P003", "secret": "new"}])
        assert (await it.try_log_in("P003-01", "new")).json["party"] == "P003"
        await it.control(accounts=[{"id": "P001-01", "secret": "changed"}])
        assert (await it.try_log_in("P001-01")).status == 401
        await it.control(accounts=[{"id": "P001-02", "removed": True}])
        assert (await it.try_log_in("P001-02")).status == 401


async def test_an_account_that_is_removed_later_was_no_session_too_many() -> None:
    """The judge counts the accounts that a party had when it logged in."""
    async with door() as it:
        await it.log_in("P001-01")
        await it.log_in("P001-02")
        await it.control(accounts=[{"id": "P001-02", "suspended": True}])
        report = await it.report()
    assert report["parties"]["P001"]["sessions"] == {"most": 2, "over": 0, "allowed": 1, "logins": 2}


async def test_faults_are_armed_and_cleared() -> None:
    """An armed fault strikes until it is taken out."""
    async with door() as it:
        token = await it.log_in()
        await it.control(faults=[{"kind": "overloaded"}])
        assert (await it.batch(token, line("k"))).status == 503
        await it.control(clear_faults=True)
        assert (await it.batch(token, line("k"))).status == 200


async def test_a_reset_begins_a_new_log_and_keeps_sessions() -> None:
    """Counts and effects are gone, open sessions go on."""
    async with door() as it:
        token = await it.log_in()
        await it.batch(token, lines(3))
        await it.control(reset=True)
        empty = await it.report()
        again = await it.batch(token, lines(3))
    assert (empty["arrivals"], empty["effects"]["natural_keys"], empty["sessions"]["logins"]) == (0, 0, 0)
    assert [one["status"] for one in again.lines] == ["accepted"] * 3


async def test_the_clock_and_the_mode_can_be_turned() -> None:
    """The clock goes wrong at run time; watch mode lets all through."""
    async with door(config(account_rate=1), ManualClock(wall_ms=0)) as it:
        await it.control(clock_offset_s=30, mode="watch")
        token = await it.log_in()
        assert (await it.batch(token, lines(5))).status == 200
        assert (await it.report())["first_at"] == 30_000


@pytest.mark.parametrize(
    "wish",
    [
        {"wish": 1},
        {"faults": [{"kind": "nothing"}]},
        {"faults": [{"kind": "busy", "often": 1}]},
        {"hijack": "nobody"},
        {"limits": [{"registry": "none"}]},
        {"limits": [{"party": "none"}]},
        {"accounts": [{"id": "none"}]},
        {"windows": [{"windows": [{"from": 1}]}]},
        {"windows": [{"windows": [{"from_at": "2026-01-01T00:00:00"}]}]},
        {"mode": "sleep"},
    ],
)
async def test_what_does_not_exist_is_refused_with_its_name(wish: dict[str, object]) -> None:
    """400 malformed with a sentence; nothing is changed."""
    async with door() as it:
        answer = await it.ask("POST", "/control", json=wish)
    assert (answer.status, answer.json["code"]) == (400, "malformed")
    assert answer.json["detail"] != answer.json["title"]


async def test_control_can_be_left_out() -> None:
    """A registrar that is not for tests has no such page."""
    settings = config()
    closed = type(settings)(registries=settings.registries, control=False)
    async with door(closed) as it:
        assert (await it.ask("POST", "/control", json={})).status == 404
