"""Bad days of the registrar: slow, overloaded, wrong, forgetful; and of its accounts: used by others, with another password, suspended."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from domain.states import AccountState
from tests.gauntlet.field import BY
from tests.gauntlet.kinds import Broken, Kind, NotInjected, Scene
from tests.gauntlet.plan import REGISTRY

#: an account that somebody else uses, or whose password is wrong, must be set aside within this (s)
_ASIDE_WITHIN_S = 45.0
#: a process finds the intruder out when it has been thrown out twice: log-ins of two hosts, and as many of the intruder
_WITH_AN_INTRUDER = 8


def scripted(
    usual_s: float, kind: str, *more: Mapping[str, object], **how: object
) -> Callable[[Scene], Awaitable[None]]:
    """Return a fault that arms one of the registrar's own, and more of them, for a while."""

    async def do(scene: Scene) -> None:
        seconds = scene.span_s(usual_s)
        await scene.ground.registrar.control(
            faults=[{"duration_s": seconds, **one} for one in ({"kind": kind, **how}, *more)]
        )
        await asyncio.sleep(seconds)

    return do


async def restart(scene: Scene) -> None:
    """Have the registrar forget every session."""
    await scene.ground.registrar.control(restart=True)
    await asyncio.sleep(2)


async def hijack(scene: Scene) -> None:
    """Somebody else uses an account that is at work, and logs in again each time that it is thrown out: the account is set aside."""

    async def intrude(account: str) -> None:
        await scene.ground.registrar.control(hijack=account)

    async def intrude_again(account: str) -> None:
        sent = scene.ground.sent()[account]
        if sent > seen[0]:
            seen[0] = sent
            await intrude(account)

    seen = [0]
    await _aside(
        scene, intrude, lambda _: asyncio.sleep(0), again=intrude_again, most_tries=_WITH_AN_INTRUDER
    )


async def expire_password(scene: Scene) -> None:
    """The registrar changes an account's password: it is set aside at its next log-in and not tried again."""

    async def change(account: str) -> None:
        await scene.ground.registrar.control(accounts=[{"id": account, "secret": "another"}], restart=True)

    async def change_back(account: str) -> None:
        await scene.ground.registrar.control(accounts=[{"id": account, "secret": "s"}])

    await _aside(scene, change, change_back)


async def suspend(scene: Scene) -> None:
    """The registrar suspends an account."""

    async def stop(account: str) -> None:
        await scene.ground.registrar.control(accounts=[{"id": account, "suspended": True}])

    async def go(account: str) -> None:
        await scene.ground.registrar.control(accounts=[{"id": account, "suspended": False}])

    await _aside(scene, stop, go)


async def _aside(
    scene: Scene,
    harm: Callable[[str], Awaitable[None]],
    mend: Callable[[str], Awaitable[None]],
    *,
    again: Callable[[str], Awaitable[None]] | None = None,
    most_tries: int = 3,
) -> None:
    """Harm an account that is at work, wait until the gate has put it aside, and bring it back as people do."""
    ledger, clock = scene.ground.parts.ledger, scene.ground.parts.clock
    account = await _at_work(scene)

    async def is_aside() -> bool:
        rows = await ledger.accounts(REGISTRY)
        return any(row.account == account and row.state is not AccountState.ACTIVE for row in rows)

    async def is_aside_at_last() -> bool:
        if again is not None:
            await again(account)
        return await is_aside()

    before = await _logins(scene, account)
    await harm(account)
    try:
        await scene.until(is_aside_at_last, _ASIDE_WITHIN_S, f"{account} was not set aside")
        await asyncio.sleep(2)
        tries = await _logins(scene, account) - before
        if tries > most_tries:
            raise Broken(f"{account} was logged in {tries} times after it was harmed")
    finally:
        await mend(account)
        if await is_aside():
            await ledger.restore_account(REGISTRY, account, BY, clock.now())
            await scene.ground.wake()


async def _at_work(scene: Scene) -> str:
    first = scene.ground.sent()
    await asyncio.sleep(1)
    at_work = [name for name, count in scene.ground.sent().items() if count > first[name]]
    if not at_work:
        raise NotInjected("no account is at work")
    return scene.dice.choice(sorted(at_work))


