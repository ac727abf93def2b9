"""The registrar's codes that mean *ask*, by profile: all that a session needs of a profile, without what checks files.

Workers and what reads policies load this and nothing else of `profiles/`: the libraries behind a check cost a second and much memory.
"""

from collections.abc import Mapping

from domain.errors import NotFound

#: codes that may speak of our own earlier try, such as "already a member": never believed without asking
MAYBE_OURS: Mapping[str, frozenset[str]] = {"party-members": frozenset({"already-member"})}


def codes_of(profile: str) -> frozenset[str]:
    """Return the codes of a profile that mean *ask*; NotFound names the profiles that there are."""
    found = MAYBE_OURS.get(profile)
    if found is None:
        known = ", ".join(MAYBE_OURS)
        raise NotFound(
            f"There is no profile of the name {profile!r}.",
            message_th=f"ไม่มีโปรไฟล์ชื่อ {profile!r}",
            remedy_en=f"Known profiles: {known}.",
            remedy_th=f"โปรไฟล์ที่มี: {known}",
        )
    return found
