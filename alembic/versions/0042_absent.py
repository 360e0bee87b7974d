"""A line of an award may say that the person was noted absent."""

from __future__ import annotations

from alembic import op

revision = "0042"
down_revision = "0037"
branch_labels = None
depends_on = None

BEFORE = (
    "ready",
    "awarded",
    "already_held",
    "invalid_address",
    "missing_name",
    "missing_evidence",
    "too_few_hours",
    "oneself",
    "repeated_line",
    "unreadable",
    "not_allowed",
)


def outcomes(words: tuple[str, ...]) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("line_outcome", "award_batch_line", type_="check")
    # On SQLite the table is written anew, and its CHECK is not among what is carried over.
    with op.batch_alter_table("award_batch_line", recreate="auto") as batch:
        batch.create_check_constraint("line_outcome", f"outcome IN {words}")


def upgrade() -> None:
    outcomes((*BEFORE, "absent"))


def downgrade() -> None:
    op.execute("UPDATE award_batch_line SET outcome = 'not_allowed' WHERE outcome = 'absent'")
    outcomes(BEFORE)
