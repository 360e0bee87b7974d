"""Drafts of yearly reports and their signed editions."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0085"
down_revision = "0084"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "report_draft",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("period", sa.String(21), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("quotes", sa.JSON(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.UniqueConstraint("campus_id", "period", name="one_draft_per_period"),
    )
    op.create_table(
        "report_edition",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("period", sa.String(21), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("signed_at", MOMENT, nullable=False),
        sa.UniqueConstraint("campus_id", "period", "number", name="one_edition_per_number"),
    )


def downgrade() -> None:
    op.drop_table("report_edition")
    op.drop_table("report_draft")
