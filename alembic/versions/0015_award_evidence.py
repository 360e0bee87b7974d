"""Which lines of the activity log an award rests on, and how much of them its holder shows.

Awards of before rest on none: their credentials name no evidence document.
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

SHOWN = ("all", "summary", "existence")


def upgrade() -> None:
    op.create_table(
        "award_evidence",
        sa.Column("award_id", sa.Uuid(), sa.ForeignKey("award.id"), primary_key=True),
        sa.Column("log_id", sa.Uuid(), sa.ForeignKey("campus_log.id"), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(80), nullable=False),
    )
    op.create_table(
        "evidence_disclosure",
        sa.Column("award_id", sa.Uuid(), sa.ForeignKey("award.id"), primary_key=True),
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column(
            "shown",
            sa.Enum(*SHOWN, name="evidence_shown", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("evidence_disclosure")
    op.drop_table("award_evidence")
