"""The campus's awards that end, by the time of awarding: the register of expired awards."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0139"
down_revision = "0138"
branch_labels = None
depends_on = None
online = True


def upgrade() -> None:
    where = sa.text("valid_until IS NOT NULL")
    op.create_index(
        "awards_that_end_by_time",
        "award",
        ["campus_id", "awarded_at", "id", "valid_until"],
        sqlite_where=where,
        postgresql_where=where,
    )


def downgrade() -> None:
    op.drop_index("awards_that_end_by_time", "award")
