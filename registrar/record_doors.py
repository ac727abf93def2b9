"""Records in three shapes (stream, batch, single) and questions about keys.

It must decide nothing about a record: `taking` does.
"""

import asyncio
import contextlib
import math

import msgspec
from aiohttp import web

from registrar.answers import NDJSON, Pushback, end_line, problem
from registrar.arrivals import Decision
from registrar.central import Central
from registrar.clock import NS_PER_S
from registrar.faults import ANSWER_KINDS, REQUEST_KINDS
from registrar.feed import GONE, Feed, delay_ns, note_unread, read_on
from registrar.records import Key, Line, Record
from registrar.session_doors import CENTRAL, fault_pushback
from registrar.sessions import Session
from registrar.spoiling import spoilt_answer, tear
from registrar.taking import log_rows, log_unread, pushback_of, read_lines, take, too_fast

#: A chunked body that begins with its head is given so many seconds to be whole: then it is a batch.
WHOLE_S = 0.005
#: Of a body that is refused, so many bytes are read and logged.
MOST_READ = 8_000_000

_decode_record = msgspec.json.Decoder(Record).decode
_SINGLE_STATUS = {"accepted": 201, "duplicate": 200, "rejected": 422, "retry": 503}


def _bearer(central: Central, request: web.Request) -> Session | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return central.sessions.find(token, central.clock.mono_ns()) if scheme.lower() == "bearer" else None


def _refusal(central: Central, request: web.Request, session: Session | None, on: str) -> Pushback | None:
    """Why this whole request is not taken."""
    if session is None:
        return Pushback("session-ended")
    registry = central.rolls.registries.get(request.match_info["registry"])
    if registry is None:
        return Pushback("not-found")
    if registry is not session.account.party.registry:
        return Pushback("wrong-registry")
    now_ns = central.clock.mono_ns()
    fault = None
    if central.faults.armed:
        fault = central.faults.draw(REQUEST_KINDS - {"reset"}, on, session.account, now_ns)
    if fault is not None:
        return fault_pushback(central, fault)
    return pushback_of(central, session, now_ns)


async def _refuse(
    central: Central, request: web.Request, session: Session | None, why: Pushback
) -> web.StreamResponse:
    """Refuse a whole request; what its body holds has arrived all the same and is logged."""
    if session is not None:
        central.log.pushbacks[session.account.index, why.code] += 1
    response = problem(why)
    if await _is_whole(request) and (request.content_length or 0) <= MOST_READ:
        try:
            note_unread(central, session, await request.content.read(), Decision.REFUSED)
        except GONE:
            tear(request)
        return response
    await response.prepare(request)
    await response.write_eof()
    await read_on(central, request, session, Decision.REFUSED)
    return response


async def _is_whole(request: web.Request) -> bool:
    """Whether the body has a length, or is chunked and comes whole with its head: a batch of either kind."""
    if request.content_length is None and request.content.total_bytes and not request.content.is_eof():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(request.content.wait_eof(), WHOLE_S)
    return request.content_length is not None or request.content.is_eof()


async def post_records(request: web.Request) -> web.StreamResponse:
    """POST /v1/registries/{registry}/records: a batch when its body's end is known or here, else a stream."""
    central = request.app[CENTRAL]
    session = _bearer(central, request)
    why = _refusal(central, request, session, "records")
    if request.content_type != NDJSON:
        why = Pushback("unsupported-type")
    if why is not None or session is None:
        return await _refuse(central, request, session, why or Pushback("session-ended"))
    if await _is_whole(request):
        return await _batch(request, central, session)
    response = web.StreamResponse(headers={"Content-Type": NDJSON})
    await response.prepare(request)
    await Feed(central, request, response, session).run()
    return response


async def _batch(request: web.Request, central: Central, session: Session) -> web.StreamResponse:
    rules = session.account.party.registry.rules
    if (request.content_length or 0) > rules.max_body_bytes:
        return await _refuse(central, request, session, Pushback("too-large"))
    try:
        body = await request.content.read()
    except GONE:
        return web.Response()
    now_ns = central.clock.mono_ns()
    lines, bad, code = read_lines(body, rules.max_line_bytes)
    refused = None if bad is None else Pushback(code, line=bad)
    decision = Decision.REFUSED
    if refused is None:
        refused, decision = _batch_refusal(central, session, len(lines), now_ns)
    if refused is not None:
        log_unread(central, session, lines, decision, now_ns)
        central.log.pushbacks[session.account.index, refused.code] += 1
        return problem(refused)
    return await _answer_batch(request, central, session, lines, now_ns)


def _batch_refusal(
    central: Central, session: Session, count: int, now_ns: int
) -> tuple[Pushback | None, Decision]:
    """The body may have come in after the window's end, or hold more than the limits allow."""
    why = pushback_of(central, session, now_ns)
    if why is not None:
        return why, Decision.REFUSED
    return too_fast(central, session, count, now_ns) if count else None, Decision.TOO_FAST


