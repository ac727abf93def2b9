"""Answers of the registrar read into values: answer lines, `end` lines, problem documents, Retry-After.

Pure. It must never turn what it cannot read into a success: whatever is not understood raises `Unreadable`, or ends the exchange
with `clean=False`. Source: registrar-protocol.md sections 1–3.
"""

import math
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import msgspec

from domain.wire import Answer, End, Scope, Verdict

#: the longest pause that the registrar can ask for (ms); anything beyond is a slip of its clock or of its arithmetic
LONGEST_PAUSE_MS = 24 * 3600 * 1000
#: the longest answer line that is still believed (bytes)
LONGEST_LINE = 65_536


class Unreadable(Exception):
    """An answer that cannot be read; never carries its text."""


class AnswerLine(msgspec.Struct, gc=False):
    """One line of an answer as it stands on the wire."""

    status: str
    key: str | None = None
    receipt: str | None = None
    code: str | None = None
    field: str | None = None
    message_th: str | None = None
    message_en: str | None = None
    retry_after: float | None = None
    scope: str | None = None
    opens_at: str | None = None


class Problem(msgspec.Struct, gc=False):
    """A problem document (RFC 9457) with the protocol's own members."""

    code: str = ""
    retry_after: float | None = None
    opens_at: str | None = None
    scope: str | None = None
    line: int | None = None


_line_decoder = msgspec.json.Decoder(AnswerLine)
_problem_decoder = msgspec.json.Decoder(Problem)

_VERDICTS = {
    "accepted": Verdict.ACCEPTED,
    "duplicate": Verdict.ACCEPTED,
    "rejected": Verdict.REJECTED,
    "retry": Verdict.RETRY,
}
_SCOPES = {scope.value: scope for scope in Scope}


def read_line(raw: bytes) -> Answer | End:
    """Read one line; raises Unreadable."""
    try:
        line = _line_decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Unreadable from None
    if line.status == "end":
        return End(
            code=line.code or "end",
            scope=_SCOPES.get(line.scope or "", Scope.REGISTRY),
            retry_after_ms=pause_ms(line.retry_after),
            opens_at=instant(line.opens_at),
        )
    verdict = _VERDICTS.get(line.status)
    if verdict is None or not line.key:
        raise Unreadable
    return Answer(
        key=line.key,
        verdict=verdict,
        receipt=line.receipt or "",
        code=line.code or "",
        field=line.field or "",
        message_th=line.message_th or "",
        message_en=line.message_en or "",
        retry_after_ms=pause_ms(line.retry_after),
    )


def read_problem(body: bytes) -> Problem:
    """Read a problem document; an empty one when the body is anything else (a proxy's page, nothing)."""
    try:
        return _problem_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Problem()


def pause_ms(seconds: float | None) -> int | None:
    """Turn `retry_after` seconds into ms within [0, a day]; None for nothing or nonsense."""
    if seconds is None or not math.isfinite(seconds):
        return None
    return int(min(max(seconds, 0.0) * 1000, LONGEST_PAUSE_MS))


def retry_after_ms(header: str | None, date: str | None, now: int) -> int | None:
    """Read a Retry-After header: seconds, or an HTTP date, which counts from the answer's own Date where it has one.

    The registrar's clock may be wrong; the difference of its own two dates is not.
    """
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return pause_ms(float(text))
    until = http_date(text)
    if until is None:
        return None
    return min(max(until - (http_date(date) or now), 0), LONGEST_PAUSE_MS)


def http_date(text: str | None) -> int | None:
    """Read an HTTP date as ms since the epoch; None for nothing or nonsense."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)  # noqa: UP017 - one name for the zone in both branches
    return int(moment.timestamp() * 1000)


def instant(text: str | None) -> int | None:
    """Read an RFC 3339 time with an offset as ms since the epoch; None for nothing or nonsense."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int(moment.timestamp() * 1000) if moment.tzinfo is not None else None


def whole_request_end(status: int, problem: Problem, header_pause_ms: int | None) -> End:
    """Say what an answer other than 200 means for the records of that request.

    `clean` only where the protocol promises that nothing was recorded: a refusal that names its code, or a status that by itself comes
    before any processing (401, 413, 415, 429). A bare 503 may be a proxy whose server died with the records in its hands.
    """
    code = problem.code or _BARE_CODES.get(status, "")
    clean = status in _BEFORE_PROCESSING or (status in (403, 503) and bool(problem.code))
    return End(
        code=code or f"status-{status}",
        scope=_SCOPES.get(problem.scope or "", _scope_of(code)),
        retry_after_ms=_longer(pause_ms(problem.retry_after), header_pause_ms),
        opens_at=instant(problem.opens_at),
        clean=clean,
    )


def _scope_of(code: str) -> Scope:
    """Whom a refusal binds that names no scope: an account's own trouble its account, a closed window its party."""
    if code in ("session-ended", "account-suspended", "bad-credentials", "too-many-sessions"):
        return Scope.ACCOUNT
    return Scope.PARTY if code == "window-closed" else Scope.REGISTRY


def _longer(one: int | None, other: int | None) -> int | None:
    return max((pause for pause in (one, other) if pause is not None), default=None)


_BEFORE_PROCESSING = frozenset({401, 413, 415, 429})
_BARE_CODES = {
    400: "malformed", 401: "session-ended", 413: "too-large", 415: "unsupported-type", 429: "too-fast", 503: "unavailable",
}  # fmt: skip
