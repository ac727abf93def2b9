"""The registrar's codes that mean *ask*, by profile: all that a session needs of a profile, without what checks files.

A worker loads this and nothing else of `profiles/`: the libraries behind a check cost a second and much memory.
"""

from collections.abc import Mapping

#: codes that may speak of our own earlier try, such as "already a member": never believed without asking
MAYBE_OURS: Mapping[str, frozenset[str]] = {"party-members": frozenset({"already-member"})}
