"""The policy value as bytes and back, without loss: numbers, dates, sets and words as `domain.policy` has them."""

from functools import lru_cache

import msgspec
from sqlalchemy import Connection, select

from domain.policy import Policy
from ledger.tables import policy_versions

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Policy).decode


def encode_policy(policy: Policy) -> bytes:
    """Return the policy as JSON bytes."""
    return _encode(policy)


@lru_cache(maxsize=8)
def decode_policy(encoded: bytes) -> Policy:
    """Return the policy that was encoded; the same bytes give the same value, which nobody changes."""
    return _decode(encoded)


def newest_policy(connection: Connection) -> Policy | None:
    """Return the policy that was applied last, in force or not yet."""
    query = select(policy_versions.c.policy).order_by(policy_versions.c.version.desc()).limit(1)
    encoded = connection.execute(query).scalar()
    return None if encoded is None else decode_policy(encoded)


def settle_ms(connection: Connection, registry: str) -> int:
    """Return for how long a record may surface at a registry after its sender is gone (ms); 0 where no policy knows the registry."""
    policy = newest_policy(connection)
    rules = None if policy is None else policy.registries.get(registry)
    return 0 if rules is None else round(rules.settle_s * 1000)
