"""Portfolios, badges that search engines may find, and the number of a campus's page on LinkedIn."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def _word(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "portfolio",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False, index=True),
        sa.Column("line", sa.String(300), nullable=False),
        sa.Column("naming", _word("portfolio_naming", "full", "short", "none"), nullable=False),
        sa.Column(
            "grouping", _word("portfolio_grouping", "none", "competency", "project", "own"), nullable=False
        ),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("is_findable", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_table(
        "portfolio_group",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("portfolio_id", sa.Uuid(), sa.ForeignKey("portfolio.id"), nullable=False, index=True),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
    )
    op.create_table(
        "portfolio_piece",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("portfolio_id", sa.Uuid(), sa.ForeignKey("portfolio.id"), nullable=False, index=True),
        sa.Column("award_id", sa.Uuid(), sa.ForeignKey("award.id"), nullable=False, index=True),
        sa.Column("group_id", sa.Uuid(), sa.ForeignKey("portfolio_group.id"), nullable=True, index=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.UniqueConstraint("portfolio_id", "award_id", name="one_place_in_a_portfolio"),
    )
    op.add_column("award", sa.Column("is_findable", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("campus", sa.Column("linkedin_id", sa.String(20), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("campus", "linkedin_id")
    op.drop_column("award", "is_findable")
    op.drop_table("portfolio_piece")
    op.drop_table("portfolio_group")
    op.drop_table("portfolio")
