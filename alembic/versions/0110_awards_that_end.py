"""Badges that end are found by their end: their holders are reminded."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0110"
down_revision = "0102"
branch_labels = None
depends_on = None
online = True


def upgrade() -> None:
    op.create_index(
        "awards_that_end",
        "award",
        ["valid_until", "campus_id"],
        sqlite_where=sa.text("valid_until IS NOT NULL"),
        postgresql_where=sa.text("valid_until IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("awards_that_end", "award")
