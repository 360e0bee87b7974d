"""The catalogue has facets by competency, counted again where they change; titles have an index."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0142"
down_revision = "0141"
branch_labels = None
depends_on = None
online = True

BY_TITLE = "catalogue_by_title"


def upgrade() -> None:
    op.add_column("catalogue_entry", sa.Column("competencies", sa.Text(), nullable=False, server_default=""))
    op.add_column("catalogue_refresh", sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
    op.create_index(BY_TITLE, "catalogue_entry", ["kind", "title", "number"])
    # The worker derives the entries of every campus again.
    op.execute("DELETE FROM catalogue_refresh")


def downgrade() -> None:
    op.drop_index(BY_TITLE, "catalogue_entry")
    op.drop_column("catalogue_refresh", "version")
    op.drop_column("catalogue_entry", "competencies")
