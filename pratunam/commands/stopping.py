"""`pratunam hold` and `release`: the registrar's stop button. Nothing new is sent within a second; audited, noticed."""

import click

from domain.errors import NotFound
from domain.policy import Policy
from pratunam.commands.arguments import WORDS
from pratunam.commands.frame import Frame, at_home
from pratunam.doorbells import wake_scheduler
from pratunam.parts import Parts
from pratunam.policy.announce import hold_notices


@click.command("hold")
@click.option("--registry", default=None, help="Stop a whole registry (the default where there is only one).")
@click.option("--party", default=None, help="Stop one party.")
@click.option("--reason", required=True, type=WORDS, help="Why; every party reads it.")
@at_home
async def hold(frame: Frame, parts: Parts, registry: str | None, party: str | None, reason: str) -> None:
    """Stop sending: for a registry or for one party."""
    await _stop_or_go(frame, parts, registry, party, reason, on=True)


@click.command("release")
@click.option(
    "--registry", default=None, help="Let a whole registry go (the default where there is only one)."
)
@click.option("--party", default=None, help="Let one party go.")
@click.option("--reason", default="released", type=WORDS, help="Why; every party reads it.")
@at_home
async def release(frame: Frame, parts: Parts, registry: str | None, party: str | None, reason: str) -> None:
    """Let go what was held."""
    await _stop_or_go(frame, parts, registry, party, reason, on=False)


async def _stop_or_go(
    frame: Frame, parts: Parts, registry: str | None, party: str | None, reason: str, *, on: bool
) -> None:
    policy, now = await parts.policy(), parts.clock.now()
    if party is not None and party not in policy.parties:
        raise unknown_party(party, policy)
    names = [registry or only_registry(policy)] if party is None or registry else list(policy.registries)
    standing = {(row.registry, row.party) for row in await parts.ledger.holds()}
    for name in names:
        if name not in policy.registries:
            raise unknown_registry(name, policy)
        notices = hold_notices(policy, name, party, reason, on=on, now=now)
        verb = parts.ledger.hold if on else parts.ledger.release
        await verb(name, party, reason, notices, frame.by, now)
    await wake_scheduler(frame.settings)
    changed = [name for name in names if ((name, party) in standing) is not on]
    what = {"held": on, "registries": names, "party": party, "reason": reason, "changed": changed}
    frame.tell(what, _said(party or ", ".join(names), on=on, is_news=bool(changed)))


def _said(whom: str, *, on: bool, is_news: bool) -> str:
    """Say what is so now; who stops what stands already must not think that its reason was told to anybody."""
    if on and not is_news:
        return f"{whom} was held already, and stays so: the first reason stands, and nobody was told of this one."
    if on:
        return f"{whom} is held: nothing new is sent."
    return f"{whom} is released." if is_news else f"{whom} was not held: nothing changed."


def only_registry(policy: Policy) -> str:
    """Return the one registry there is; raises NotFound naming them when there are several."""
    if len(policy.registries) == 1:
        return next(iter(policy.registries))
    names = " | ".join(policy.registries)
    raise NotFound(
        "There is more than one registry.",
        message_th="มีระบบทะเบียนมากกว่าหนึ่งระบบ",
        remedy_en=f"Add --registry {names}.",
        remedy_th=f"ระบุ --registry {names}",
    )


def unknown_registry(name: str, policy: Policy) -> NotFound:
    """Return the error for a registry that the policy does not know."""
    return NotFound(
        f"There is no registry {name}.",
        message_th=f"ไม่มีระบบทะเบียน {name}",
        remedy_en=f"There is {', '.join(policy.registries)}.",
        remedy_th=f"ที่มี: {', '.join(policy.registries)}",
    )


def unknown_party(party: str, policy: Policy) -> NotFound:
    """Return the error for a party that the policy does not know."""
    some = ", ".join(list(policy.parties)[:10])
    return NotFound(
        f"There is no party {party}.",
        message_th=f"ไม่พบพรรค {party}",
        remedy_en=f"The policy names {some}. A new party asks the registrar for its first account.",
        remedy_th="พรรคใหม่โปรดติดต่อสำนักงานนายทะเบียนเพื่อขอรับรหัสผู้ใช้งาน",
    )
