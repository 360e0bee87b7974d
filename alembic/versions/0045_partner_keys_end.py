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
ONLY_THE_NEWEST = """
UPDATE network_key SET retired_at = (SELECT max(n.created_at) FROM network_key n WHERE n.network_id = network_key.network_id)
WHERE EXISTS (
    SELECT 1 FROM network_key n WHERE n.network_id = network_key.network_id AND (
        n.created_at > network_key.created_at OR (n.created_at = network_key.created_at AND n.id > network_key.id)
    )
)
"""


def upgrade() -> None:
    op.add_column("network_key", sa.Column("retired_at", MOMENT, nullable=True))
    op.add_column("network_key", sa.Column("revoked_at", MOMENT, nullable=True))
    op.add_column("organisation_key", sa.Column("revoked_at", MOMENT, nullable=True))
    # Only the newest signed so far, also where two were made at once.
    op.execute(ONLY_THE_NEWEST)
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
