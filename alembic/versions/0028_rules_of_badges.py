"""Rules of badges, and the lines of the log that whoever gives a badge chose for it to rest on."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("badge_version", sa.Column("rule", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("award_batch", sa.Column("grounds", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("award", sa.Column("grounds", sa.String(300), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("award", "grounds")
    op.drop_column("award_batch", "grounds")
    op.drop_column("badge_version", "rule")
