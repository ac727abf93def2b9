"""The book of profiles: finds one by its name. A new registry's profile is entered here and, with its codes, in `codes.py`."""

from profiles.codes import codes_of
from profiles.party_members.party_members import PartyMembers
from profiles.profile import Profile

PROFILES: dict[str, Profile] = {p.name: p for p in (PartyMembers(),)}


def profile(name: str) -> Profile:
    """Return the profile of this name; NotFound names those that there are."""
    codes_of(name)
    return PROFILES[name]
