"""Reads the dates, times and weekdays of a policy file; Unreadable says what was expected, without the file's line."""

import datetime as dt
import re

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"(\d{2}):(\d{2})(?::(\d{2}))?", re.ASCII)
DAY_S = 86_400


class Unreadable(ValueError):
    """A text that is no time, date or day; its words are English, those for Thai readers stand in `message_th`."""

    def __init__(self, message_en: str, message_th: str) -> None:
        """Say what was expected, in both languages."""
        super().__init__(message_en)
        self.message_en, self.message_th = message_en, message_th


def seconds_of_day(text: str) -> int:
    """Read HH:MM or HH:MM:SS as seconds of the local day; 24:00 is 86,400."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise Unreadable(
            f"`{text}` is not a time; write HH:MM, for example 08:30",
            f"`{text}` ไม่ใช่เวลา โปรดเขียน HH:MM เช่น 08:30",
        )
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if minutes > 59 or seconds > 59 or total > DAY_S:
        raise Unreadable(
            f"`{text}` is not a time of day; 24:00 is the latest", f"`{text}` ไม่ใช่เวลาของวัน เขียนได้ถึง 24:00"
        )
    return total


def weekdays(text: str) -> frozenset[int]:
    """Read `mon-fri,sun` or `daily` as weekday numbers (0 = Monday); empty text gives none."""
    if text.strip() == "daily":
        return frozenset(range(7))
    found: set[int] = set()
    for part in filter(None, (piece.strip().lower() for piece in text.split(","))):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise Unreadable(
                f"`{part}` is not a day; write mon … sun, mon-fri, or daily",
                f"`{part}` ไม่ใช่วัน โปรดเขียน mon … sun, mon-fri หรือ daily",
            )
        start, end = DAYS.index(first), DAYS.index(last or first)
        found.update((start + step) % 7 for step in range((end - start) % 7 + 1))
    return frozenset(found)


def one_date(value: str) -> dt.date | None:
    """Read a date (CE, YYYY-MM-DD); empty text gives None."""
    if not value.strip():
        return None
    try:
        return dt.date.fromisoformat(value.strip())
    except ValueError:
        raise Unreadable(
            f"`{value}` is not a date; write YYYY-MM-DD, for example 2026-12-05",
            f"`{value}` ไม่ใช่วันที่ โปรดเขียน ปี-เดือน-วัน ค.ศ. เช่น 2026-12-05",
        ) from None


def date_range(value: str) -> tuple[dt.date, dt.date] | None:
    """Read one date, or `first..last`; empty text gives None."""
    if ".." in value:
        first_text, _, last_text = value.partition("..")
        first, last = one_date(first_text), one_date(last_text)
        if first is None or last is None or last < first:
            raise Unreadable(
                f"`{value}` is not a range of dates; write 2026-12-01..2026-12-07",
                f"`{value}` ไม่ใช่ช่วงวันที่ โปรดเขียน 2026-12-01..2026-12-07",
            )
        return first, last
    single = one_date(value)
    return None if single is None else (single, single)


def instant(value: str) -> int | None:
    """Read an RFC 3339 instant with its offset as ms since the epoch; empty text gives None."""
    if not value.strip():
        return None
    try:
        when = dt.datetime.fromisoformat(value.strip())
    except ValueError:
        raise Unreadable(
            f"`{value}` is not an instant; write RFC 3339: 2026-12-31T16:30:00+07:00",
            f"`{value}` ไม่ใช่วันเวลา โปรดเขียนตาม RFC 3339: 2026-12-31T16:30:00+07:00",
        ) from None
    if when.tzinfo is None:
        raise Unreadable(
            f"`{value}` has no offset; write RFC 3339: 2026-12-31T16:30:00+07:00",
            f"`{value}` ไม่ระบุเขตเวลา โปรดเขียนตาม RFC 3339: 2026-12-31T16:30:00+07:00",
        )
    return int(when.timestamp() * 1000)


def plain(document: object) -> object:
    """Return a TOML document with its bare dates and times as text."""
    if isinstance(document, dict):
        return {name: plain(value) for name, value in document.items()}
    if isinstance(document, list):
        return [plain(value) for value in document]
    return document.isoformat() if isinstance(document, dt.date | dt.time) else document
