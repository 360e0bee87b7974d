"""Suspensions: of an award, of its slot, and the status list for that purpose."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0120"
down_revision = "0124"
branch_labels = None
depends_on = None
online = True


def upgrade() -> None:
    op.add_column("award", sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("award", sa.Column("suspended_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("award", sa.Column("suspended_reason", sa.String(500), nullable=False, server_default=""))
    op.add_column("status_slot", sa.Column("suspended_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "status_list", sa.Column("suspensions", sa.LargeBinary(), nullable=False, server_default="")
    )
    op.add_column(
        "status_list", sa.Column("suspensions_token", sa.String(), nullable=False, server_default="")
    )
    known = sa.text("suspended_until IS NOT NULL")
    op.create_index(
        "awards_suspended",
        "award",
        ["campus_id", "suspended_until"],
        sqlite_where=known,
        postgresql_where=known,
    )
    op.create_index(
        "slots_suspended", "status_slot", ["suspended_until"], sqlite_where=known, postgresql_where=known
    )


def downgrade() -> None:
    op.drop_index("slots_suspended", "status_slot")
    op.drop_index("awards_suspended", "award")
    op.drop_column("status_list", "suspensions_token")
    op.drop_column("status_list", "suspensions")
    op.drop_column("status_slot", "suspended_until")
    op.drop_column("award", "suspended_reason")
    op.drop_column("award", "suspended_until")
    op.drop_column("award", "suspended_at")
