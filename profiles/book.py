"""The book of profiles: finds one by its name. A new registry's profile is entered here and nowhere else."""

from domain.errors import NotFound
from profiles.party_members.party_members import PartyMembers
from profiles.profile import Profile

PROFILES: dict[str, Profile] = {p.name: p for p in (PartyMembers(),)}


def profile(name: str) -> Profile:
    """Return the profile of this name; NotFound names those that there are."""
    found = PROFILES.get(name)
    if found is None:
        known = ", ".join(PROFILES)
        raise NotFound(
            f"There is no profile of the name {name!r}.",
            message_th=f"ไม่มีโปรไฟล์ชื่อ {name!r}",
            remedy_en=f"Known profiles: {known}.",
            remedy_th=f"โปรไฟล์ที่มี: {known}",
        )
    return found
