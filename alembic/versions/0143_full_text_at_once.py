"""Full-text indexes on PostgreSQL take in a row at once: each search read what was pending, page by page."""

from __future__ import annotations

from alembic import op

revision = "0143"
down_revision = "0142"
branch_labels = None
depends_on = None
online = True

INDEXES = (
    "framework_search_index_labels",
    "framework_search_index_all",
    "catalogue_index_labels",
    "catalogue_index_all",
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name in INDEXES:
            op.execute(f"ALTER INDEX {name} SET (fastupdate = off)")
            op.execute(f"SELECT gin_clean_pending_list('{name}')")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name in INDEXES:
            op.execute(f"ALTER INDEX {name} RESET (fastupdate)")
