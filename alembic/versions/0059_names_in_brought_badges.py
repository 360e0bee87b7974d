"""The name in each badge from elsewhere; those that are there are judged again before they are shown."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("brought_badge", sa.Column("holder_name", sa.String(250), nullable=True))
    op.execute("UPDATE brought_badge SET check_again_at = brought_at")


def downgrade() -> None:
    op.drop_column("brought_badge", "holder_name")
