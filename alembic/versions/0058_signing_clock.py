"""The last sample of the clock, and when each activity log last grew: nothing that is signed runs backwards."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "signing_clock",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", _AT, nullable=True),
        sa.Column("boot", sa.String(64), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("stopped_at", _AT, nullable=True),
        sa.Column("expected_at", _AT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO signing_clock (id, boot, seconds) VALUES (1, '', 0)")
    op.add_column("campus_log", sa.Column("last_at", _AT, nullable=True))
    op.execute(
        "UPDATE campus_log SET last_at = (SELECT max(e.at) FROM log_entry e WHERE e.log_id = campus_log.id)"
    )


def downgrade() -> None:
    op.drop_column("campus_log", "last_at")
    op.drop_table("signing_clock")
