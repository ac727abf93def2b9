"""Reads the registries of a policy file: limits, endpoint, windows, closed dates."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from domain.policy import BrakeRules, RegistryRules
from domain.states import Shape
from domain.windows import ClosedRule, WindowRule
from pratunam.policy import schema
from pratunam.policy.faults import Faults
from pratunam.policy.locate import Path
from pratunam.policy.moments import Unreadable, date_range, instant, one_date, seconds_of_day, weekdays
from pratunam.policy.tables import read_table

Given = TypeVar("Given")
Read = TypeVar("Read")


def read_registry(name: str, raw: object, faults: Faults) -> RegistryRules | None:
    """Return one registry's rules, or None when its table has faults (all noted)."""
    path: Path = ["registry", name]
    table = read_table(raw, schema.Registry, path, faults)
    if table is None:
        return None
    deadline_at = _tried(instant, table.deadline, [*path, "deadline"], faults)
    return RegistryRules(
        name=name,
        profile=table.profile,
        endpoint=table.endpoint.rstrip("/"),
        ca_file=table.ca_file,
        shape=Shape(table.shape),
        batch=table.batch,
        idempotent=table.idempotent,
        settle_s=table.settle_s,
        newest_wins=table.newest_wins,
        rate=table.rate,
        burst=table.burst,
        sessions=table.sessions,
        account_rate=table.account_rate,
        account_burst=table.account_burst,
        answer_timeout_s=table.answer_timeout_s,
        guard_s=table.guard_s,
        turn_s=table.turn_s,
        timezone=table.timezone,
        holidays=table.holidays,
        deadline_at=deadline_at,
        max_rows=table.max_rows,
        test_ids=table.test_ids,
        brake=BrakeRules(table.brake.floor, table.brake.latency),
        windows=read_windows(list(enumerate(table.window)), [*path, "window"], faults),
        closed=tuple(
            rule
            for index, closed in enumerate(table.closed)
            if (rule := _read_closed(closed, [*path, "closed", index], faults)) is not None
        ),
    )


def read_windows(
    listed: Sequence[tuple[int, schema.Window]], path: Path, faults: Faults
) -> tuple[WindowRule, ...]:
    """Return the window rules of one scope; `listed` pairs each with its index in the file."""
    read = (_read_window(window, [*path, index], faults) for index, window in listed)
    return tuple(rule for rule in read if rule is not None)


def _read_window(window: schema.Window, path: Path, faults: Faults) -> WindowRule | None:
    from_s = _tried(seconds_of_day, window.from_, [*path, "from"], faults)
    to_s = _tried(seconds_of_day, window.to, [*path, "to"], faults)
    days = _tried(weekdays, window.days, [*path, "days"], faults)
    dates = _tried(date_range, window.dates, [*path, "dates"], faults)
    since = _tried(one_date, window.since, [*path, "since"], faults)
    until = _tried(one_date, window.until, [*path, "until"], faults)
    if from_s is None or to_s is None or days is None:
        return None
    if window.dates and dates is None:
        return None
    if bool(days) == bool(dates):
        faults.add(
            path, "a window has either `days` or `dates`", "ช่วงเวลาต้องมี `days` หรือ `dates` อย่างใดอย่างหนึ่ง"
        )
        return None
    if from_s == to_s:
        faults.add(
            [*path, "to"],
            "`from` and `to` are the same instant; a whole day is 00:00 to 24:00",
            "`from` และ `to` เป็นเวลาเดียวกัน ทั้งวันคือ 00:00 ถึง 24:00",
        )
        return None
    first, last = dates or (None, None)
    return WindowRule(from_s, to_s, days, first, last, since, until, tuple(window.parties))


def _read_closed(closed: schema.Closed, path: Path, faults: Faults) -> ClosedRule | None:
    dates = _tried(date_range, closed.dates, [*path, "dates"], faults)
    from_s = _tried(seconds_of_day, closed.from_, [*path, "from"], faults)
    to_s = _tried(seconds_of_day, closed.to, [*path, "to"], faults)
    if dates is None or from_s is None or to_s is None:
        if not closed.dates:
            faults.add(path, "`closed` needs `dates`", "`closed` ต้องมี `dates`")
        return None
    if to_s <= from_s:
        faults.add(
            path,
            "`closed` ends before it begins; use two entries for two days",
            "`closed` สิ้นสุดก่อนเริ่ม โปรดแยกเป็นสองรายการ",
        )
        return None
    return ClosedRule(*dates, from_s, to_s, closed.reason)


def _tried(read: Callable[[Given], Read], value: Given, path: Path, faults: Faults) -> Read | None:
    try:
        return read(value)
    except Unreadable as error:
        faults.add(path, error.message_en, error.message_th)
        return None
