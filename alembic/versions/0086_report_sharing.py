"""What a campus shows of its year on the page of a network."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0086"
down_revision = "0085"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_sharing",
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), primary_key=True, nullable=False),
        sa.Column("network_id", sa.Uuid(), sa.ForeignKey("network.id"), primary_key=True, nullable=False),
        sa.Column("actions", sa.Boolean(), nullable=False),
        sa.Column("people", sa.Boolean(), nullable=False),
        sa.Column("partners", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("report_sharing")
