"""What of the campus a badge's picture was drawn with: pictures of its awards keep it."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0145"
down_revision = "0144"
branch_labels = None
depends_on = None
online = True


def upgrade() -> None:
    op.add_column(
        "badge_version",
        sa.Column("drawn_short_name", sa.String(length=20), nullable=False, server_default=""),
    )
    op.add_column("badge_version", sa.Column("drawn_hue", sa.Float(), nullable=True))
    op.add_column("badge_version", sa.Column("drawn_liveliness", sa.Float(), nullable=True))


def downgrade() -> None:
    for name in ("drawn_liveliness", "drawn_hue", "drawn_short_name"):
        op.drop_column("badge_version", name)
