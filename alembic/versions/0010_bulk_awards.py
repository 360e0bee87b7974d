"""Bulk awards as promises that are carried out later, and bulk withdrawals.

What was awarded before is done, and left the house at once.
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
STATES = ("planned", "running", "done", "cancelled", "undoing", "undone")
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
)


def batch_columns() -> tuple[sa.Column, ...]:
    return (
        sa.Column("actor_label", sa.String(120), nullable=False, server_default=""),
        sa.Column("evidence", sa.String(4000), nullable=False, server_default=""),
        sa.Column("tells", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("not_before", MOMENT, nullable=True),
        sa.Column("undo_seconds", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.Column("undo_until", MOMENT, nullable=True),
    )


def word(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)


def outcomes(words: tuple[str, ...]) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("line_outcome", "award_batch_line", type_="check")
    # On SQLite the table is written anew, and its CHECK is not among what is carried over.
    with op.batch_alter_table("award_batch_line", recreate="auto") as batch:
        batch.create_check_constraint("line_outcome", f"outcome IN {words}")


def upgrade() -> None:
    for column in batch_columns():
        op.add_column("award_batch", column)
    # In one statement that both engines know: the table is pointed at, and must not be written anew.
    op.execute(
        "ALTER TABLE award_batch ADD COLUMN state VARCHAR(32) NOT NULL DEFAULT 'done' "
        f"CONSTRAINT batch_state CHECK (state IN {STATES})"
    )
    op.execute("UPDATE award_batch SET done_at = requested_at")
    op.create_index("batches_to_carry_out", "award_batch", ["state", "not_before"])

    outcomes((*BEFORE, "not_allowed"))
    with op.batch_alter_table("award_batch_line") as batch:
        batch.add_column(sa.Column("person_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("participation_id", sa.Uuid(), nullable=True))
        batch.create_foreign_key("award_batch_line_person_id_fkey", "person", ["person_id"], ["id"])
    op.create_index("ix_award_batch_line_person_id", "award_batch_line", ["person_id"])
    op.create_index("lines_to_carry_out", "award_batch_line", ["batch_id", "outcome", "position"])

    op.add_column("award", sa.Column("undone_at", MOMENT, nullable=True))
    op.add_column("award", sa.Column("batch_id", sa.Uuid(), nullable=True))
    op.create_index("one_award_per_person_of_a_batch", "award", ["batch_id", "person_id"], unique=True)

    op.create_table(
        "withdrawal",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("requested_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.Column("actor_label", sa.String(120), nullable=False),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("idempotency_key", sa.String(200), nullable=True),
        sa.Column("request_digest", sa.String(64), nullable=False),
        sa.Column("state", word("withdrawal_state", "running", "done"), nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.UniqueConstraint("campus_id", "idempotency_key", name="one_withdrawal_per_idempotency_key"),
    )
    op.create_index("ix_withdrawal_campus_id", "withdrawal", ["campus_id"])
    op.create_index("ix_withdrawal_requested_by", "withdrawal", ["requested_by"])
    op.create_index("withdrawals_to_carry_out", "withdrawal", ["state", "requested_at"])
    op.create_table(
        "withdrawal_line",
        sa.Column("withdrawal_id", sa.Uuid(), sa.ForeignKey("withdrawal.id"), primary_key=True),
        sa.Column("position", sa.Integer(), primary_key=True),
        sa.Column("award_id", sa.Uuid(), nullable=False),
        sa.Column(
            "outcome",
            word("withdrawal_outcome", "waiting", "withdrawn", "already", "absent"),
            nullable=False,
        ),
    )


def downgrade() -> None:
    """What is not carried out by then is forgotten; what was not allowed could not be read."""
    op.drop_table("withdrawal_line")
    op.drop_table("withdrawal")

    op.drop_index("one_award_per_person_of_a_batch", "award")
    op.drop_column("award", "batch_id")
    op.drop_column("award", "undone_at")

    op.execute("UPDATE award_batch_line SET outcome = 'unreadable' WHERE outcome = 'not_allowed'")
    op.drop_index("lines_to_carry_out", "award_batch_line")
    op.drop_index("ix_award_batch_line_person_id", "award_batch_line")
    with op.batch_alter_table("award_batch_line") as batch:
        batch.drop_constraint("award_batch_line_person_id_fkey", type_="foreignkey")
        batch.drop_column("participation_id")
        batch.drop_column("person_id")
    outcomes(BEFORE)

    op.drop_index("batches_to_carry_out", "award_batch")
    for column in ("state", *(column.name for column in batch_columns())):
        op.drop_column("award_batch", column)
