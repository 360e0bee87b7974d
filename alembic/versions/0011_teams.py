"""Invitations to a team, and letters that are about no award."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("invited_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("accepted_at", MOMENT, nullable=True),
        sa.Column("accepted_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
    )
    op.create_index("invitations_of_campus", "invitation", ["campus_id", "created_at"])
    op.create_index("ix_invitation_invited_by", "invitation", ["invited_by"])
    op.create_index("ix_invitation_accepted_by", "invitation", ["accepted_by"])
    op.add_column("letter", sa.Column("about_id", sa.Uuid(), nullable=True))
    op.create_index("letters_about", "letter", ["about_id", "promised_at"])


def downgrade() -> None:
    """Letters that are about no award could not be read any more."""
    op.execute("DELETE FROM letter WHERE about_id IS NOT NULL")
    op.drop_index("letters_about", "letter")
    op.drop_column("letter", "about_id")
    op.drop_table("invitation")
