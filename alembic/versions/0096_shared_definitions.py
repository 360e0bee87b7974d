"""Definitions that a network shares, adopted by its campuses, and its administrators."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0096"
down_revision = "0095"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def _words(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "network_administrator",
        sa.Column("network_id", sa.Uuid(), sa.ForeignKey("network.id"), primary_key=True, nullable=False),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), primary_key=True, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
    )
    op.create_table(
        "shared_badge",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("network_id", sa.Uuid(), sa.ForeignKey("network.id"), nullable=False, index=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
    )
    op.create_table(
        "shared_badge_version",
        sa.Column(
            "shared_badge_id", sa.Uuid(), sa.ForeignKey("shared_badge.id"), primary_key=True, nullable=False
        ),
        sa.Column("number", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("published_at", MOMENT, nullable=False),
    )
    op.create_table(
        "definition_adoption",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("network_id", sa.Uuid(), sa.ForeignKey("network.id"), nullable=False, index=True),
        sa.Column("badge_id", sa.Uuid(), sa.ForeignKey("badge.id"), nullable=True),
        sa.Column("shared_badge_id", sa.Uuid(), sa.ForeignKey("shared_badge.id"), nullable=True, index=True),
        sa.Column("competency_id", sa.Uuid(), sa.ForeignKey("competency.id"), nullable=True),
        sa.Column(
            "shared_competency_id", sa.Uuid(), sa.ForeignKey("competency.id"), nullable=True, index=True
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("adopted_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("answer", _words("adoption_answer", "accepted", "partly", "refused"), nullable=True),
        sa.CheckConstraint(
            "(badge_id IS NULL) = (shared_badge_id IS NULL) AND (badge_id IS NULL) <> (competency_id IS NULL) "
            "AND (competency_id IS NULL) = (shared_competency_id IS NULL)",
            name="adopts_one_definition",
        ),
        sa.UniqueConstraint("badge_id", name="one_definition_of_a_badge"),
        sa.UniqueConstraint("competency_id", name="one_definition_of_a_competency"),
        sa.UniqueConstraint("campus_id", "shared_badge_id", name="one_adoption_of_a_badge"),
        sa.UniqueConstraint("campus_id", "shared_competency_id", name="one_adoption_of_a_competency"),
    )
    op.create_table(
        "definition_proposal",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False, index=True),
        sa.Column("network_id", sa.Uuid(), sa.ForeignKey("network.id"), nullable=False, index=True),
        sa.Column("badge_id", sa.Uuid(), sa.ForeignKey("badge.id"), nullable=True),
        sa.Column("shared_badge_id", sa.Uuid(), sa.ForeignKey("shared_badge.id"), nullable=True, index=True),
        sa.Column(
            "shared_competency_id", sa.Uuid(), sa.ForeignKey("competency.id"), nullable=True, index=True
        ),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.Column(
            "state", _words("proposal_state", "waiting", "accepted", "partly", "refused"), nullable=False
        ),
        sa.Column("answer", sa.String(300), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
    )


def downgrade() -> None:
    for table in (
        "definition_proposal",
        "definition_adoption",
        "shared_badge_version",
        "shared_badge",
        "network_administrator",
    ):
        op.drop_table(table)
