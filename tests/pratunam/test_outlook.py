"""The outlook of a job, in words and from the planner."""

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.quota import BoundBy, PartyUse, SessionUse, Signals, Usage
from domain.windows import WindowState
from pratunam.job_view import counts_line, next_steps
from pratunam.outlook import Outlook, about_ms, outlook_text, timezone_of
from pratunam.outlooks import Outlooks
from pratunam.parts import Parts
from pratunam.settings import Settings
from tests.pratunam.desk import Desk

BANGKOK = "Asia/Bangkok"
OPEN = WindowState(is_open=True, until_at=None)


def at(text: str) -> int:
    """An instant in ms."""
    return int(dt.datetime.fromisoformat(text).timestamp() * 1000)


NOW = at("2026-12-05T17:00:00+07:00")


@pytest.mark.parametrize(
    ("outlook", "english"),
    [
        (
            Outlook(
                at("2026-12-07T10:40:00+07:00"),
                WindowState(is_open=False, until_at=at("2026-12-07T08:30:00+07:00")),
                BANGKOK,
                running=True,
            ),
            "closed until Monday 08:30, then about 2 h 10 min",
        ),
        (
            Outlook(
                None,
                WindowState(is_open=False, until_at=at("2026-12-07T08:30:00+07:00")),
                BANGKOK,
                running=True,
            ),
            "closed until Monday 08:30",
        ),
        (
            Outlook(None, WindowState(is_open=False, until_at=None), BANGKOK, running=True),
            "closed, and no opening in sight",
        ),
        (
            Outlook(
                at("2026-12-07T08:30:00+07:00"),
                WindowState(is_open=False, until_at=at("2026-12-07T08:30:00+07:00")),
                BANGKOK,
                running=True,
            ),
            "closed until Monday 08:30, then about 5 s",
        ),
        (Outlook(NOW + 90_000, OPEN, BANGKOK, running=True), "19.5/s, done in about 2 min (17:02)"),
        (
            Outlook(NOW + 8_040_000 + 1, OPEN, BANGKOK, running=True),
            "19.5/s, done in about 2 h 10 min (19:15)",
        ),
        (Outlook(None, OPEN, BANGKOK, running=True), "19.5/s, no end in sight as things stand"),
        (Outlook(None, OPEN, BANGKOK, running=False), "nothing is running: start it with `pratunam up`"),
    ],
)
def test_the_outlook_knows_about_windows(outlook: Outlook, english: str) -> None:
    """Each case in the words that people read, and other words in Thai."""
    told, thai = outlook_text(outlook, NOW, 19.5)
    assert told == english
    assert thai != told


def test_thai_readers_are_told_the_same() -> None:
    """How long, and until when, in their own calendar; what is said of a closed window, too."""
    told = outlook_text(Outlook(NOW + 90_000, OPEN, BANGKOK, running=True), NOW, 19.5)[1]
    assert told == "19.5/วินาที เสร็จในประมาณ 2 นาที (วันเสาร์ 5 ธ.ค. 2569 เวลา 17:02 น.)"
    shut = WindowState(is_open=False, until_at=NOW + 3_600_000)
    told = outlook_text(Outlook(NOW + 3_600_000 + 47_000, shut, BANGKOK, running=True), NOW)[1]
    assert told == "ปิดจนถึงวันเสาร์ 5 ธ.ค. 2569 เวลา 18:00 น. จากนั้นใช้เวลาประมาณ 45 วินาที"


@given(st.integers(-1_000, 90 * 86_400_000))
def test_a_length_of_time_is_told_as_exactly_as_it_can_be_known(ms: int) -> None:
    """Never off by more than a tenth or half a minute, and never nothing at all."""
    told = about_ms(ms)
    assert told > 0
    assert abs(told - max(0, ms)) <= max(30_000, 0.1 * ms)
    assert ms >= 60_000 or abs(told - max(0, ms)) <= 5_000


