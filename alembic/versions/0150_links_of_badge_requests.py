"""The link of a badge request can be replaced, as that of an award."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0150"
down_revision = "0149"
branch_labels = None
depends_on = None
online = True


def upgrade() -> None:
    op.add_column(
        "badge_request", sa.Column("link_generation", sa.Integer(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    op.drop_column("badge_request", "link_generation")
