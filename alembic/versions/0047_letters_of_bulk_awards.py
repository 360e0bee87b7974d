"""Letters of bulk awards know when they may leave; those that waited for the last line of one no longer wait for ever."""

from __future__ import annotations

from alembic import op

revision = "0047"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE letter SET not_before = promised_at WHERE not_before >= '9999-01-01'")


def downgrade() -> None:
    """Nothing: what may leave is asked of the bulk award itself."""
