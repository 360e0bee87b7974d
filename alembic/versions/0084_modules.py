"""Sets of training modules, and the competencies that each module attests."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0084"
down_revision = "0083"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "module_set",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False, index=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("description", sa.String(2000), nullable=False),
        sa.Column("badge_id", sa.Uuid(), sa.ForeignKey("badge.id"), nullable=True, index=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_table(
        "training_module",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("set_id", sa.Uuid(), sa.ForeignKey("module_set.id"), nullable=False, index=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("contents", sa.Text(), nullable=False),
        sa.Column("audience", sa.String(200), nullable=False),
        sa.Column("hours", sa.Float(), nullable=True),
        sa.Column("badge_id", sa.Uuid(), sa.ForeignKey("badge.id"), nullable=True, index=True),
        sa.CheckConstraint("hours IS NULL OR hours > 0", name="module_hours_are_positive"),
    )
    op.create_table(
        "module_competency",
        sa.Column("module_id", sa.Uuid(), sa.ForeignKey("training_module.id"), primary_key=True),
        sa.Column("competency_id", sa.Uuid(), sa.ForeignKey("competency.id"), primary_key=True),
        sa.Column("level", sa.Integer(), nullable=True),
    )


def downgrade() -> None:
    op.drop_table("module_competency")
    op.drop_table("training_module")
    op.drop_table("module_set")
