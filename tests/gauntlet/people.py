"""What people do in mid-load: a window revoked, an account withdrawn, a hold, a job cancelled; and what must be so a second later."""

import asyncio
from collections import Counter

from domain.errors import Conflict
from domain.states import JobState
from tests.gauntlet.field import BY
from tests.gauntlet.kinds import Broken, Kind, NotInjected, Scene
from tests.gauntlet.plan import REGISTRY, policy_file

#: no record later than this after a change (s): a second, and what the network may take
_BINDS_S = 1.25


async def revoke_window(scene: Scene) -> None:
    """Take a party's window away; a second later the registrar is closed to it, too, and counts what still comes."""
    ground = scene.ground
    party = scene.dice.choice(sorted(ground.plan.parties))
    version = await _applied(scene, policy_file(ground.plan, ground.endpoint, closed=party))
    await asyncio.sleep(_BINDS_S)
    await ground.registrar.control(windows=[{"party": party, "windows": []}])
    await asyncio.sleep(scene.span_s(4.0, short=2.0))
    await ground.registrar.control(windows=[{"party": party, "windows": None}])
    await ground.apply(policy_file(ground.plan, ground.endpoint), "the window is back")
    told = Counter(row.party for row in await ground.parts.ledger.notices() if row.version == version)
    if told != Counter(list(ground.plan.parties)):
        raise Broken(f"notices of the change went to {dict(told)}")


async def withdraw_account(scene: Scene) -> None:
    """Withdraw an added account: nothing of it after a second; then grant it again."""
    ground = scene.ground
    added = [names[-1] for names in ground.plan.parties.values() if len(names) > 1]
    account = scene.dice.choice(sorted(added))
    await _applied(scene, policy_file(ground.plan, ground.endpoint, without=account), frozenset({account}))
    await _silent(scene, account.partition("-")[0], account)
    await ground.apply(policy_file(ground.plan, ground.endpoint), "the account is back")


async def hold_party(scene: Scene) -> None:
    """Press the stop button for a party, and release it."""
    await _held(scene, scene.dice.choice(sorted(scene.ground.plan.parties)))


async def hold_registry(scene: Scene) -> None:
    """Press the stop button for everyone, and release it."""
    await _held(scene, None)


async def _held(scene: Scene, party: str | None) -> None:
    ground = scene.ground
    ledger, clock = ground.parts.ledger, ground.parts.clock
    await ledger.hold(REGISTRY, party, "gauntlet", (), BY, clock.now())
    await ground.wake()
    try:
        await _silent(scene, party, None)
    finally:
        await ledger.release(REGISTRY, party, "gauntlet", (), BY, clock.now())
        await ground.wake()


async def cancel_job(scene: Scene) -> None:
    """Cancel a job of which something is pending."""
    ground = scene.ground
    for name in sorted(scene.traffic.handed_in, reverse=True):
        job = await ground.parts.ledger.job(name)
        if job.state is JobState.RUNNING and job.records.pending > 0:
            try:
                await ground.parts.ledger.cancel(name, BY, ground.parts.clock.now())
            except Conflict:
                continue
            scene.cancelled.add(name)
            await ground.wake()
            return
    raise NotInjected("no job is under way")


async def _applied(scene: Scene, text: str, removed: frozenset[str] = frozenset()) -> int:
    await scene.ground.apply(text, "gauntlet", removed)
    version = await scene.ground.parts.policy_version()
    return version.version


async def _silent(scene: Scene, party: str | None, account: str | None) -> None:
    """See that nothing comes once the change must bind."""
    await asyncio.sleep(_BINDS_S)
    before = _count(scene, party, account)
    await asyncio.sleep(scene.span_s(3.0, short=1.5))
    more = _count(scene, party, account) - before
    if more:
        raise Broken(f"{more} record(s) of {account or party or 'the registry'} came later than {_BINDS_S} s")


def _count(scene: Scene, party: str | None, account: str | None) -> int:
    sent = scene.ground.sent()
    of_it = [account] if account else scene.ground.plan.parties[party] if party else list(sent)
    return sum(sent[name] for name in of_it)


_A_SECOND = "no record after a second; none lost"
PEOPLE = (
    Kind(
        "window revoked",
        "policy apply in mid-load; the registrar closes 1.25 s later",
        "nothing outside; one notice a party",
        revoke_window,
        "38, 39",
        is_alone=True,
    ),
    Kind(
        "account withdrawn",
        "policy apply without an added account",
        _A_SECOND,
        withdraw_account,
        "46",
        is_alone=True,
    ),
    Kind("hold of a party", "the stop button", _A_SECOND, hold_party, "39", is_alone=True),
    Kind("hold of the registry", "the stop button", _A_SECOND, hold_registry, "39", is_alone=True),
    Kind(
        "job cancelled",
        "while it runs",
        "what was sent is settled, the rest unprocessed",
        cancel_job,
        is_alone=True,
    ),
)
