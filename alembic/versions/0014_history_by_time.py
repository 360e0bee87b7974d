"""The history of a campus is looked through by time."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("history_of_campus", "history_entry")
    op.create_index("history_of_campus", "history_entry", ["campus_id", "at", "id"])


def downgrade() -> None:
    op.drop_index("history_of_campus", "history_entry")
    op.create_index("history_of_campus", "history_entry", ["campus_id", "id"])
