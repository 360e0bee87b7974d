"""Sessions of a series that move, have a place of their own, or are cancelled."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0037"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("activity_session", sa.Column("place", sa.String(200), nullable=False, server_default=""))
    op.add_column("activity_session", sa.Column("planned_for", sa.Date(), nullable=True))
    op.add_column("activity_session", sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for column in ("cancelled_at", "planned_for", "place"):
        op.drop_column("activity_session", column)
