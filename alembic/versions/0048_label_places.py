"""Each label a network signs has a place in that network's status list."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("label", sa.Column("position", sa.Integer(), nullable=True))
    op.create_index("one_label_at_a_place", "label", ["network_id", "position"], unique=True)


def downgrade() -> None:
    op.drop_index("one_label_at_a_place", table_name="label")
    op.drop_column("label", "position")
