"""Participations know the bulk award whose list recorded them; undoing one may remove them."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("participation", sa.Column("batch_id", sa.Uuid(), nullable=True))
    op.add_column(
        "award_batch", sa.Column("removes_brought", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    for name in ("removed_people", "removed_participations"):
        op.add_column("award_batch", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    for name in ("removed_participations", "removed_people", "removes_brought"):
        op.drop_column("award_batch", name)
    op.drop_column("participation", "batch_id")
