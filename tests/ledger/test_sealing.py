"""Sealing: what is sealed opens with its key in its place, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import SealBroken
from ledger.sealing import NONCE_BYTES, Sealer, aad

SEALER = Sealer(b"k" * 32)


@given(st.binary(max_size=2000), st.binary(max_size=40))
def test_what_is_sealed_opens(plain: bytes, place: bytes) -> None:
    """Any bytes come back whole."""
    assert SEALER.open(SEALER.seal(plain, place), place) == plain


def test_a_sealed_value_opens_in_its_place_only() -> None:
    """Other associated data, another key and any changed byte break the seal."""
    sealed = SEALER.seal(b"plain", b"here")
    with pytest.raises(SealBroken):
        SEALER.open(sealed, b"there")
    with pytest.raises(SealBroken):
        Sealer(b"x" * 32).open(sealed, b"here")
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(SealBroken):
            SEALER.open(changed, b"here")
    for cut in (b"", sealed[:5], sealed[:-1]):
        with pytest.raises(SealBroken):
            SEALER.open(cut, b"here")


def test_the_same_text_never_looks_the_same() -> None:
    """Nonces are random; the plain text is not to be seen."""
    sealed = [SEALER.seal(b"SOMCHAI" * 9, b"") for _ in range(200)]
    assert len({one[:NONCE_BYTES] for one in sealed}) == 200
    assert not any(b"SOMCHAI" in one for one in sealed)


def test_rows_of_records_are_compressed() -> None:
    """Sealed slices are smaller than their records."""
    assert len(SEALER.seal(b'{"operation":"ADD","title":"x"}' * 500, b"")) < 1000


def test_no_part_of_a_place_slides_into_the_next() -> None:
    """`("a", "bc")` is another place than `("ab", "c")`."""
    places = {aad("a", "bc"), aad("ab", "c"), aad("a", "b", "c"), aad("a", "bc", ""), aad("a", "bc", 0)}
    assert len(places) == 5


def test_a_key_has_32_bytes() -> None:
    """A shorter key is refused rather than stretched."""
    with pytest.raises(ValueError, match="32"):
        Sealer(b"short")
