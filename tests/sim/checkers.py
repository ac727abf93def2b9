"""The judges: what was promised, read from the registrar's log and the ledger's end, never from what the gate says of itself."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.jobs import Job
from domain.states import ENDED_JOB_STATES
from domain.windows import open_spans
from registrar.judge import LimitStep, SessionSpan, overlapping_sessions, scan_bucket
from tests.sim.doings import Doings
from tests.sim.registrar import Session
from tests.sim.scenario import BEGIN_S, END_S, EPOCH_MS, REGISTRY
from tests.sim.world import World

#: a hold or withdrawal binds within this (s): the leader hears of it in half a second at the latest, and a permit lives for less
BINDS_S = 1.0
#: where gate or scheduler were not well: within a leader's change and what was open before
BINDS_ROUGHLY_S = 8.0
#: what a step of the gate's machine clock is worth (s)
LEAP_S = 0.3
#: a gate that begins afresh draws nothing for the answer time-out and this (s)
AFRESH_S = 1.0


@dataclass(frozen=True, slots=True)
class Ended:
    """The ledger's end: its jobs, each record's letter by its key, and how many final outcomes were written down of each."""

    jobs: Sequence[Job]
    states: dict[str, str]
    told: Counter[str]


def judge(world: World, done: Doings, ended: Ended) -> list[str]:
    """Return every promise that was broken."""
    return [
        *_over_the_buckets(world, done),
        *_over_the_sessions(world, done),
        *_outside_windows(world),
        *_after_stops(world, done),
        *_after_pushback(world, done),
        *_effects(world, done, ended),
        *_receipts(ended),
        *_orders(world),
        *_counters(world, ended),
        *_unfinished(ended),
    ]


def _over_the_buckets(world: World, done: Doings) -> Iterator[str]:
    rules = world.scenario.rules
    # the gate's clock takes a leap of its machine's clock for this much at most (architecture.md 4.3)
    leap_s = LEAP_S * done.gate_leaps
    limits: dict[str, LimitStep] = {"registry": LimitStep(0, rules.rate, rules.burst)}
    for party in world.scenario.policy.parties.values():
        own = party.limits_of(REGISTRY)
        if own.rate is not None and own.burst is not None:
            limits[f"party {party.id}"] = LimitStep(0, own.rate, own.burst)
        for account in party.accounts:
            limits[f"account {account.id}"] = LimitStep(0, rules.account_rate, rules.account_burst)
    times: dict[str, list[int]] = defaultdict(list)
    repeats: set[tuple[str, float]] = set()
    for one in world.registrar.log:
        # a line that the network itself repeated arrives twice at one instant: not the gate's doing
        if (one.key, one.left_at) in repeats and one.what != "asked":
            continue
        repeats.add((one.key, one.left_at))
        for name in ("registry", f"party {one.party}", f"account {one.account}"):
            times[name].append(round(one.at * 1e9))
    for name, step in limits.items():
        limit = LimitStep(0, step.rate, step.burst + leap_s * (step.rate or 0))
        verdict = scan_bucket(times[name], [limit])
        if verdict.over:
            at = (verdict.worst_at_ns or 0) / 1e9
            yield f"bucket of {name} passed over by {verdict.max_excess:.2f} records at {at:.3f}"


def _over_the_sessions(world: World, done: Doings) -> Iterator[str]:
    rules = world.scenario.rules
    spans: dict[str, list[SessionSpan]] = defaultdict(list)
    for one in world.registrar.sessions.values():
        if one.by_someone_else:
            continue
        world.registrar.is_live(one)
        opened = round(one.opened_at * 1e9)
        closed = None if one.closed_at is None else round(one.closed_at * 1e9)
        many = len(world.scenario.policy.parties[one.party].accounts)
        known_until = _forgotten_at(world, done, one)
        if known_until is None or known_until > opened:
            spans["registry"].append(SessionSpan(opened, known_until or closed, rules.sessions))
        spans[f"party {one.party}"].append(SessionSpan(opened, closed, many))
        spans[f"account {one.account}"].append(SessionSpan(opened, closed, 1))
    for name, of_it in spans.items():
        verdict = overlapping_sessions(of_it)
        if verdict.over:
            yield f"{verdict.most} sessions at once of {name}"


def _forgotten_at(world: World, done: Doings, session: Session) -> int | None:
    """Return when the gate's loss made it forget a session that nobody used after it, and whose host could not log out of it.

    A session that a dead host left open, whose log-in was on its way when it died, or whose log-out nobody answered, is counted by the
    gate; where the gate is lost, too, nobody knows of it until it expires or the registrar ends it. Of one whose host stands still nobody
    knows until it goes on, and logs out. So the registry's cap may be passed by such sessions: by no others, and neither a party's
    accounts nor one account's single session ever (docs/invariants.md).
    """
    closed = session.closed_at if session.closed_at is not None else END_S
    lost = [at for at in world.gate.lost_at if session.left_at < at < closed]
    if session.why == "logged out":
        lost = [at for at in lost if _stood_still(world, done, session.host, at, closed)]
    return round(lost[0] * 1e9) if lost and session.why else None


def _stood_still(world: World, done: Doings, host: str, lost_at: float, logged_out_at: float) -> bool:
    """Say whether a host stood still in the time that one has to leave after the gate's loss, and then took no longer than that."""
    has_s = world.scenario.rules.answer_timeout_s + AFRESH_S
    return any(
        name == host and began < lost_at + has_s and lost_at < to and logged_out_at < to + has_s
        for name, began, to in done.still
    )


