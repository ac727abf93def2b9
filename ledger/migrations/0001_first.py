"""The tables as they first were."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "accounts",
        sa.Column("registry", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("since_at", sa.BigInteger(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("place", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("registry", "account", name=op.f("pk_accounts")),
    )
    op.create_index(op.f("ix_accounts_registry_party"), "accounts", ["registry", "party"], unique=False)
    op.create_table(
        "audit",
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("through", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("line", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_subject"), "audit", ["subject"], unique=False)
    op.create_table(
        "generations",
        sa.Column("registry", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("registry", "generation", name=op.f("pk_generations")),
    )
    op.create_table(
        "holds",
        sa.Column("registry", sa.Text(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("since_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("registry", "party", name=op.f("pk_holds")),
    )
    op.create_table(
        "jobs",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("registry", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("profile_version", sa.Integer(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("blob", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=True),
        sa.Column("declared", sa.Boolean(), nullable=False),
        sa.Column("ignored", sa.Text(), nullable=False),
        sa.Column("sheet", sa.Text(), nullable=True),
        sa.Column("deadline_at", sa.BigInteger(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("max_invalid_pct", sa.Float(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("cut", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("invalid", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("pending", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("accepted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rejected", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unknown", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("doubtful", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unprocessed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ready", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("in_hand", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("check_attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("check_until", sa.BigInteger(), nullable=True),
        sa.Column("paused_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("fault_en", sa.Text(), server_default="", nullable=False),
        sa.Column("fault_th", sa.Text(), server_default="", nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.Column("shredded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("faults", sa.Text(), server_default="{}", nullable=False),
        sa.Column("notes_en", sa.Text(), server_default="[]", nullable=False),
        sa.Column("notes_th", sa.Text(), server_default="[]", nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_jobs")),
        sa.UniqueConstraint("job", name=op.f("uq_jobs_job")),
    )
    op.create_index(
        op.f("ix_jobs_party_registry_digest"), "jobs", ["party", "registry", "digest"], unique=False
    )
    op.create_index(
        op.f("ix_jobs_registry_state_party"), "jobs", ["registry", "state", "party"], unique=False
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )
    op.create_table(
        "notices",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("title_th", sa.Text(), nullable=False),
        sa.Column("body_en", sa.Text(), nullable=False),
        sa.Column("body_th", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_notices")),
        sa.UniqueConstraint("notice", name=op.f("uq_notices_notice")),
    )
    op.create_index(op.f("ix_notices_party"), "notices", ["party"], unique=False)
    op.create_table(
        "policy_versions",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("applied_at", sa.BigInteger(), nullable=False),
        sa.Column("effective_at", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("policy", sa.LargeBinary(), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=False),
        sa.Column("enacted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_policy_versions")),
    )
    op.create_table(
        "deliveries",
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["notice"], ["notices.notice"], name=op.f("fk_deliveries_notice"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("notice", "channel", name=op.f("pk_deliveries")),
    )
    op.create_index(
        op.f("ix_deliveries_next_at"),
        "deliveries",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_table(
        "invalid_batches",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["jobs.job"], name=op.f("fk_invalid_batches_job")),
        sa.PrimaryKeyConstraint("job", "seq", name=op.f("pk_invalid_batches")),
    )
    op.create_table(
        "outcomes",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("slice_id", sa.Text(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["jobs.job"], name=op.f("fk_outcomes_job")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_outcomes")),
        sa.UniqueConstraint("slice_id", "batch", name=op.f("uq_outcomes_slice_id_batch")),
    )
    op.create_index(op.f("ix_outcomes_job_number"), "outcomes", ["job", "number"], unique=False)
    op.create_table(
        "slices",
        sa.Column("slice_id", sa.Text(), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("registry", sa.Text(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("states", sa.Text(), nullable=False),
        sa.Column("pending", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unknown", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("doubtful", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("watermark", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=True),
        sa.Column("sure", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["job"], ["jobs.job"], name=op.f("fk_slices_job")),
        sa.PrimaryKeyConstraint("slice_id", name=op.f("pk_slices")),
        sa.UniqueConstraint("job", "seq", name=op.f("uq_slices_job_seq")),
    )
    op.create_index(
        "ix_slices_claimed",
        "slices",
        ["registry"],
        unique=False,
        sqlite_where=sa.text("state = 'claimed'"),
        postgresql_where=sa.text("state = 'claimed'"),
    )
    op.create_index(
        "ix_slices_delayed",
        "slices",
        ["registry", "not_before"],
        unique=False,
        sqlite_where=sa.text("not_before IS NOT NULL"),
        postgresql_where=sa.text("not_before IS NOT NULL"),
    )
    op.create_index(op.f("ix_slices_job_state_seq"), "slices", ["job", "state", "seq"], unique=False)
    op.create_table(
        "slice_boxes",
        sa.Column("slice_id", sa.Text(), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["slice_id"], ["slices.slice_id"], name=op.f("fk_slice_boxes_slice_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("slice_id", name=op.f("pk_slice_boxes")),
    )
    op.create_table(
        "slice_index",
        sa.Column("slice_id", sa.Text(), nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["slice_id"], ["slices.slice_id"], name=op.f("fk_slice_index_slice_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("slice_id", name=op.f("pk_slice_index")),
    )
    op.create_table(
        "slice_waits",
        sa.Column("slice_id", sa.Text(), nullable=False),
        sa.Column("blocker", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["slice_id"], ["slices.slice_id"], name=op.f("fk_slice_waits_slice_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("slice_id", "blocker", name=op.f("pk_slice_waits")),
    )
    op.create_index(op.f("ix_slice_waits_blocker"), "slice_waits", ["blocker"], unique=False)
