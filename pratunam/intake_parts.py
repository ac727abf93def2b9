"""Hands intake what it works with: parts of this installation, the rules of one registry, the child's limits."""

from domain.errors import NotFound
from domain.policy import RegistryRules
from intake.frames import Limits
from intake.parts import IntakeParts, SubmitRequest
from pratunam.parts import Parts


async def intake_parts(parts: Parts, registry: str) -> IntakeParts:
    """Return intake's parts for a registry of the policy in force; raises NotFound."""
    policy = await parts.policy()
    if registry not in policy.registries:
        raise NotFound(
            f"There is no registry {registry} in the policy in force.",
            message_th=f"นโยบายที่ใช้อยู่ไม่มีระบบทะเบียน {registry}",
            remedy_en=f"There is {', '.join(policy.registries)}.",
            remedy_th=f"ที่มี: {', '.join(policy.registries)}",
        )
    return intake_parts_for(parts, policy.registries[registry])


def intake_parts_for(parts: Parts, rules: RegistryRules) -> IntakeParts:
    """Return intake's parts for rules that are already in hand."""
    scratch = parts.settings.home / "scratch"
    scratch.mkdir(mode=0o700, exist_ok=True)
    settings = parts.settings
    return IntakeParts(
        parts.ledger,
        parts.spool,
        parts.keys,
        rules,
        scratch,
        parts.clock,
        Limits(settings.check_memory_mb << 20, settings.check_cpu_s),
        emit=parts.emit,
        places=settings.submits_at_once,
        wait_s=settings.submit_wait_s,
        most_open=settings.party_open_jobs,
    )


def submit_request(
    party: str,
    rules: RegistryRules,
    file_name: str,
    *,
    operation: str | None = None,
    max_invalid_pct: float = 5.0,
) -> SubmitRequest:
    """Return the plain request of a party for one file."""
    return SubmitRequest(
        party, rules.name, rules.profile, file_name, operation=operation, max_invalid_pct=max_invalid_pct
    )
