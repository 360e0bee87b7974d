"""The age group that a person gave at check-in, while their signature waits for a trainer."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0133"
down_revision = "0132"
branch_labels = None
depends_on = None
online = True


def upgrade() -> None:
    op.add_column(
        "waiting_signature", sa.Column("declared", sa.String(32), nullable=False, server_default="")
    )


def downgrade() -> None:
    op.drop_column("waiting_signature", "declared")
