"""Logging in, logging out and the load page.

It must decide nothing about records.
"""

import asyncio

import msgspec
from aiohttp import web

from registrar.answers import Pushback, encode, problem
from registrar.central import Central
from registrar.config import Fault
from registrar.faults import REQUEST_KINDS
from registrar.sessions import Refused, Session
from registrar.spoiling import broken, tear
from registrar.windows import rfc3339

CENTRAL = web.AppKey("central", Central)


class LogIn(msgspec.Struct, frozen=True):
    """The body of a log-in."""

    account: str
    secret: str


_decode = msgspec.json.Decoder(LogIn).decode


async def log_in(request: web.Request) -> web.StreamResponse:
    """POST /v1/sessions."""
    central = request.app[CENTRAL]
    if request.content_type != "application/json":
        return problem(Pushback("unsupported-type"))
    try:
        wish = _decode(await request.read())
    except (msgspec.DecodeError, UnicodeDecodeError):
        return problem(Pushback("malformed"))
    spoilt = await _login_fault(central, request, wish.account)
    if spoilt is not None:
        return spoilt
    now_ns = central.clock.mono_ns()
    wall_us = central.clock.wall_us(now_ns)
    result = central.sessions.log_in(wish.account, wish.secret, now_ns, wall_us)
    if isinstance(result, Session):
        return web.Response(status=201, body=encode(_granted(result)), content_type="application/json")
    return problem(_pushback(central, wish.account, result, wall_us))


async def _login_fault(central: Central, request: web.Request, account_id: str) -> web.StreamResponse | None:
    if not central.faults.armed:
        return None
    account = central.rolls.accounts.get(account_id)
    now_ns = central.clock.mono_ns()
    slow = central.faults.draw(("slow-login",), "sessions", account, now_ns)
    if slow is not None:
        await asyncio.sleep(slow.delay_s)
    fault = central.faults.draw(REQUEST_KINDS, "sessions", account, now_ns)
    if fault is None:
        return None
    if fault.kind == "reset":
        tear(request)
        return web.Response()
    if account is not None:
        central.log.pushbacks[account.index, fault.kind] += 1
    return problem(fault_pushback(central, fault))


def fault_pushback(central: Central, fault: Fault) -> Pushback:
    """What a scripted error, 429 or 503 says."""
    if fault.kind == "error":
        return broken(fault)
    wall_s = central.clock.wall_us(central.clock.mono_ns()) / 1e6
    return Pushback(fault.kind, fault.retry_after_s, http_date_at_s=wall_s if fault.http_date else None)


def _pushback(central: Central, account_id: str, refused: Refused, wall_us: int) -> Pushback:
    account = central.rolls.accounts.get(account_id)
    if account is not None and refused.code == "too-many-sessions":
        central.log.pushbacks[account.index, refused.code] += 1
    if account is None or refused.opens_at_us is None:
        return Pushback(refused.code, refused.retry_after_s)
    offset = account.party.registry.rules.utc_offset_min
    opens_at = rfc3339(refused.opens_at_us, offset)
    return Pushback(refused.code, (refused.opens_at_us - wall_us) / 1e6, opens_at)


def _granted(session: Session) -> dict[str, object]:
    account = session.account
    rules = account.party.registry.rules
    granted: dict[str, object] = {
        "session": session.token,
        "account": account.id,
        "party": account.party.id,
        "expires_in": rules.expires_in_s,
    }
    if rules.show_limits:
        limits: dict[str, object] = {"max_in_flight": rules.max_in_flight}
        if account.limit.rate is not None:
            limits |= {"records_per_second": account.limit.rate, "burst": account.limit.burst}
        granted["limits"] = limits
    return granted


async def log_out(request: web.Request) -> web.StreamResponse:
    """DELETE /v1/sessions/{session}: 204, whether it was open, had ended or never was."""
    central = request.app[CENTRAL]
    now_ns = central.clock.mono_ns()
    session = central.sessions.find(request.match_info["session"], now_ns)
    if session is not None:
        central.sessions.end(session, "session-ended", now_ns)
    return web.Response(status=204)


async def load(request: web.Request) -> web.StreamResponse:
    """GET /v1/load: how the registrar feels, all registries together."""
    central = request.app[CENTRAL]
    if not central.config.load_endpoint:
        return problem(Pushback("not-found"))
    now_ns = central.clock.mono_ns()
    paces = central.pace.values()
    body = {
        "state": central.load_state or _state(central, now_ns),
        "sessions": sum(central.sessions.count(one, now_ns) for one in central.rolls.registries.values()),
        "records_per_second": sum(pace.records_per_second(now_ns) for pace in paces),
        "latency_ms_p95": max((pace.p95_ms() for pace in paces), default=0.0),
    }
    return web.Response(body=encode(body), content_type="application/json")


def _state(central: Central, now_ns: int) -> str:
    wall_us = central.clock.wall_us(now_ns)
    registries = list(central.rolls.registries.values())
    hours = [registry.windows for registry in registries]
    hours += [party.hours for registry in registries for party in registry.parties.values()]
    if not any(one.is_open(wall_us) for one in hours):
        return "closed"
    return "busy" if any(pace.is_busy(now_ns) for pace in central.pace.values()) else "normal"
