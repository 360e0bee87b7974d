"""Recommendations by people who worked with a learner, and the requests that lead to them."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0098"
down_revision = "0097"
branch_labels = None
depends_on = None

_KINDS = ("organisation", "peer", "peer_link", "peer_proof")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    kinds = ", ".join(f"'{each}'" for each in _KINDS)
    op.execute(
        "ALTER TABLE endorsement_request ADD COLUMN kind VARCHAR(32) DEFAULT 'organisation' NOT NULL "
        f"CONSTRAINT endorsement_request_kind CHECK (kind IN ({kinds}))"
    )
    op.create_table(
        "peer_recommendation",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("award_id", sa.Uuid(), sa.ForeignKey("award.id"), nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("language", sa.String(12), nullable=False),
        sa.Column("words", sa.String(280), nullable=False),
        sa.Column("signature", sa.String(60), nullable=False),
        sa.Column("wording", sa.Integer(), nullable=False),
        sa.Column("written_at", _MOMENT, nullable=False),
        sa.Column("accepted_at", _MOMENT, nullable=True),
        sa.Column("declined_at", _MOMENT, nullable=True),
        sa.Column("withdrawn_at", _MOMENT, nullable=True),
        sa.Column("set_aside_at", _MOMENT, nullable=True),
        sa.Column("set_aside_reason", sa.String(300), nullable=False),
    )
    for column in ("campus_id", "award_id"):
        op.create_index(f"ix_peer_recommendation_{column}", "peer_recommendation", [column])


def downgrade() -> None:
    """Requests to people go: the version before would take them for requests to organisations."""
    op.drop_table("peer_recommendation")
    op.execute("DELETE FROM endorsement_request WHERE kind <> 'organisation'")
    op.drop_column("endorsement_request", "kind")
