"""A module removed from its set can be restored."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0148"
down_revision = "0147"
branch_labels = None
depends_on = None
online = True


def upgrade() -> None:
    op.add_column("training_module", sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.execute(
        "DELETE FROM module_competency WHERE module_id IN "
        "(SELECT id FROM training_module WHERE removed_at IS NOT NULL)"
    )
    op.execute("DELETE FROM training_module WHERE removed_at IS NOT NULL")
    op.drop_column("training_module", "removed_at")
