"""The ledger's tables, for every engine. `ledger/migrations/` builds the same, step by step; a test holds the two together.

Instants are ms since the epoch. `slices.states` is one letter a line (`RecordState` values). Boxes and the blind index stand in tables
of their own, so that claiming and counting never read them.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def _instant(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


#: numbers and words of the ledger itself: `commits`, `audit_lines`, `audit_head`, `ask_first`
meta = Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

audit = Table(
    "audit",
    metadata,
    Column("line", Integer, primary_key=True, autoincrement=False),
    _instant("at"),
    Column("who", Text, nullable=False),
    Column("through", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("detail", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("digest", Text, nullable=False),
)

generations = Table(
    "generations",
    metadata,
    Column("registry", Text, primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("reason", Text, nullable=False),
    _instant("begun_at"),
)

policy_versions = Table(
    "policy_versions",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    _instant("applied_at"),
    _instant("effective_at"),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("policy", LargeBinary, nullable=False),
    Column("secrets", LargeBinary, nullable=False),
    Column("enacted", Boolean, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("registry", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("party", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    _text("reason"),
    _instant("since_at"),
    Column("secret", LargeBinary),
    Column("place", Integer, nullable=False, server_default="0"),
    Index(None, "registry", "party"),
)

#: `party` is empty where everyone is held
holds = Table(
    "holds",
    metadata,
    Column("registry", Text, primary_key=True),
    Column("party", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    _instant("since_at"),
)

notices = Table(
    "notices",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("notice", Text, nullable=False, unique=True),
    Column("party", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    _instant("created_at"),
    Column("version", Integer),
    Column("title_en", Text, nullable=False),
    Column("title_th", Text, nullable=False),
    Column("body_en", Text, nullable=False),
    Column("body_th", Text, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("notice", Text, ForeignKey("notices.notice", ondelete="CASCADE"), primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("state", Text, nullable=False),
    _count("attempts"),
    _instant("next_at", nullable=True),
    _instant("delivered_at", nullable=True),
    _text("last_error"),
    Index(
        None,
        "next_at",
        sqlite_where=text("next_at IS NOT NULL"),
        postgresql_where=text("next_at IS NOT NULL"),
    ),
)

#: `ready` and `in_hand` count the pending and unknown lines of ready and of claimed slices
jobs = Table(
    "jobs",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("job", Text, nullable=False, unique=True),
    Column("party", Text, nullable=False),
    Column("registry", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("profile_version", Integer, nullable=False),
    Column("file", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("blob", Text, nullable=False),
    Column("operation", Text),
    Column("declared", Boolean, nullable=False),
    Column("ignored", Text, nullable=False),
    Column("sheet", Text),
    _instant("deadline_at", nullable=True),
    Column("priority", Integer, nullable=False),
    Column("max_invalid_pct", Float, nullable=False),
    Column("parent", Text),
    Column("cut", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("receipt", Text, nullable=False),
    _instant("submitted_at"),
    _count("rows"),
    _count("invalid"),
    _count("pending"),
    _count("accepted"),
    _count("rejected"),
    _count("unknown"),
    _count("doubtful"),
    _count("unprocessed"),
    _count("ready"),
    _count("in_hand"),
    _count("check_attempts"),
    _instant("check_until", nullable=True),
    _text("paused_reason"),
    _text("fault_en"),
    _text("fault_th"),
    _instant("finished_at", nullable=True),
    _instant("erased_at", nullable=True),
    Column("shredded", Boolean, nullable=False, server_default=text("false")),
    Column("faults", Text, nullable=False, server_default="{}"),
    Column("notes_en", Text, nullable=False, server_default="[]"),
    Column("notes_th", Text, nullable=False, server_default="[]"),
    Index(None, "registry", "state", "party"),
    Index(None, "party", "registry", "digest"),
)

slices = Table(
    "slices",
    metadata,
    Column("slice_id", Text, primary_key=True),
    Column("job", Text, ForeignKey("jobs.job"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("registry", Text, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("states", Text, nullable=False),
    _count("pending"),
    _count("unknown"),
    _count("doubtful"),
    Column("state", Text, nullable=False),
    _count("token"),
    _count("watermark"),
    _instant("not_before", nullable=True),
    # the states just before the job was cancelled, where the slice was claimed then
    Column("sure", Text),
    UniqueConstraint("job", "seq"),
    Index(None, "job", "state", "seq"),
    Index(
        "ix_slices_claimed",
        "registry",
        sqlite_where=text("state = 'claimed'"),
        postgresql_where=text("state = 'claimed'"),
    ),
    Index(
        "ix_slices_delayed",
        "registry",
        "not_before",
        sqlite_where=text("not_before IS NOT NULL"),
        postgresql_where=text("not_before IS NOT NULL"),
    ),
)

_SLICE = "slices.slice_id"

slice_boxes = Table(
    "slice_boxes",
    metadata,
    Column("slice_id", Text, ForeignKey(_SLICE, ondelete="CASCADE"), primary_key=True),
    Column("box", LargeBinary, nullable=False),
)

slice_index = Table(
    "slice_index",
    metadata,
    Column("slice_id", Text, ForeignKey(_SLICE, ondelete="CASCADE"), primary_key=True),
    Column("entries", LargeBinary, nullable=False),
)

#: a row stands while `blocker` has a line that is not settled
slice_waits = Table(
    "slice_waits",
    metadata,
    Column("slice_id", Text, ForeignKey(_SLICE, ondelete="CASCADE"), primary_key=True),
    Column("blocker", Text, primary_key=True, index=True),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("job", Text, ForeignKey("jobs.job"), nullable=False),
    Column("slice_id", Text, nullable=False),
    Column("batch", Integer, nullable=False),
    Column("box", LargeBinary, nullable=False),
    _instant("settled_at"),
    Index(None, "job", "number"),
    UniqueConstraint("slice_id", "batch"),
)

invalid_batches = Table(
    "invalid_batches",
    metadata,
    Column("job", Text, ForeignKey("jobs.job"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("rows", Integer, nullable=False),
    Column("box", LargeBinary, nullable=False),
)
