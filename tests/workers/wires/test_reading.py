"""Reading what a registrar writes: nothing that cannot be read becomes a success."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.wire import Answer, End, Scope, Verdict
from workers.wires.reading import (
    LONGEST_PAUSE_MS,
    Problem,
    Unreadable,
    http_date,
    instant,
    pause_ms,
    read_line,
    read_problem,
    retry_after_ms,
    whole_request_end,
)


def test_nulls_stand_for_nothing() -> None:
    """A member that is null is a member that is absent."""
    assert read_line(b'{"key":"k","status":"accepted","receipt":null,"code":null}') == Answer(
        "k", Verdict.ACCEPTED
    )


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"null", b"[]", b'"accepted"', b'{"key":"k"}', b'{"status":"accepted"}', b'{"key":"","status":"accepted"}',
        b'{"key":"k","status":"perhaps"}', b'{"key":"k","status":"Accepted"}', b'{"key":1,"status":"accepted"}',
        b'{"key":"k","status":"accepted"', b'{"key":"k","status":"accepted"}}', b'{"key":"\xff","status":"accepted"}',
    ],
)  # fmt: skip
def test_what_is_no_line_is_unreadable(raw: bytes) -> None:
    """Half lines, other values, unknown words: none of them says anything of a record."""
    with pytest.raises(Unreadable):
        read_line(raw)


@given(st.binary(max_size=200))
def test_no_noise_is_ever_a_success(raw: bytes) -> None:
    """Bytes at random are unreadable, and say so without quoting themselves."""
    with pytest.raises(Unreadable, match=r"^$"):
        read_line(raw)


def test_an_end_names_its_scope() -> None:
    """`end` binds the registry unless it says otherwise."""
    assert read_line(b'{"status":"end","code":"too-fast","scope":"party","retry_after":2}') == End(
        "too-fast", Scope.PARTY, 2000
    )
    assert read_line(b'{"status":"end","code":"window-closed"}') == End("window-closed", Scope.REGISTRY)
    assert read_line(b'{"status":"end","scope":"galaxy"}') == End("end", Scope.REGISTRY)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, None),
        (0, 0),
        (1.5, 1500),
        (-3, 0),
        (1e18, LONGEST_PAUSE_MS),
        (float("inf"), None),
        (float("nan"), None),
    ],
)
def test_pauses_stay_within_reason(seconds: float | None, expected: int | None) -> None:
    """Neither the past nor eternity is waited for."""
    assert pause_ms(seconds) == expected


def test_retry_after_headers() -> None:
    """Seconds and dates are understood; a date counts from the answer's own Date."""
    date = "Wed, 21 Oct 2015 07:28:00 GMT"
    assert retry_after_ms("120", None, 0) == 120_000
    assert retry_after_ms("Wed, 21 Oct 2015 07:28:30 GMT", date, 0) == 30_000
    assert retry_after_ms("Wed, 21 Oct 2015 07:27:00 GMT", date, 0) == 0
    assert retry_after_ms(date, None, (http_date(date) or 0) - 5_000) == 5_000
    assert retry_after_ms("soon", date, 0) is None
    assert retry_after_ms("๑๒", date, 0) is None
    assert retry_after_ms(None, date, 0) is None


def test_instants_need_an_offset() -> None:
    """A time without an offset says nothing."""
    assert instant("2026-11-21T08:30:00+07:00") == instant("2026-11-21T01:30:00Z") == 1_795_224_600_000
    assert instant("2026-11-21T08:30:00") is None
    assert instant("tomorrow") is None


def test_a_page_of_a_proxy_is_no_problem_document() -> None:
    """What is not JSON is an empty problem, and a bare 503 leaves records unknown."""
    assert read_problem(b"<html>502</html>") == Problem()
    assert not whole_request_end(503, Problem(), None).clean
    assert whole_request_end(429, Problem(), 3000) == End("too-fast", Scope.REGISTRY, 3000)
    assert not whole_request_end(403, Problem(), None).clean
    assert not whole_request_end(302, Problem(), None).clean