def _outside_windows(world: World) -> Iterator[str]:
    """Nothing arrives before a window; nothing leaves after its end less the guard."""
    rules, policy = world.scenario.rules, world.scenario.policy
    lo, hi = EPOCH_MS + int(BEGIN_S * 1000) - 60_000, EPOCH_MS + int(END_S * 1000) + 60_000
    for party in policy.parties:
        spans = open_spans(policy.windows_of(REGISTRY, party), (), rules.timezone, lo, hi)
        for one in world.registrar.log:
            if one.party != party:
                continue
            left, came = _wall(one.left_at), _wall(one.at)
            if not any(span.from_at <= left < span.to_at - rules.guard_s * 1000 for span in spans):
                yield f"{one.key} of {party} left outside its window at {one.left_at:.3f}"
                break
            if not any(span.from_at <= came for span in spans):
                yield f"{one.key} of {party} came before its window at {one.at:.3f}"
                break


def _after_stops(world: World, done: Doings) -> Iterator[str]:
    for party, began, to in done.holds:
        late = began + _binds_s(done, began)
        for one in world.registrar.log:
            if one.party == (party or one.party) and late < one.left_at < (to or END_S):
                yield f"{one.key} left {one.left_at - began:.2f} s after the hold of {party or 'everyone'} at {began:.2f}"
                break
    for account, began in done.withdrawn.items():
        for one in world.registrar.log:
            if one.account == account and one.left_at > began + _binds_s(done, began):
                yield f"{one.key} left {one.left_at - began:.2f} s after {account} was withdrawn at {began:.2f}"
                break


def _after_pushback(world: World, done: Doings) -> Iterator[str]:
    """Once one session has read that everybody should slow down, nobody sends until that is over, or people let go of a hold."""
    for at, until in world.registrar.told_off:
        late = at + _binds_s(done, at)
        is_let_go = any(to is not None and at < to < until for _, _, to in done.holds)
        for one in world.registrar.log:
            if not is_let_go and late < one.left_at < until:
                yield f"{one.key} left {one.left_at - at:.2f} s after {at:.2f}, although it was told to wait until {until:.2f}"
                break


def _binds_s(done: Doings, began: float) -> float:
    is_rough = any(since <= began + BINDS_S and began <= to for since, to in done.rough)
    return BINDS_ROUGHLY_S if is_rough else BINDS_S


def _effects(world: World, done: Doings, ended: Ended) -> Iterator[str]:
    """Each record's end in the ledger is what the registrar's books say, and nothing took effect twice."""
    effects = world.registrar.effects
    for natural, count in effects.items():
        if count > 1:
            yield f"{natural} took effect {count} times"
    accepted: Counter[str] = Counter()
    for key, record in world.records.items():
        letter = ended.states.get(key, "gone")
        accepted[record.natural] += letter == "a"
        if letter not in "arx":
            yield f"{key} ended as {letter}"
        if letter == "r" and record.is_good and key.rsplit("-", 2)[0] not in done.cancelled:
            yield f"{key} ended as rejected, and was right"
        if letter == "a" and not effects[record.natural]:
            yield f"{key} ended as accepted without an effect"
    for record in world.records.values():
        if record.is_good and accepted[record.natural] != 1:
            yield f"{record.natural} is accepted {accepted[record.natural]} times in the ledger"
        if effects[record.natural] != accepted[record.natural]:
            yield f"{record.natural} took effect {effects[record.natural]} times, the ledger says {accepted[record.natural]}"


def _receipts(ended: Ended) -> Iterator[str]:
    for key, letter in ended.states.items():
        if ended.told[key] != (letter in "ar"):
            yield f"{key} ended as {letter}, and {ended.told[key]} outcomes of it were written down"


def _orders(world: World) -> Iterator[str]:
    for person, order in world.registrar.persons.items():
        if order != sorted(order):
            yield f"records of {person} took effect in the order {order}"


def _counters(world: World, ended: Ended) -> Iterator[str]:
    for job in ended.jobs:
        letters = Counter(letter for key, letter in ended.states.items() if key.rsplit("-", 2)[0] == job.job)
        told = job.records
        said = {
            "p": told.pending, "a": told.accepted, "r": told.rejected, "u": told.unknown, "d": told.doubtful,
            "x": told.unprocessed,
        }  # fmt: skip
        if any(letters[letter] != count for letter, count in said.items()):
            yield f"counters of {job.job} say {said}, its records {dict(letters)}"


def _unfinished(ended: Ended) -> Iterator[str]:
    for job in ended.jobs:
        if job.state not in ENDED_JOB_STATES:
            yield f"{job.job} of {job.party} is {job.state} at the end, {job.records}"


def _wall(at: float) -> int:
    return EPOCH_MS + int(at * 1000)
