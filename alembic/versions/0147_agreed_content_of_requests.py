"""What the first of two reviewers agreed to give: an agreement to another badge does not count."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0147"
down_revision = "0146"
branch_labels = None
depends_on = None
online = True


def upgrade() -> None:
    op.add_column(
        "badge_request",
        sa.Column("agreed_content", sa.String(length=16), nullable=False, server_default=""),
    )


def downgrade() -> None:
    op.drop_column("badge_request", "agreed_content")
