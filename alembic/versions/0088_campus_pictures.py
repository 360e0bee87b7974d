"""Pictures of a campus, for its public page."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0088"
down_revision = "0087"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campus_picture",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("alternative", sa.String(200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_campus_picture_campus_id", "campus_picture", ["campus_id"])


def downgrade() -> None:
    op.drop_table("campus_picture")
