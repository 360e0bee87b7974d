"""Surveys of activities: link, who has answered, and answers."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0083"
down_revision = "0082"
branch_labels = None
depends_on = None


def _activity(*, key: bool = True) -> sa.Column[object]:
    return sa.Column(
        "activity_id", sa.Uuid(), sa.ForeignKey("activity.id"), primary_key=key, nullable=False, index=not key
    )


def upgrade() -> None:
    op.create_table(
        "survey_link",
        _activity(),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False, index=True),
        sa.Column("code", sa.String(6), nullable=False, unique=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_table(
        "survey_turnout",
        _activity(),
        sa.Column("digest", sa.String(64), primary_key=True),
    )
    op.create_table(
        "survey_answer",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _activity(key=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("recommends", sa.Boolean(), nullable=False),
        sa.Column("sentence", sa.String(140), nullable=False),
        sa.Column(
            "sentence_state",
            sa.Enum(
                "none",
                "pending",
                "approved",
                "rejected",
                name="survey_sentence_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.CheckConstraint("rating BETWEEN 1 AND 4", name="rating_is_of_four"),
    )


def downgrade() -> None:
    for table in ("survey_answer", "survey_turnout", "survey_link"):
        op.drop_table(table)
