"""Requests for badges, their steps and their files; awards that reviewers decided."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def word(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.add_column(
        "award_batch", sa.Column("by_review", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "badge_request",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("badge_id", sa.Uuid(), sa.ForeignKey("badge.id"), nullable=False, index=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.Column("given_name", sa.String(120), nullable=False),
        sa.Column("family_name", sa.String(120), nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("narrative", sa.String(4000), nullable=False),
        sa.Column("links", sa.JSON(), nullable=False),
        sa.Column("entries", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            word(
                "request_state",
                "unconfirmed",
                "waiting",
                "second",
                "more",
                "accepted",
                "refused",
                "withdrawn",
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_reviewer_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.Column("evidence", sa.String(4000), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("award_id", sa.Uuid(), sa.ForeignKey("award.id"), nullable=True, index=True),
    )
    op.create_index("requests_of_campus", "badge_request", ["campus_id", "state", "waiting_since"])
    op.create_index("requests_of_person", "badge_request", ["person_id", "badge_id"])
    op.create_table(
        "request_step",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("request_id", sa.Uuid(), sa.ForeignKey("badge_request.id"), nullable=False, index=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "step",
            word(
                "request_step_kind",
                "asked",
                "added",
                "agreed",
                "asked_more",
                "accepted",
                "refused",
                "withdrawn",
            ),
            nullable=False,
        ),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.Column("text", sa.String(4000), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "request_file",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("request_id", sa.Uuid(), sa.ForeignKey("badge_request.id"), nullable=False, index=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "request_file_content",
        sa.Column("file_id", sa.Uuid(), sa.ForeignKey("request_file.id"), primary_key=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("request_file_content")
    op.drop_table("request_file")
    op.drop_table("request_step")
    op.drop_table("badge_request")
    op.drop_column("award_batch", "by_review")
