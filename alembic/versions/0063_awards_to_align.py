"""Awards signed before are compared with what their holders show, and not published before that."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The default marks every award that is there; it stays for rows that are put back from an older journal."""
    due = sa.Column(
        "align_due_at", sa.DateTime(timezone=True), nullable=True, server_default="2026-01-01 00:00:00"
    )
    op.add_column("award", due)
    where = sa.text("align_due_at IS NOT NULL")
    op.create_index(
        "awards_to_align", "award", ["campus_id", "align_due_at"], sqlite_where=where, postgresql_where=where
    )


def downgrade() -> None:
    op.drop_index("awards_to_align", "award")
    op.drop_column("award", "align_due_at")
