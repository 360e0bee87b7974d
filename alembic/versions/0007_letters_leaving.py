"""When letters were tried, and short codes that open one award."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("letter", sa.Column("attempted_at", MOMENT, nullable=True))
    op.create_index("ix_letter_attempted_at", "letter", ["attempted_at"])
    op.create_index("letters_sent", "letter", ["occasion", "sent_at"])
    op.create_table(
        "claim_code",
        sa.Column("award_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["award_id"], ["award.id"]),
        sa.PrimaryKeyConstraint("award_id"),
        sa.UniqueConstraint("digest"),
    )


def downgrade() -> None:
    op.drop_table("claim_code")
    op.drop_index("letters_sent", "letter")
    op.drop_index("ix_letter_attempted_at", "letter")
    op.drop_column("letter", "attempted_at")