@pytest.mark.usefixtures("server")
def test_behind_a_closed_window_no_end_is_told_before_it_opens(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The registrar's clock is half a minute ahead: by ours it opens, and all is done, before the hour that people read."""
    job = desk.submitted(desk.members(40))
    desk.check(job)
    tomorrow = dt.datetime.now(ZoneInfo(BANGKOK)).date() + dt.timedelta(days=1)
    desk.apply(('days = "daily"\nfrom = "00:00"', f'dates = "{tomorrow}"\nfrom = "00:00"'))

    async def ahead(settings: Settings, registry: str) -> Usage:
        del settings, registry
        return Usage(1, 0, 0.0, 0, 0, signals=Signals(clock_offset_ms=30_000, clock_error_ms=0))

    monkeypatch.setattr("pratunam.outlooks.usage_of", ahead)

    async def look(parts: Parts) -> Outlook:
        return await Outlooks(parts).of_job(await parts.ledger.job(job))

    outlook = desk.within(look)
    assert outlook.window.until_at is not None
    assert outlook.finish_at == outlook.window.until_at


@pytest.mark.usefixtures("server")
def test_the_forecast_counts_from_the_opening(desk: Desk) -> None:
    """Behind a closed window the end lies after it opens; without any opening there is none; a paused job has none."""
    job = desk.submitted(desk.members(40))
    desk.check(job)

    async def look(parts: Parts) -> Outlook:
        return await Outlooks(parts).of_job(await parts.ledger.job(job))

    opened = desk.within(look)
    assert opened.finish_at is not None
    desk.apply(('days = "daily"\nfrom = "00:00"', 'dates = "2031-01-01"\nfrom = "00:00"'))
    closed = desk.within(look)
    assert not closed.window.is_open
    desk.apply(('days = "daily"\nfrom = "00:00"', 'dates = "2020-01-01"\nfrom = "00:00"'))
    assert desk.within(look).finish_at is None
    desk.apply()
    desk.json("job", "pause", job)
    assert desk.within(look).finish_at is None


@pytest.mark.usefixtures("server")
def test_a_job_behind_a_paused_one_has_no_end_in_sight(desk: Desk) -> None:
    """The same persons wait in a paused job: the forecast says nothing, and `job show` says for which job."""
    first = desk.submitted(desk.members(3))
    desk.check(first)
    desk.json("job", "pause", first)
    file = desk.members(3, name="again.csv")
    with open(file, encoding="utf-8") as opened:  # noqa: PTH123 -- the same persons in another file
        text = opened.read().replace("เพิ่ม", "แก้ไข")
    second = desk.submitted(desk.write("again.csv", text))
    desk.check(second)
    told = desk.json("job", "show", second)
    assert told["finish_forecast_at"] is None
    assert first in desk.run("job", "show", second).out
    assert "blocked" in [each["code"] for each in desk.json("job", "why", second)["reasons"]]


@pytest.mark.usefixtures("server")
def test_the_pace_is_what_the_party_s_sessions_bear_of_its_share(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One session of 20 a second beside a share of 36: that is not what is sent; a quarantined one sends nothing."""
    job = desk.submitted(desk.members(40))
    desk.check(job)
    sitting = SessionUse("P001", "P001-01", "w", 1, 5_000, 0, 0, 0)

    async def usage(settings: Settings, registry: str) -> Usage:
        del settings, registry
        use = PartyUse(1.0, 0, 0, BoundBy.ACCOUNT, 36.0)
        left = replace(sitting, account="P001-02", quarantined=True)
        return Usage(1, 0, 0.0, 0, 0, sessions=(sitting, left), parties={"P001": use})

    monkeypatch.setattr("pratunam.outlooks.usage_of", usage)

    async def look(parts: Parts) -> Outlook:
        return await Outlooks(parts).of_job(await parts.ledger.job(job))

    assert desk.within(look).share == 20.0


def test_a_registry_that_is_gone_is_told_in_utc() -> None:
    """No policy, no zone."""
    assert timezone_of(None, "party-members") == "UTC"


def test_the_next_step_is_named(desk: Desk) -> None:
    """A refused file says why, a paused job how to go on, a finished one where its results are."""
    job = desk.submitted(desk.members(2, spoil=1))
    paused = desk.check(job)
    assert any("job resume" in line for line in next_steps(paused))
    assert counts_line(paused) == "  2 rows: 1 invalid, 1 pending"
    whole = desk.check(desk.submitted(desk.members(2, seed=9, spoil=2, name="b.csv"), "--max-invalid", "100"))
    steps = list(next_steps(whole))
    assert any("job results" in line for line in steps)
    assert any("rejected" in line for line in steps)
