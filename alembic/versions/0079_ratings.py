"""Ratings of badges by their holders, figures of the public rankings, and the department of a campus."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "badge_rating",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("badge_id", sa.Uuid(), sa.ForeignKey("badge.id"), nullable=False),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("sentence", sa.String(200), nullable=False),
        sa.Column(
            "sentence_state",
            sa.Enum(
                "none",
                "waiting",
                "shown",
                "declined",
                name="rating_sentence_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("rated_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("person_id", "badge_id", name="one_rating_per_holder"),
        sa.CheckConstraint("score BETWEEN 1 AND 5", name="score_from_1_to_5"),
    )
    op.create_index("rating_of_badge", "badge_rating", ["badge_id", "score"])
    op.create_index("rating_sentences", "badge_rating", ["campus_id", "sentence_state"])
    op.create_table(
        "badge_tally",
        sa.Column("badge_id", sa.Uuid(), sa.ForeignKey("badge.id"), primary_key=True),
        sa.Column("year", sa.Integer(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("holders", sa.Integer(), nullable=False),
        sa.Column("votes", sa.Integer(), nullable=False),
        sa.Column("bound", sa.Float(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
    )
    op.create_index("ix_badge_tally_campus_id", "badge_tally", ["campus_id"])
    op.create_index("tally_by_holders", "badge_tally", ["year", "holders"])
    op.create_index("tally_by_bound", "badge_tally", ["year", "bound"])
    op.add_column("campus", sa.Column("department", sa.String(8), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("campus", "department")
    op.drop_table("badge_tally")
    op.drop_table("badge_rating")
