"""People of one name are told apart by whoever gave the list or opened the room, and nothing is written meanwhile."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BY_NAME_ALONE = sa.text("substr(line_key, 1, 1) = '|'")
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
    "absent",
)


def outcomes(words: tuple[str, ...]) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("line_outcome", "award_batch_line", type_="check")
    # On SQLite the table is written anew, and its CHECK is not among what is carried over.
    with op.batch_alter_table("award_batch_line", recreate="auto") as batch:
        batch.create_check_constraint("line_outcome", f"outcome IN {words}")


def upgrade() -> None:
    outcomes((*BEFORE, "several_of_name"))
    op.create_index(
        "participations_by_name_alone",
        "participation",
        ["line_key"],
        sqlite_where=BY_NAME_ALONE,
        postgresql_where=BY_NAME_ALONE,
    )
    op.create_table(
        "list_answer",
        sa.Column("activity_id", sa.Uuid(), sa.ForeignKey("activity.id"), primary_key=True),
        sa.Column("list_digest", sa.String(64), primary_key=True),
        sa.Column("line", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("participation_id", sa.Uuid(), sa.ForeignKey("participation.id"), nullable=False),
        sa.Column("answered_at", MOMENT, nullable=False),
    )
    op.create_index("ix_list_answer_participation_id", "list_answer", ["participation_id"])
    op.create_table(
        "waiting_signature",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("room_id", sa.Uuid(), sa.ForeignKey("room.id"), nullable=False),
        sa.Column("phone_digest", sa.String(64), nullable=False),
        sa.Column("given_name", sa.String(120), nullable=False),
        sa.Column("family_name", sa.String(120), nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("under_15", sa.Boolean(), nullable=False),
        sa.Column("signed_at", MOMENT, nullable=False),
        sa.UniqueConstraint("room_id", "phone_digest", name="one_waiting_per_phone"),
    )
    op.create_index("ix_waiting_signature_room_id", "waiting_signature", ["room_id"])


def downgrade() -> None:
    op.drop_table("waiting_signature")
    op.drop_table("list_answer")
    op.drop_index("participations_by_name_alone", "participation")
    op.execute("UPDATE award_batch_line SET outcome = 'not_allowed' WHERE outcome = 'several_of_name'")
    outcomes(BEFORE)
