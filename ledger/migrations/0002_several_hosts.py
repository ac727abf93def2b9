"""What a ledger needs that several hosts share: the spool's chunks beside it. SQLite's home keeps its spool in a folder."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the spool's table, on PostgreSQL only."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.create_table(
        "spool_chunks",
        sa.Column("blob", sa.Text(), nullable=False),
        sa.Column("chunk", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("blob", "chunk", name=op.f("pk_spool_chunks")),
    )
    # sealed bytes do not compress: the server need not try
    for table, column in (
        ("slice_boxes", "box"),
        ("slice_index", "entries"),
        ("outcomes", "box"),
        ("invalid_batches", "box"),
        ("spool_chunks", "data"),
    ):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")
