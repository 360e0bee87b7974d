"""What people choose is journaled, so that restoring a backup does not undo it."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "choice_change",
        sa.Column("sequence", sa.BigInteger(), primary_key=True, autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("choice_change")
