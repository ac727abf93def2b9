"""Finds which column of a file is which field, and which may not be taken at all. Looks at headers only, never at rows."""

import re
from collections.abc import Collection, Sequence

from profiles.party_members.fields import ENGLISH, FIELDS, OPERATIONS, required
from profiles.party_members.wording import plain
from profiles.profile import HeaderMatch

#: The gate's own columns in result files, which come back with a corrected file.
OURS = frozenset({"_row", "_job", "_by", "_code", "_reason_th", "_reason_en", "_receipt", "_sheet"})
_FORBIDDEN = re.compile(
    "laser|เลเซอร์|หลังบัตร|religion|ศาสนา|photo|portrait|selfie|รูปถ่าย|ภาพถ่าย|รูปภาพ|(?<!ออน)ไลน|^รูป(?!แบบ)|^ภาพ(?!รวม)|^line(?:id)?$"
)
_FORBIDDEN_WORDS = frozenset({"picture", "image"})
#: LINE as a word of its own, or grown together with what it is: not the line of an address, nor a line's number
_LINE = re.compile(
    r"(?<!address )(?<!addr )\b(?:my)?line\b(?! ?(?:no|nr|number|\d))"
    r"|\b(?:my)?(?:idline|line(?:id|account|user|userid|name|contact))\b"
)
_NOT_LATIN = re.compile(r"[^a-z0-9]+")


def canonical(header: str) -> str:
    """Return a header without case, spaces, dots, slashes, dashes, underscores and what the eye cannot see."""
    return re.sub(r"[\s._/\-*:|\\'\"()\[\]\x00-\x1f]", "", plain(header).casefold())


NAMES: dict[str, str] = {canonical(h): f.name for f in FIELDS.values() for h in (f.name, *f.headers)} | {
    canonical(h): name for h, name in ENGLISH.items()
}


def is_forbidden(header: str) -> bool:
    """Say whether a column of this name may not be read: Laser ID, religion, photo, LINE, however they are written."""
    words = _NOT_LATIN.sub(" ", plain(header).casefold()).strip()
    return (
        bool(_FORBIDDEN.search(canonical(header)))
        or bool(_LINE.search(words))
        or not _FORBIDDEN_WORDS.isdisjoint(words.split())
    )


def match_header(headers: Sequence[str]) -> HeaderMatch:
    """Find which column is which field; a field that two columns claim is a duplicate and matched to the first."""
    claims: dict[str, list[int]] = {}
    unknown, forbidden, ours = [], [], []
    for place, header in enumerate(headers):
        if plain(header).casefold() in OURS:
            ours.append(header)
        elif is_forbidden(header):
            forbidden.append(place)
        elif name := NAMES.get(canonical(header)):
            claims.setdefault(name, []).append(place)
        else:
            unknown.append(header)
    return HeaderMatch(
        matched={name: headers[places[0]] for name, places in claims.items()},
        places={name: places[0] for name, places in claims.items()},
        unknown=tuple(unknown),
        forbidden=tuple(headers[p] for p in forbidden),
        forbidden_places=tuple(forbidden),
        ours=tuple(ours),
        duplicate=tuple(
            (name, tuple(headers[p] for p in places)) for name, places in claims.items() if len(places) > 1
        ),
        missing=tuple(f for f in _always_required() if f not in claims),
    )


def missing_columns(match: HeaderMatch, operations: Collection[str], declared: bool) -> tuple[str, ...]:
    """Name the fields that these operations require and no column gives, in the order of the fields.

    No operation at all means that neither a column nor the job says one: `operation` is missing then.
    """
    wanted = {name for op in operations for name in required(op)} | set(_always_required())
    wanted -= {"qualification_declared"} if declared else set()
    wanted |= set() if operations else {"operation"}
    return tuple(name for name in FIELDS if name in wanted and name not in match.matched)


def _always_required() -> tuple[str, ...]:
    """Return the fields that every operation requires."""
    return tuple(n for n in required(OPERATIONS[0]) if all(n in required(op) for op in OPERATIONS))
