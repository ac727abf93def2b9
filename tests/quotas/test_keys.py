"""Keys: made in one place, together by registry."""

from quotas.keys import LEADER, keys_of


def test_a_registrys_keys_stand_together_and_apart_from_anothers() -> None:
    """One hash tag a registry, so that one script may use all of its keys; no key is shared."""
    tags = {key[key.index("{") + 1 : key.index("}")] for key in keys_of("party-members")}
    assert tags == {"party-members"}
    assert not set(keys_of("party-members")) & {*keys_of("local"), LEADER}
    assert len(set(keys_of("party-members"))) == 7
