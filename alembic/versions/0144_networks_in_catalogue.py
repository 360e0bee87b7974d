"""Networks and labels in the public catalogue."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0144"
down_revision = "0143"
branch_labels = None
depends_on = None
online = False
announced = "writes"

BEFORE = "'badge', 'competency', 'activity', 'campus', 'pathway'"
KINDS = f"{BEFORE}, 'network', 'label'"


def _allow(now: str, before: str) -> None:
    """On SQLite the definition is edited in place: triggers of the full-text table stay."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.drop_constraint("catalogue_kind", "catalogue_entry", type_="check")
        op.create_check_constraint("catalogue_kind", "catalogue_entry", f"kind IN ({now})")
        return
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    connection.execute(
        sa.text(
            "UPDATE sqlite_schema SET sql = replace(sql, :before, :now) "
            "WHERE type = 'table' AND name = 'catalogue_entry'"
        ),
        {"before": f"CHECK (kind IN ({before}))", "now": f"CHECK (kind IN ({now}))"},
    )
    connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema=OFF")


def upgrade() -> None:
    _allow(KINDS, BEFORE)


def downgrade() -> None:
    op.execute("DELETE FROM catalogue_entry WHERE kind IN ('network', 'label')")
    _allow(BEFORE, KINDS)
