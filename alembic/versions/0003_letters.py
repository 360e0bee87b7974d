"""Letters that were promised, and what their readers did and wish.

Nobody is written to about what was awarded before: no letter was promised.
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def columns() -> tuple[tuple[str, sa.Column], ...]:
    return (
        ("award", sa.Column("link_opened_at", MOMENT, nullable=True)),
        ("award", sa.Column("claimed_at", MOMENT, nullable=True)),
        ("person", sa.Column("wants_reminders", sa.Boolean(), nullable=False, server_default=sa.true())),
        ("person", sa.Column("language", sa.String(length=8), nullable=True)),
        ("campus", sa.Column("language", sa.String(length=8), nullable=False, server_default="fr")),
        ("campus", sa.Column("sends_reminders", sa.Boolean(), nullable=False, server_default=sa.true())),
    )


def upgrade() -> None:
    for table, column in columns():
        op.add_column(table, column)
    op.create_table(
        "letter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("envelope", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.Uuid(), nullable=True),
        sa.Column("award_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("occasion", sa.String(length=40), nullable=False),
        sa.Column("once_key", sa.String(length=120), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "sent",
                "refused",
                "cancelled",
                name="letter_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("promised_at", MOMENT, nullable=False),
        sa.Column("not_before", MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("server_said", sa.String(length=300), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["award_id"], ["award.id"]),
        sa.ForeignKeyConstraint(["campus_id"], ["campus.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("once_key"),
    )
    op.create_index("letters_due", "letter", ["state", "not_before"])
    op.create_index("letters_of_award", "letter", ["award_id", "promised_at"])
    for column in ("envelope", "campus_id", "person_id"):
        op.create_index(f"ix_letter_{column}", "letter", [column])


def downgrade() -> None:
    op.drop_table("letter")
    for table, column in reversed(columns()):
        op.drop_column(table, column.name)