async def _answer_batch(
    request: web.Request, central: Central, session: Session, lines: list[Line], now_ns: int
) -> web.StreamResponse:
    spoil = None
    if central.faults.armed:
        kinds = ANSWER_KINDS | {"reset"}
        spoil = central.faults.draw(kinds, "records", session.account, now_ns)
    if spoil is not None and spoil.kind == "reset":
        log_unread(central, session, lines, Decision.FAULT, now_ns)
        tear(request)
        return web.Response()
    taken = take(central, session, lines, now_ns, in_batch=True)
    session.most_in_flight = max(session.most_in_flight, len(lines))
    await _until(central, now_ns + delay_ns(central, session, now_ns))
    answers = b"".join(taken.answers)
    if spoil is not None:
        return await spoilt_answer(spoil, request, answers)
    if taken.end is not None:
        central.log.pushbacks[session.account.index, f"end {taken.end.code}"] += 1
        answers += end_line(taken.end)
    return web.Response(body=answers, headers={"Content-Type": NDJSON})


async def _until(central: Central, due_ns: int) -> None:
    wait_ns = due_ns - central.clock.mono_ns()
    if wait_ns > 0:
        await asyncio.sleep(wait_ns / NS_PER_S)


async def put_record(request: web.Request) -> web.StreamResponse:
    """PUT /v1/registries/{registry}/records/{key}: one record, its line as the body of the answer."""
    central = request.app[CENTRAL]
    session = _bearer(central, request)
    rules = None if session is None else session.account.party.registry.rules
    if rules is not None and (request.content_length or 0) > rules.max_line_bytes:
        return problem(Pushback("too-large"))
    body = await request.read()
    now_ns = central.clock.mono_ns()
    line = _single_line(request.match_info["key"], body)
    why = _refusal(central, request, session, "records")
    if request.content_type not in ("application/json", NDJSON):
        why = Pushback("unsupported-type")
    elif why is None and line is None:
        why = Pushback("malformed", line=1)
    decision = Decision.REFUSED
    if why is None and session is not None:
        why, decision = too_fast(central, session, 1, now_ns), Decision.TOO_FAST
    if session is None or line is None or why is not None:
        return _refuse_single(central, session, line, why or Pushback("session-ended"), decision)
    return await _answer_single(request, central, session, line, now_ns)


def _single_line(key: str, body: bytes) -> Line | None:
    try:
        return Line(msgspec.convert(key, Key), _decode_record(body))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _refuse_single(
    central: Central, session: Session | None, line: Line | None, why: Pushback, decision: Decision
) -> web.Response:
    if session is None:
        central.strangers += 1
    else:
        central.log.pushbacks[session.account.index, why.code] += 1
        if line is not None:
            log_unread(central, session, [line], decision, central.clock.mono_ns())
    return problem(why)


async def _answer_single(
    request: web.Request, central: Central, session: Session, line: Line, now_ns: int
) -> web.StreamResponse:
    spoil = None
    if central.faults.armed:
        kinds = ANSWER_KINDS | {"reset"}
        spoil = central.faults.draw(kinds, "records", session.account, now_ns)
    if spoil is not None and spoil.kind == "reset":
        log_unread(central, session, [line], Decision.FAULT, now_ns)
        tear(request)
        return web.Response()
    taken = take(central, session, [line], now_ns, in_batch=True)
    await _until(central, now_ns + delay_ns(central, session, now_ns))
    if taken.end is not None:
        return problem(taken.end)
    if spoil is not None:
        return await spoilt_answer(spoil, request, taken.answers[0])
    return _single_response(taken.answers[0])


def _single_response(line: bytes) -> web.Response:
    said = msgspec.json.decode(line)
    retry = said.get("retry_after")
    headers = {} if retry is None else {"Retry-After": str(math.ceil(retry))}
    status = _SINGLE_STATUS[said["status"]]
    return web.Response(status=status, body=line, content_type="application/json", headers=headers)


async def ask(request: web.Request) -> web.StreamResponse:
    """GET /v1/registries/{registry}/records/{key}: what became of it; costs what a record costs."""
    central = request.app[CENTRAL]
    session = _bearer(central, request)
    why = _refusal(central, request, session, "ask")
    if session is None or why is not None:
        return problem(why or Pushback("session-ended"))
    if not session.account.party.registry.rules.asking:
        return problem(Pushback("not-offered"))
    now_ns = central.clock.mono_ns()
    key = request.match_info["key"]
    session.last_ns = now_ns
    why = too_fast(central, session, 1, now_ns)
    log_rows(central, session, [(key, 0, Decision.ASKED if why is None else Decision.TOO_FAST)], now_ns)
    if why is not None:
        return problem(why)
    party = session.account.party
    line = central.books[party.registry.name].ask(party.id, key)
    if line is None:
        return problem(Pushback("not-found"))
    return web.Response(body=line, content_type="application/json")
