"""Badges written on a page: drafts, public frameworks, colours of their own; competencies that retire."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Defaults of the columns themselves: a frozen version may not be updated, not even by a migration.
    op.add_column(
        "badge", sa.Column("accepts_requests", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column(
        "badge_version", sa.Column("alignments", sa.JSON(), nullable=False, server_default=sa.text("'[]'"))
    )
    op.add_column(
        "badge_version", sa.Column("alternative", sa.String(length=300), nullable=False, server_default="")
    )
    op.add_column("badge_version", sa.Column("hue", sa.Float(), nullable=True))
    op.add_column("badge_version", sa.Column("liveliness", sa.Float(), nullable=True))
    op.add_column(
        "badge_version", sa.Column("emblem", sa.String(length=8), nullable=False, server_default="")
    )
    op.add_column(
        "badge_version", sa.Column("is_draft", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("competency", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("competency", "archived_at")
    for column in ("is_draft", "emblem", "liveliness", "hue", "alternative", "alignments"):
        op.drop_column("badge_version", column)
    op.drop_column("badge", "accepts_requests")
