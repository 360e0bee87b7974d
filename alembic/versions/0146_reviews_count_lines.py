"""A review of a log counts its lines by kind; corrections and erasures have an index."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0146"
down_revision = "0145"
branch_labels = None
depends_on = None
online = True


def upgrade() -> None:
    op.add_column("log_review", sa.Column("kinds", sa.JSON(), nullable=False, server_default="{}"))
    where = sa.text("kind IN ('correction', 'erasure')")
    op.create_index(
        "log_corrections_and_erasures",
        "log_entry",
        ["log_id", "kind", "number"],
        sqlite_where=where,
        postgresql_where=where,
    )


def downgrade() -> None:
    op.drop_index("log_corrections_and_erasures", "log_entry")
    op.drop_column("log_review", "kinds")
