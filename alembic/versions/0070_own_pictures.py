"""A badge may show a logo in the place of its letters, or a picture of the campus in the place of its shape."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "badge_version", sa.Column("look", sa.String(length=12), nullable=False, server_default="forme")
    )
    op.add_column("badge_version", sa.Column("art", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("badge_version", "art")
    op.drop_column("badge_version", "look")
