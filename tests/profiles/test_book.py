"""The book of profiles."""

import pytest

from domain.errors import NotFound
from profiles.book import PROFILES, profile
from profiles.codes import MAYBE_OURS


def test_the_profile_of_party_members_is_in_the_book() -> None:
    """A known name gives its profile, with what the rest of the gate asks of one."""
    found = profile("party-members")
    assert (found.name, found.version, found.natural_key_fields) == ("party-members", 1, ("national_id",))
    assert found.maybe_ours == frozenset({"already-member"})


def test_every_profile_says_which_codes_mean_ask() -> None:
    """Sessions read them where they need not load what checks files."""
    assert {name: found.maybe_ours for name, found in PROFILES.items()} == dict(MAYBE_OURS)


def test_an_unknown_profile_is_refused_with_the_names_of_those_there_are() -> None:
    """A wrong name is an error whose remedy names what could have been meant."""
    with pytest.raises(NotFound) as refused:
        profile("party-member")
    assert "party-members" in refused.value.remedy_en
    assert "party-members" in refused.value.remedy_th
