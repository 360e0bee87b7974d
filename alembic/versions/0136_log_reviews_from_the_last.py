"""Reviews of a log may start where the last one ended."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0136"
down_revision = "0135"
branch_labels = None
depends_on = None
online = True


def upgrade() -> None:
    op.add_column("log_review", sa.Column("since", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("log_review", sa.Column("edge", sa.LargeBinary()))


def downgrade() -> None:
    with op.batch_alter_table("log_review") as table:
        table.drop_column("edge")
        table.drop_column("since")
