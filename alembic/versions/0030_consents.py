"""What people agreed to and took back, and what parents were asked."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def word(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=True, index=True),
        sa.Column("award_id", sa.Uuid(), sa.ForeignKey("award.id"), nullable=True, index=True),
        sa.Column(
            "about",
            word("consent_about", "room", "publication", "name", "reminders", "parent"),
            nullable=False,
        ),
        sa.Column("by", word("consent_by", "self", "parent"), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("wording", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_index("consents_of_person", "consent", ["person_id", "at"])
    op.create_table(
        "parent_agreement",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("award_id", sa.Uuid(), sa.ForeignKey("award.id"), nullable=False, index=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False, index=True),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("agreed", sa.Boolean(), nullable=True),
    )


def downgrade() -> None:
    op.drop_table("parent_agreement")
    op.drop_table("consent")