async def _logins(scene: Scene, account: str) -> int:
    told = await scene.ground.registrar.report()
    return int(told["parties"][account.partition("-")[0]]["accounts"][account]["sessions"]["logins"])


_LETS_NOBODY_IN: Mapping[str, object] = {"kind": "overloaded", "on": "sessions"}
_ENDS: Mapping[str, object] = {"kind": "end", "code": "overloaded", "retry_after_s": 2.0, "probability": 0.2}
_EFFECT = "each record in effect once, none lost"
_TOO_FAST: Mapping[str, object] = {"kind": "end", "code": "too-fast", "retry_after_s": 3.0, "count": 3}
_SLOW_DOWN = "slows down at once; none lost"
DAYS = (
    Kind("registrar slow", "latency x10", _SLOW_DOWN, scripted(15.0, "latency", factor=10.0), "23"),
    Kind(
        "storm of 503",
        "every request answered 503",
        _SLOW_DOWN,
        scripted(20.0, "overloaded", _LETS_NOBODY_IN, _ENDS),
        "32",
    ),
    Kind(
        "storm of 503 at log-in",
        "log-ins answered 503",
        _SLOW_DOWN,
        scripted(8.0, "overloaded", on="sessions"),
        "32",
    ),
    Kind(
        "too fast, says the registrar",
        "429, Retry-After 3 s",
        _SLOW_DOWN,
        scripted(4.0, "too-fast", _TOO_FAST, retry_after_s=3.0),
        "31",
    ),
    Kind("500", "500 before anything is done", _EFFECT, scripted(4.0, "error", probability=0.5), "33"),
    Kind(
        "500 after the effect",
        "the answer breaks when all is done",
        _EFFECT,
        scripted(6.0, "error-after", probability=0.1),
        "33",
    ),
    Kind(
        "reset by the registrar",
        "RST before anything is done",
        _EFFECT,
        scripted(5.0, "reset", probability=0.1),
        "25",
    ),
    Kind(
        "reset after the effect",
        "RST instead of an answer",
        _EFFECT,
        scripted(6.0, "reset-after", probability=0.1),
        "26",
    ),
    Kind(
        "garbage answers",
        "an answer that is no answer",
        _EFFECT,
        scripted(6.0, "garbage", probability=0.1),
        "30",
    ),
    Kind(
        "truncated answers",
        "an answer cut in mid-line",
        _EFFECT,
        scripted(6.0, "truncate", probability=0.1),
        "30",
    ),
    Kind("wrong charset", "an answer in UTF-16", _EFFECT, scripted(6.0, "charset", probability=0.1), "30"),
    Kind(
        "busy records",
        "single records answered `retry`",
        _EFFECT,
        scripted(6.0, "busy", probability=0.2),
        "31",
    ),
    Kind(
        "end in mid-answer",
        "`end` overloaded for the registry",
        _SLOW_DOWN,
        scripted(5.0, "end", probability=0.05),
        "31",
    ),
    Kind(
        "stalled answers",
        "answers of a handful 4 s late",
        _EFFECT,
        scripted(5.0, "stall", delay_s=4.0, probability=0.1),
        "24",
    ),
    Kind(
        "late effect",
        "it breaks, and takes effect 1.5 s later",
        _EFFECT,
        scripted(5.0, "late-effect", delay_s=1.5, probability=0.05),
        "28",
    ),
    Kind(
        "slow log-in",
        "log-ins take 3 s",
        "leases; sessions within accounts",
        scripted(6.0, "slow-login", on="sessions", delay_s=3.0),
        "34",
    ),
    Kind(
        "sessions lost",
        "the registrar forgets all sessions, RST",
        "no more sessions than accounts",
        restart,
        "34",
    ),
    Kind(
        "someone else logs in",
        "log-ins with our code, again and again",
        "set aside; no ping-pong",
        hijack,
        "36",
        is_alone=True,
    ),
    Kind(
        "password expired",
        "another password, sessions lost",
        "set aside; not tried again",
        expire_password,
        "37",
        is_alone=True,
    ),
    Kind("account suspended", "suspended by the registrar", "set aside", suspend, "37", is_alone=True),
)
