"""Letters and lines are written without a place in indexes of what nobody knows of them yet."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

_INDEXES = (
    ("letters_sent", "letter", ["occasion", "sent_at"], "sent_at"),
    ("letters_about", "letter", ["about_id", "promised_at"], "about_id"),
    ("ix_letter_attempted_at", "letter", ["attempted_at"], "attempted_at"),
    ("ix_award_batch_line_award_id", "award_batch_line", ["award_id"], "award_id"),
)


def upgrade() -> None:
    for name, table, columns, known in _INDEXES:
        where = sa.text(f"{known} IS NOT NULL")
        op.drop_index(name, table)
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, table, columns, _ in _INDEXES:
        op.drop_index(name, table)
        op.create_index(name, table, columns)
