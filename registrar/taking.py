"""Taking a handful of records: hours, session, limits, faults, decision, log. Synchronous.

It must know nothing of HTTP. One handful is what one read brought: it arrived at one instant.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from registrar.answers import Pushback, retry_line
from registrar.arrivals import Decision
from registrar.central import Central
from registrar.clock import NS_PER_S
from registrar.config import Fault
from registrar.faults import ANSWER_KINDS, MISFORTUNES, RECORD_KINDS
from registrar.misfortunes import befall
from registrar.records import Line
from registrar.sessions import Session
from registrar.windows import rfc3339

_decoder = msgspec.json.Decoder(Line)
_STREAM_KINDS = RECORD_KINDS | ANSWER_KINDS | {"reset", "late-effect"}
_BATCH_KINDS = RECORD_KINDS


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer to a handful, and why it is the last one, if it is."""

    answers: list[bytes]
    end: Pushback | None = None
    fault: Fault | None = None  # spoils the answer or the connection


def read_lines(body: bytes, max_line_bytes: int) -> tuple[list[Line], int | None, str]:
    """Whole lines of a request, the 1-based number of the first bad one, and its code."""
    if len(body) <= max_line_bytes:
        try:
            return _decoder.decode_lines(body), None, ""
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass  # found again below, with its number
    lines: list[Line] = []
    for number, raw in enumerate(body.split(b"\n"), start=1):
        if len(raw) > max_line_bytes:
            return lines, number, "too-large"
        if raw.strip():
            try:
                lines.append(_decoder.decode(raw))
            except (msgspec.DecodeError, UnicodeDecodeError):
                return lines, number, "malformed"
    return lines, None, ""


def pushback_of(central: Central, session: Session, now_ns: int) -> Pushback | None:
    """Why nothing is taken from this session now: it has ended, or the window is closed."""
    if session.ended is not None:
        return Pushback(session.ended, scope="account")
    party = session.account.party
    wall_us = central.clock.wall_us(now_ns)
    if party.hours.is_open(wall_us):
        return None
    opens_us = party.hours.opens_at_us(wall_us)
    scope = "registry" if party.windows is None else "party"
    if opens_us is None:
        return Pushback("window-closed", scope=scope)
    opens_at = rfc3339(opens_us, party.registry.rules.utc_offset_min)
    return Pushback("window-closed", (opens_us - wall_us) / 1e6, opens_at, scope)


def too_fast(central: Central, session: Session, count: int, now_ns: int) -> Pushback | None:
    """Spend `count` records of the three buckets, or say which of them is over and for how long."""
    if not central.enforce:
        return None
    account = session.account
    limits = (account.limit, account.party.limit, account.party.registry.limit)
    waits = [limit.wait_ns(count, now_ns) for limit in limits]
    longest = max(waits)
    if longest:
        scope = ("account", "party", "registry")[waits.index(longest)]
        return Pushback("too-fast", longest / NS_PER_S, scope=scope)
    for limit in limits:
        limit.spend(count)
    return None


def log_unread(
    central: Central, session: Session, lines: Sequence[Line], decision: Decision, now_ns: int
) -> None:
    """Log records that arrived and are not taken."""
    party = session.account.party
    book = central.books[party.registry.name]
    rows = [(line.key, book.natural_digest(party.id, line.record), int(decision)) for line in lines]
    log_rows(central, session, rows, now_ns)


def log_rows(central: Central, session: Session, rows: list[tuple[str, int, int]], now_ns: int) -> None:
    """Append rows of (key, natural digest, decision) that arrived at one instant."""
    if not rows:
        return
    account = session.account
    outside = central.outside_us(account.party, now_ns)
    wall_us = central.clock.wall_us(now_ns)
    central.log.add(now_ns, wall_us, outside, account.index, session.serial, rows)
    central.pace[account.party.registry.name].count(len(rows), now_ns)


def take(
    central: Central, session: Session, lines: Sequence[Line], now_ns: int, *, in_batch: bool = False
) -> Taken:
    """Decide a handful in order. A batch's limits were asked before, for all of it."""
    session.last_ns = now_ns
    why = pushback_of(central, session, now_ns)
    if why is not None:
        log_unread(central, session, lines, Decision.REFUSED, now_ns)
        return Taken([], end=why)
    account = session.account
    party = account.party.id
    decide = central.books[account.party.registry.name].decide
    armed, limited = central.faults.armed, central.enforce and not in_batch
    answers: list[bytes] = []
    rows: list[tuple[str, int, int]] = []
    end: Pushback | None = None
    fault: Fault | None = None
    for line in lines:
        if armed:
            fault = central.faults.draw(
                _BATCH_KINDS if in_batch else _STREAM_KINDS, "records", account, now_ns
            )
        if fault is not None and fault.kind in ("end", "reset", "late-effect"):
            break
        if limited and (end := too_fast(central, session, 1, now_ns)) is not None:
            break
        if fault is not None and fault.kind == "busy":
            answers.append(retry_line(line.key, fault.retry_after_s))
            rows.append((line.key, 0, Decision.RETRY))
            central.log.pushbacks[account.index, "busy"] += 1
            fault = None
            continue
        decided = decide(party, line.key, line.record)
        answers.append(decided.line)
        rows.append((line.key, decided.natural, decided.decision))
        if decided.code is not None:
            central.log.codes[account.index, decided.code] += 1
        if fault is not None:
            break
    log_rows(central, session, rows, now_ns)
    rest = lines[len(rows) :]
    if rest:
        _log_rest(central, session, rest, end, now_ns)
    if armed and (bad_luck := central.faults.draw(MISFORTUNES, "records", account, now_ns)) is not None:
        befall(central, bad_luck.kind, account, now_ns)
    if fault is not None and fault.kind == "end":
        end, fault = Pushback(fault.code, fault.retry_after_s, scope=fault.scope), None
    return Taken(answers, end, fault)


def _log_rest(
    central: Central, session: Session, rest: Sequence[Line], end: Pushback | None, now_ns: int
) -> None:
    """The first of what is left may be the one over a limit; the others only stand behind it."""
    if end is not None and end.code == "too-fast":
        log_unread(central, session, rest[:1], Decision.TOO_FAST, now_ns)
        rest = rest[1:]
    log_unread(central, session, rest, Decision.FAULT if end is None else Decision.REFUSED, now_ns)
