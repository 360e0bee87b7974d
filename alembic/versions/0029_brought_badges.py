"""Badges that people bring from elsewhere."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    belongs = sa.Enum(
        "theirs", "anothers", "unsaid",
        name="brought_badge_belongs", native_enum=False, create_constraint=True, length=32,
    )  # fmt: skip
    op.create_table(
        "brought_badge",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False, index=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("title", sa.String(250), nullable=False),
        sa.Column("issuer_name", sa.String(250), nullable=False),
        sa.Column("awarded_at", MOMENT, nullable=True),
        sa.Column("verdict", sa.String(40), nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("belongs", belongs, nullable=False),
        sa.Column("is_shown", sa.Boolean(), nullable=False),
        sa.Column("brought_at", MOMENT, nullable=False),
        sa.Column("checked_at", MOMENT, nullable=False),
        sa.Column("check_again_at", MOMENT, nullable=False, index=True),
        sa.UniqueConstraint("person_id", "digest", name="one_copy_of_a_brought_badge"),
    )


def downgrade() -> None:
    op.drop_table("brought_badge")
