"""What the registrar writes: answer lines, `end` lines and problem documents.

It must decide nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import msgspec
from aiohttp import web

NDJSON = "application/x-ndjson"
PROXY_PAGE = "<html><body><h1>The server behind this proxy cannot be reached</h1></body></html>\n"
encode = msgspec.json.Encoder().encode

#: Status and title of each code that a whole request can be refused with.
PROBLEMS: Mapping[str, tuple[int, str]] = {
    "bad-credentials": (401, "The account or its secret is wrong"),
    "session-ended": (401, "The session has ended"),
    "account-suspended": (403, "The account is suspended"),
    "window-closed": (403, "The registry is closed for this party"),
    "wrong-registry": (403, "The session belongs to another registry"),
    "not-found": (404, "There is no such thing here"),
    "not-offered": (405, "This registry doesn't answer that"),
    "too-large": (413, "The request is too large"),
    "unsupported-type": (415, "The content type is not taken here"),
    "malformed": (400, "The request can't be read"),
    "too-many-sessions": (429, "Too many sessions are open"),
    "too-fast": (429, "Records come faster than the limit"),
    "internal": (500, "Something broke"),
    "overloaded": (503, "The registrar is overloaded"),
}


@dataclass(frozen=True, slots=True)
class Pushback:
    """Why no more is taken: the stuff of an `end` line or of a problem."""

    code: str
    retry_after_s: float | None = None
    opens_at: str | None = None
    scope: str | None = None
    line: int | None = None
    http_date_at_s: float | None = None  # Retry-After as an HTTP date, counted from this wall time
    detail: str | None = None
    status: int | None = None  # of a proxy in front, which knows no codes


def end_line(why: Pushback) -> bytes:
    """The last line of an answer."""
    members: dict[str, Any] = {"status": "end", "code": why.code}
    optional = {
        "scope": why.scope,
        "retry_after": why.retry_after_s,
        "opens_at": why.opens_at,
        "line": why.line,
    }
    members.update({name: value for name, value in optional.items() if value is not None})
    return encode(members) + b"\n"


def problem(why: Pushback) -> web.Response:
    """A problem document (RFC 9457) with the protocol's own members; a proxy's page where it is a proxy that speaks."""
    if why.status is not None:
        return web.Response(status=why.status, text=PROXY_PAGE, content_type="text/html")
    status, title = PROBLEMS.get(why.code, (400, why.code))
    members: dict[str, Any] = {
        "type": f"urn:registrar:problem:{why.code}",
        "title": title,
        "status": status,
        "detail": why.detail or title,
        "code": why.code,
    }
    optional = {
        "scope": why.scope,
        "retry_after": why.retry_after_s,
        "opens_at": why.opens_at,
        "line": why.line,
    }
    members.update({name: value for name, value in optional.items() if value is not None})
    headers = {}
    if why.retry_after_s is not None:
        headers["Retry-After"] = str(math.ceil(why.retry_after_s))
        if why.http_date_at_s is not None:
            headers["Retry-After"] = formatdate(why.http_date_at_s + why.retry_after_s, usegmt=True)
    return web.Response(
        status=status, body=encode(members), content_type="application/problem+json", headers=headers
    )


def accepted_line(key: str, receipt: str) -> bytes:
    """The line of a record that took effect; the key is known to need no escapes."""
    return f'{{"key":"{key}","status":"accepted","receipt":"{receipt}"}}\n'.encode()


def duplicate_line(key: str, receipt: str) -> bytes:
    """The line of a record that had taken effect before."""
    return f'{{"key":"{key}","status":"duplicate","receipt":"{receipt}"}}\n'.encode()


def rejected_line(key: str, code: str, field: str | None, message_th: str, message_en: str) -> bytes:
    """The line of a record that is not taken, for good."""
    members = {"key": key, "status": "rejected", "code": code}
    if field is not None:
        members["field"] = field
    members |= {"message_th": message_th, "message_en": message_en}
    return encode(members) + b"\n"


def retry_line(key: str, retry_after_s: float | None) -> bytes:
    """The line of a record that was not recorded and may come again."""
    members: dict[str, Any] = {"key": key, "status": "retry", "code": "busy"}
    if retry_after_s is not None:
        members["retry_after"] = retry_after_s
    return encode(members) + b"\n"
