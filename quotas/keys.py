"""All keys of the gate in Redis, made here and nowhere else; one hash tag a registry, so that a script finds all of its keys together."""

from functools import cache

LEADER = "pratunam:{leader}"

_OF_A_REGISTRY = ("gate", "accounts", "parties", "ends", "busy", "holders", "signals")


@cache
def keys_of(registry: str) -> tuple[str, ...]:
    """Return the registry's keys in the order in which every script takes them.

    `gate` is the registry's own record; `accounts` and `parties` are records by id; `ends` sorts accounts by when something of theirs
    is over; `busy` names parties with sessions; `holders` keeps the newest tick number of each process, and what
    they told of leases of older generations; `signals` counts.
    """
    return tuple(f"pratunam:{{{registry}}}:{name}" for name in _OF_A_REGISTRY)
