"""The keys of networks and of organisations give way to others, or are found stolen."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
IN_SERVICE = sa.text("retired_at IS NULL")


def upgrade() -> None:
    op.add_column("network_key", sa.Column("retired_at", MOMENT, nullable=True))
    op.add_column("network_key", sa.Column("revoked_at", MOMENT, nullable=True))
    op.add_column("organisation_key", sa.Column("revoked_at", MOMENT, nullable=True))
    op.create_index(
        "one_network_key",
        "network_key",
        ["network_id"],
        unique=True,
        postgresql_where=IN_SERVICE,
        sqlite_where=IN_SERVICE,
    )


def downgrade() -> None:
    op.drop_index("one_network_key", table_name="network_key")
    op.drop_column("organisation_key", "revoked_at")
    op.drop_column("network_key", "revoked_at")
    op.drop_column("network_key", "retired_at")
