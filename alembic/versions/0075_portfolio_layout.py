"""A portfolio has a layout, and links for one reader that end together when the generation changes."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("portfolio", sa.Column("layout", sa.String(16), nullable=False, server_default="bands"))
    op.add_column("portfolio", sa.Column("link_generation", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("portfolio", "link_generation")
    op.drop_column("portfolio", "layout")
