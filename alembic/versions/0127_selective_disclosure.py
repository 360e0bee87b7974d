"""Badges shown in part: a campus switches them on, and signs them with a key of its own."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0127"
down_revision = "0125"
branch_labels = None
depends_on = None
online = True

BEFORE = ("credential", "activity_log")


def purposes(words: tuple[str, ...]) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("key_purpose", "signing_key", type_="check")
    # On SQLite the table is written anew, and its CHECK is not among what is carried over.
    with op.batch_alter_table("signing_key", recreate="auto") as batch:
        batch.create_check_constraint("key_purpose", f"purpose IN {words}")


def upgrade() -> None:
    purposes((*BEFORE, "disclosure"))
    op.add_column(
        "campus",
        sa.Column("selective_disclosure", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    op.drop_column("campus", "selective_disclosure")
    op.execute("DELETE FROM signing_key WHERE purpose = 'disclosure'")
    purposes(BEFORE)
